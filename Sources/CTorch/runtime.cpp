#include "shim.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/api/include/torch/version.h>

#include <climits>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace shim {

std::atomic<int64_t> live_handles{0};
thread_local int64_t live_handles_of_thread = 0;
static thread_local std::string last_error;

void set_error(const std::string &message) noexcept {
    try {
        last_error = message;
    } catch (...) {
    }
}

// LibTorch appends a C++ stack to some messages; the first paragraph is for people.
std::string first_line(const char *message) {
    std::string text(message);
    auto cut = text.find("\nException raised from");
    if (cut != std::string::npos) text.resize(cut);
    cut = text.find("\n\n");
    if (cut != std::string::npos) text.resize(cut);
    for (auto &c : text)
        if (c == '\n') c = ' ';
    return text;
}

at::ScalarType scalar_type(int dtype) {
    switch (dtype) {
        case CT_UINT8: return at::kByte;
        case CT_INT8: return at::kChar;
        case CT_INT16: return at::kShort;
        case CT_INT32: return at::kInt;
        case CT_INT64: return at::kLong;
        case CT_FLOAT16: return at::kHalf;
        case CT_BFLOAT16: return at::kBFloat16;
        case CT_FLOAT32: return at::kFloat;
        case CT_FLOAT64: return at::kDouble;
        case CT_BOOL: return at::kBool;
    }
    TORCH_CHECK(false, "no such dtype code: ", dtype);
}

int dtype_code(at::ScalarType type) {
    switch (type) {
        case at::kByte: return CT_UINT8;
        case at::kChar: return CT_INT8;
        case at::kShort: return CT_INT16;
        case at::kInt: return CT_INT32;
        case at::kLong: return CT_INT64;
        case at::kHalf: return CT_FLOAT16;
        case at::kBFloat16: return CT_BFLOAT16;
        case at::kFloat: return CT_FLOAT32;
        case at::kDouble: return CT_FLOAT64;
        case at::kBool: return CT_BOOL;
        default: return -1;
    }
}

at::Device device(int kind, int index) {
    switch (kind) {
        case CT_CUDA: return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
        case CT_MPS: return at::Device(at::kMPS);
        default: return at::Device(at::kCPU);
    }
}

}  // namespace shim

const char *ct_last_error(void) { return shim::last_error.c_str(); }
int64_t ct_live_handles(void) { return shim::live_handles.load(std::memory_order_relaxed); }
int64_t ct_live_handles_of_thread(void) { return shim::live_handles_of_thread; }
const char *ct_version(void) { return TORCH_VERSION; }

const char *ct_capability(void) {
    static const std::string text = at::get_cpu_capability();
    return text.c_str();
}

int ct_threads(void) { return at::get_num_threads(); }
void ct_set_threads(int count) { at::set_num_threads(count); }

// A training step frees and takes the same activations again and again. By default glibc hands large
// blocks back to the kernel each time, which then zeroes every page anew: thousands of faults a step.
void ct_keep_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, 64 << 20);
#endif
}

bool ct_device_available(int device) {
    switch (device) {
        case CT_CUDA: return at::hasCUDA();
        case CT_MPS: return at::hasMPS();
        default: return true;
    }
}

ct_status ct_set_deterministic(bool on) {
    CT_RUN(at::globalContext().setDeterministicAlgorithms(on, false);
           at::globalContext().setDeterministicCuDNN(on); at::globalContext().setBenchmarkCuDNN(!on));
}

bool ct_set_grad_enabled(bool on) {
    bool before = at::GradMode::is_enabled();
    at::GradMode::set_enabled(on);
    return before;
}

ct_autocast ct_set_autocast(int kind, ct_autocast wanted) {
    auto type = shim::device(kind, 0).type();
    ct_autocast before{at::autocast::is_autocast_enabled(type),
                       shim::dtype_code(at::autocast::get_autocast_dtype(type))};
    at::autocast::set_autocast_enabled(type, wanted.enabled);
    at::autocast::set_autocast_dtype(type, shim::scalar_type(wanted.dtype));
    // The cache holds lower-precision copies of parameters, which a training step changes: it must not
    // outlive a region. Within one it saves a cast for every use of a weight.
    at::autocast::set_autocast_cache_enabled(true);
    if (!wanted.enabled) at::autocast::clear_cache();
    return before;
}

void ct_clear_autocast_cache(void) { at::autocast::clear_cache(); }
