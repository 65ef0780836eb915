#include "shim.hpp"

using shim::get;

ct_status ct_reshape(ct_tensor a, ct_ints shape, ct_tensor *out) {
    CT_RESULT(get(a).reshape(shim::ints(shape)));
}
ct_status ct_flatten(ct_tensor a, int64_t from, ct_tensor *out) { CT_RESULT(get(a).flatten(from)); }
ct_status ct_transpose(ct_tensor a, int64_t i, int64_t j, ct_tensor *out) {
    CT_RESULT(get(a).transpose(i, j));
}
ct_status ct_permute(ct_tensor a, ct_ints order, ct_tensor *out) {
    CT_RESULT(get(a).permute(shim::ints(order)));
}
ct_status ct_squeeze(ct_tensor a, int64_t dim, ct_tensor *out) { CT_RESULT(get(a).squeeze(dim)); }
ct_status ct_unsqueeze(ct_tensor a, int64_t dim, ct_tensor *out) { CT_RESULT(get(a).unsqueeze(dim)); }
ct_status ct_expand(ct_tensor a, ct_ints shape, ct_tensor *out) {
    CT_RESULT(get(a).expand(shim::ints(shape)));
}
ct_status ct_narrow(ct_tensor a, int64_t dim, int64_t start, int64_t length, ct_tensor *out) {
    CT_RESULT(get(a).narrow(dim, start, length));
}
ct_status ct_select(ct_tensor a, int64_t dim, int64_t index, ct_tensor *out) {
    CT_RESULT(get(a).select(dim, index));
}
ct_status ct_index_select(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out) {
    CT_RESULT(get(a).index_select(dim, get(index)));
}
ct_status ct_gather(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor *out) {
    CT_RESULT(get(a).gather(dim, get(index)));
}
ct_status ct_scatter_add(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor source, ct_tensor *out) {
    CT_RESULT(get(a).scatter_add(dim, get(index), get(source)));
}
ct_status ct_one_hot(ct_tensor a, int64_t classes, ct_tensor *out) {
    CT_RESULT(at::one_hot(get(a), classes));
}
ct_status ct_cat(ct_tensors parts, int64_t dim, ct_tensor *out) {
    CT_RESULT(at::cat(shim::list(parts), dim));
}
ct_status ct_stack(ct_tensors parts, int64_t dim, ct_tensor *out) {
    CT_RESULT(at::stack(shim::list(parts), dim));
}
ct_status ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_tensor *out) {
    CT_RESULT(get(a).masked_fill(get(mask), value));
}
ct_status ct_pad(ct_tensor a, ct_ints amounts, double value, ct_tensor *out) {
    CT_RESULT(at::constant_pad_nd(get(a), shim::ints(amounts), value));
}
ct_status ct_flip(ct_tensor a, ct_ints dims, ct_tensor *out) { CT_RESULT(get(a).flip(shim::ints(dims))); }
