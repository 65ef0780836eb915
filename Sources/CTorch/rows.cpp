#include "shim.hpp"

#include <algorithm>

using shim::get;

// `rows` on the store's device. They are looked at on the host before anything is written: on a GPU a
// row that is not there ends the process instead of the call, and the CPU would find it only after it
// had written those before it.
static at::Tensor rows_of(const at::Tensor &store, const at::Tensor &rows, bool differ) {
    TORCH_CHECK(store.dim() > 0, "a scalar has no rows");
    TORCH_CHECK(rows.dim() == 1 && rows.scalar_type() == at::kLong, "rows are int64 [B], got ",
                rows.scalar_type(), rows.sizes());
    auto host = rows.to(at::kCPU).contiguous();
    std::vector<int64_t> list(host.const_data_ptr<int64_t>(), host.const_data_ptr<int64_t>() + host.numel());
    for (auto row : list)
        TORCH_CHECK(row >= 0 && row < store.size(0), "row ", row, " of a store with ", store.size(0));
    if (differ) {
        std::sort(list.begin(), list.end());
        auto twice = std::adjacent_find(list.begin(), list.end());
        TORCH_CHECK(twice == list.end(), "row ", *twice, " is written twice");
    }
    return rows.to(store.device());
}

// Shapes are compared here because kernels differ in what they broadcast.
static void check_values(const at::Tensor &store, const at::Tensor &rows, const at::Tensor &values) {
    auto shape = store.sizes().vec();
    shape[0] = rows.numel();
    TORCH_CHECK(values.sizes() == shape && values.scalar_type() == store.scalar_type(), "values ",
                values.scalar_type(), values.sizes(), " for rows ", store.scalar_type(),
                at::IntArrayRef(shape));
    TORCH_CHECK(values.device() == store.device(), "values on ", values.device(), " for a store on ",
                store.device());
}

ct_status ct_row_read(ct_tensor store, ct_tensor rows, ct_tensor *out) {
    return shim::guarded([&] {
        at::NoGradGuard guard;
        *out = shim::box(get(store).index_select(0, rows_of(get(store), get(rows), false)));
    });
}

ct_status ct_row_write(ct_tensor store, ct_tensor rows, ct_tensor values) {
    return shim::guarded([&] {
        at::NoGradGuard guard;
        auto index = rows_of(get(store), get(rows), true);
        check_values(get(store), index, get(values));
        get(store).index_copy_(0, index, get(values));
    });
}

ct_status ct_row_add(ct_tensor store, ct_tensor rows, ct_tensor values) {
    return shim::guarded([&] {
        at::NoGradGuard guard;
        auto index = rows_of(get(store), get(rows), false);
        check_values(get(store), index, get(values));
        get(store).index_add_(0, index, get(values));
    });
}
