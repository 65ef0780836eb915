#include "shim.hpp"

#include <numeric>

using shim::get;

static at::Tensor reduce(int op, const at::Tensor &a, at::IntArrayRef given, bool keep) {
    std::vector<int64_t> every(static_cast<size_t>(a.dim()));
    std::iota(every.begin(), every.end(), 0);
    at::IntArrayRef dims = given.empty() ? at::IntArrayRef(every) : given;
    switch (op) {
        case CT_SUM: return a.sum(dims, keep);
        case CT_MEAN: return a.mean(dims, keep);
        case CT_AMAX: return a.amax(dims, keep);
        case CT_AMIN: return a.amin(dims, keep);
        case CT_LOGSUMEXP: return a.logsumexp(dims, keep);
        case CT_NORM: return at::linalg_vector_norm(a, 2, dims, keep);
        case CT_ANY: return a.any(dims, keep);
        case CT_ALL: return a.all(dims, keep);
    }
    TORCH_CHECK(false, "no such reduction: ", op);
}

ct_status ct_reduce(int op, ct_tensor a, ct_ints dims, bool keep, ct_tensor *out) {
    CT_RESULT(reduce(op, get(a), shim::ints(dims), keep));
}
ct_status ct_variance(ct_tensor a, ct_ints dims, bool unbiased, bool keep, ct_tensor *out) {
    CT_RESULT(at::var(get(a), shim::dims(dims), unbiased, keep));
}
ct_status ct_argmax(ct_tensor a, int64_t dim, bool keep, ct_tensor *out) {
    CT_RESULT(get(a).argmax(dim, keep));
}
ct_status ct_softmax(ct_tensor a, int64_t dim, bool log, ct_tensor *out) {
    CT_RESULT(log ? get(a).log_softmax(dim) : get(a).softmax(dim));
}
ct_status ct_topk(ct_tensor a, int64_t k, int64_t dim, ct_tensor *values, ct_tensor *indices) {
    CT_RUN(auto [v, i] = get(a).topk(k, dim); *values = shim::box(v); *indices = shim::box(i));
}
// Stable, so that ties fall the same way on every machine.
ct_status ct_sort(ct_tensor a, int64_t dim, bool descending, ct_tensor *values, ct_tensor *indices) {
    CT_RUN(auto [v, i] = get(a).sort(true, dim, descending); *values = shim::box(v);
           *indices = shim::box(i));
}
ct_status ct_cumsum(ct_tensor a, int64_t dim, ct_tensor *out) { CT_RESULT(get(a).cumsum(dim)); }
