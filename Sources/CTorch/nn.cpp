#include "shim.hpp"

using shim::get;
using shim::ints;
using shim::maybe;

ct_status ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor *out) {
    CT_RESULT(at::linear(get(x), get(weight), maybe(bias)));
}

static at::Tensor convolution(const at::Tensor &x, const at::Tensor &weight,
                              const std::optional<at::Tensor> &bias, ct_ints stride, ct_ints padding,
                              ct_ints dilation, bool transposed, ct_ints output_padding, int64_t groups) {
    // Through the named operators, not at::convolution: autocast knows them all, and they
    // check the number of dimensions.
    bool flat = stride.count == 1;
    if (transposed)
        return flat ? at::conv_transpose1d(x, weight, bias, ints(stride), ints(padding),
                                           ints(output_padding), groups, ints(dilation))
                    : at::conv_transpose2d(x, weight, bias, ints(stride), ints(padding),
                                           ints(output_padding), groups, ints(dilation));
    return flat ? at::conv1d(x, weight, bias, ints(stride), ints(padding), ints(dilation), groups)
                : at::conv2d(x, weight, bias, ints(stride), ints(padding), ints(dilation), groups);
}

ct_status ct_convolution(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_ints stride, ct_ints padding,
                         ct_ints dilation, bool transposed, ct_ints output_padding, int64_t groups,
                         ct_tensor *out) {
    CT_RESULT(convolution(get(x), get(weight), maybe(bias), stride, padding, dilation, transposed,
                          output_padding, groups));
}

ct_status ct_max_pool1d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_tensor *out) {
    CT_RESULT(at::max_pool1d(get(x), kernel, stride, padding));
}
ct_status ct_max_pool2d(ct_tensor x, ct_ints kernel, ct_ints stride, ct_ints padding, bool ceil,
                        ct_tensor *out) {
    CT_RESULT(at::max_pool2d(get(x), ints(kernel), ints(stride), ints(padding), 1, ceil));
}
ct_status ct_avg_pool2d(ct_tensor x, ct_ints kernel, ct_ints stride, ct_ints padding, bool ceil,
                        ct_tensor *out) {
    CT_RESULT(at::avg_pool2d(get(x), ints(kernel), ints(stride), ints(padding), ceil));
}
ct_status ct_adaptive_avg_pool2d(ct_tensor x, ct_ints size, ct_tensor *out) {
    CT_RESULT(at::adaptive_avg_pool2d(get(x), ints(size)));
}
ct_status ct_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean, ct_tensor variance,
                        bool training, double momentum, double eps, ct_tensor *out) {
    CT_RESULT(at::batch_norm(get(x), maybe(weight), maybe(bias), maybe(mean), maybe(variance), training,
                             momentum, eps, true));
}
ct_status ct_layer_norm(ct_tensor x, ct_ints shape, ct_tensor weight, ct_tensor bias, double eps,
                        ct_tensor *out) {
    CT_RESULT(at::layer_norm(get(x), ints(shape), maybe(weight), maybe(bias), eps));
}

// at::dropout draws from the global generator; ours are explicit.
ct_status ct_dropout(ct_tensor x, double p, ct_generator g, ct_tensor *out) {
    CT_RESULT(p >= 1 ? get(x) * 0
                     : get(x) * at::empty_like(get(x)).detach().bernoulli_(1 - p, g->value).div_(1 - p));
}

ct_status ct_embedding(ct_tensor indices, ct_tensor weight, int64_t padding_index, ct_tensor *out) {
    CT_RESULT(at::embedding(get(weight), get(indices), padding_index));
}
ct_status ct_embedding_bag(ct_tensor indices, ct_tensor offsets, ct_tensor weight, int mode,
                           int64_t padding_index, ct_tensor *out) {
    CT_RESULT(std::get<0>(at::embedding_bag(
        get(weight), get(indices), get(offsets), false, mode, false, {}, false,
        padding_index < 0 ? std::nullopt : std::optional<int64_t>(padding_index))));
}
ct_status ct_upsample_nearest2d(ct_tensor x, ct_ints size, ct_tensor *out) {
    CT_RESULT(at::upsample_nearest2d(get(x), ints(size)));
}
ct_status ct_cross_entropy(ct_tensor logits, ct_tensor targets, double smoothing, ct_tensor *out) {
    CT_RESULT(at::cross_entropy_loss(get(logits), get(targets), {}, at::Reduction::None, -100, smoothing));
}
