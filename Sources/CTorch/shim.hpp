// Shared by the shim's sources: boxes, the guard that turns exceptions into a status, conversions.
// Included first by each of them, so that a missing engine is said in one line.
#pragma once

#if !__has_include(<ATen/ATen.h>)
#error "LibTorch was not found: run scripts/engine in the folder of the package limbeck, and build with PKG_CONFIG_PATH=FOLDER/.torch (see its Documentation/swift.md)"
#endif

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <atomic>
#include <exception>
#include <string>
#include <vector>

#include "ctorch.h"

struct ct_tensor_box {
    at::Tensor value;
};
struct ct_generator_box {
    at::Generator value;
};

namespace shim {

// Tensors and generators. The second counts this thread's makes minus its frees.
extern std::atomic<int64_t> live_handles;
extern thread_local int64_t live_handles_of_thread;
inline void count_handles(int64_t change) noexcept {
    live_handles.fetch_add(change, std::memory_order_relaxed);
    live_handles_of_thread += change;
}
void set_error(const std::string &message) noexcept;
std::string first_line(const char *message);

// Runs `body`; an exception becomes status 1 and a message.
template <typename Body>
ct_status guarded(Body body) noexcept {
    try {
        body();
        return 0;
    } catch (const c10::Error &error) {
        set_error(first_line(error.what_without_backtrace()));
    } catch (const std::exception &error) {
        set_error(first_line(error.what()));
    } catch (...) {
        set_error("unknown C++ exception");
    }
    return 1;
}

inline ct_tensor box(at::Tensor value) {
    auto *handle = new ct_tensor_box{std::move(value)};
    count_handles(1);
    return handle;
}

inline const at::Tensor &get(ct_tensor t) { return t->value; }
inline at::IntArrayRef ints(ct_ints list) {
    return at::IntArrayRef(list.values, static_cast<size_t>(list.count));
}
inline at::OptionalIntArrayRef dims(ct_ints list) {
    if (list.count == 0) return std::nullopt;
    return ints(list);
}
inline std::optional<at::Tensor> maybe(ct_tensor t) {
    if (t == nullptr) return std::nullopt;
    return t->value;
}
inline std::vector<at::Tensor> list(ct_tensors parts) {
    std::vector<at::Tensor> out;
    out.reserve(static_cast<size_t>(parts.count));
    for (int64_t i = 0; i < parts.count; i++) out.push_back(parts.values[i]->value);
    return out;
}
at::ScalarType scalar_type(int dtype);
int dtype_code(at::ScalarType type);
at::Device device(int kind, int index);

}  // namespace shim

// The body of a one-result operator.
#define CT_RESULT(...) return shim::guarded([&] { *out = shim::box(__VA_ARGS__); })
#define CT_RUN(...) return shim::guarded([&] { __VA_ARGS__; })
