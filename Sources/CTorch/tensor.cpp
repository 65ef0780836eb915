#include "shim.hpp"

#include <cstring>

using shim::get;

void ct_free(ct_tensor t) {
    if (t == nullptr) return;
    delete t;
    shim::count_handles(-1);
}

static at::TensorOptions options(int dtype, int device, int index) {
    return at::TensorOptions().dtype(shim::scalar_type(dtype)).device(shim::device(device, index));
}

ct_status ct_from_bytes(const void *bytes, size_t size, ct_ints shape, int dtype, ct_tensor *out) {
    return shim::guarded([&] {
        auto t = at::empty(shim::ints(shape), options(dtype, CT_CPU, 0));
        TORCH_CHECK(t.nbytes() == size, "shape ", t.sizes(), " takes ", t.nbytes(), " bytes, got ", size);
        if (size > 0) std::memcpy(t.data_ptr(), bytes, size);
        *out = shim::box(t);
    });
}

ct_status ct_full(ct_ints shape, double value, int dtype, int device, int index, ct_tensor *out) {
    CT_RESULT(at::full(shim::ints(shape), value, options(dtype, device, index)));
}
ct_status ct_empty(ct_ints shape, int dtype, int device, int index, ct_tensor *out) {
    CT_RESULT(at::empty(shim::ints(shape), options(dtype, device, index)));
}
ct_status ct_arange(int64_t count, int dtype, ct_tensor *out) {
    CT_RESULT(at::arange(count, options(dtype, CT_CPU, 0)));
}

int64_t ct_dim(ct_tensor t) { return get(t).dim(); }
int64_t ct_size(ct_tensor t, int64_t dim) { return get(t).size(dim); }
int64_t ct_numel(ct_tensor t) { return get(t).numel(); }
int ct_dtype(ct_tensor t) { return shim::dtype_code(get(t).scalar_type()); }

void ct_device(ct_tensor t, int *device, int *index) {
    auto d = get(t).device();
    *device = d.is_cuda() ? CT_CUDA : d.is_mps() ? CT_MPS : CT_CPU;
    *index = d.has_index() ? d.index() : 0;
}

bool ct_is_contiguous(ct_tensor t, bool channels_last) {
    return get(t).is_contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                              : at::MemoryFormat::Contiguous);
}

ct_status ct_read(ct_tensor t, int dtype, void *out, size_t size) {
    return shim::guarded([&] {
        auto host = get(t).detach().to(at::kCPU).to(shim::scalar_type(dtype)).contiguous();
        TORCH_CHECK(host.nbytes() == size, "reading ", host.nbytes(), " bytes into ", size);
        if (size > 0) std::memcpy(out, host.const_data_ptr(), size);
    });
}

ct_status ct_item(ct_tensor t, double *out) { CT_RUN(*out = get(t).item().toDouble()); }
ct_status ct_to_dtype(ct_tensor t, int dtype, ct_tensor *out) {
    CT_RESULT(get(t).to(shim::scalar_type(dtype)));
}
ct_status ct_to_device(ct_tensor t, int device, int index, ct_tensor *out) {
    CT_RESULT(get(t).to(shim::device(device, index)));
}
ct_status ct_clone(ct_tensor t, ct_tensor *out) { CT_RESULT(get(t).clone()); }
ct_status ct_detach(ct_tensor t, ct_tensor *out) { CT_RESULT(get(t).detach()); }
ct_status ct_contiguous(ct_tensor t, bool channels_last, ct_tensor *out) {
    CT_RESULT(get(t).contiguous(channels_last ? at::MemoryFormat::ChannelsLast
                                              : at::MemoryFormat::Contiguous));
}
ct_status ct_set_data(ct_tensor t, ct_tensor source) { CT_RUN(get(t).set_data(get(source))); }
ct_status ct_copy(ct_tensor t, ct_tensor source) {
    CT_RUN(at::NoGradGuard guard; TORCH_CHECK(get(t).sizes() == get(source).sizes(), "copy: shape ",
                                              get(source).sizes(), " into ", get(t).sizes());
           get(t).copy_(get(source)));
}
ct_status ct_fill(ct_tensor t, double value) { CT_RUN(at::NoGradGuard guard; get(t).fill_(value)); }
ct_status ct_add_in_place(ct_tensor t, ct_tensor other, double alpha) {
    // Integers refuse a factor that is not one.
    CT_RUN(at::NoGradGuard guard;
           get(t).add_(get(other), at::isIntegralType(get(t).scalar_type(), true)
                                       ? at::Scalar(static_cast<int64_t>(alpha))
                                       : at::Scalar(alpha)));
}
ct_status ct_mul_in_place(ct_tensor t, double factor) { CT_RUN(at::NoGradGuard guard; get(t).mul_(factor)); }
