#include "shim.hpp"

using shim::list;

// Size-1 dimensions may have any stride.
static bool lies_like(const at::Tensor &model, const at::Tensor &t) {
    for (int64_t d = 0; d < t.dim(); d++)
        if (t.size(d) > 1 && t.stride(d) != model.stride(d)) return false;
    return true;
}

// The fused kernels walk raw memory and look at neither shapes, strides nor types: whatever they get
// must lie in memory as the parameter does (channels-last weights!).
static at::Tensor laid_like(const at::Tensor &parameter, const at::Tensor &t, const char *what) {
    TORCH_CHECK(t.sizes() == parameter.sizes() && t.scalar_type() == parameter.scalar_type(), what, " ",
                t.scalar_type(), t.sizes(), " for a parameter ", parameter.scalar_type(), parameter.sizes());
    return lies_like(parameter, t) ? t : at::empty_like(parameter).copy_(t);
}

static std::vector<at::Tensor> checked_parameters(ct_tensors handles) {
    auto parameters = list(handles);
    for (auto &p : parameters)
        TORCH_CHECK(p.is_non_overlapping_and_dense(), "a parameter must be dense in memory, not a view");
    return parameters;
}

static std::vector<at::Tensor> gradients_for(const std::vector<at::Tensor> &parameters, ct_tensors handles) {
    auto out = list(handles);
    TORCH_CHECK(out.size() == parameters.size(), out.size(), " gradients, ", parameters.size(), " parameters");
    for (size_t i = 0; i < out.size(); i++) out[i] = laid_like(parameters[i], out[i], "gradient");
    return out;
}

// State keeps its identity: if the parameter was laid out anew since, the state follows it for good.
static std::vector<at::Tensor> state_for(const std::vector<at::Tensor> &parameters, ct_tensors handles) {
    auto out = list(handles);
    TORCH_CHECK(out.size() == parameters.size(), out.size(), " states, ", parameters.size(), " parameters");
    for (size_t i = 0; i < out.size(); i++) {
        auto laid = laid_like(parameters[i], out[i], "state");
        if (!laid.is_same(out[i])) out[i].set_data(laid);
    }
    return out;
}

ct_status ct_sgd_step(ct_tensors parameters, ct_tensors gradients, ct_tensors momenta, ct_sgd o) {
    return shim::guarded([&] {
        if (parameters.count == 0) return;
        at::NoGradGuard guard;
        auto p = checked_parameters(parameters);
        auto g = gradients_for(p, gradients);
        std::vector<at::Tensor> m;
        if (o.momentum != 0) m = state_for(p, momenta);
        at::_fused_sgd_(p, g, m, o.weight_decay, o.momentum, o.rate, o.dampening, o.nesterov, false,
                        o.first_step);
    });
}

ct_status ct_adam_step(ct_tensors parameters, ct_tensors gradients, ct_tensors means, ct_tensors squares,
                       ct_tensors steps, ct_adam o) {
    return shim::guarded([&] {
        if (parameters.count == 0) return;
        at::NoGradGuard guard;
        auto p = checked_parameters(parameters);
        auto g = gradients_for(p, gradients);
        auto m = state_for(p, means), v = state_for(p, squares);
        auto s = list(steps);
        TORCH_CHECK(s.size() == p.size(), s.size(), " step counts, ", p.size(), " parameters");
        for (auto &count : s)
            TORCH_CHECK(count.dim() == 0 && count.scalar_type() == at::kFloat, "a step count is a float32 scalar");
        at::_foreach_add_(s, 1);
        if (o.decoupled)
            at::_fused_adamw_(p, g, m, v, {}, s, o.rate, o.beta1, o.beta2, o.weight_decay, o.eps, false, false);
        else
            at::_fused_adam_(p, g, m, v, {}, s, o.rate, o.beta1, o.beta2, o.weight_decay, o.eps, false, false);
    });
}

// targets += weight · (sources − targets)
ct_status ct_lerp(ct_tensors targets, ct_tensors sources, double weight) {
    return shim::guarded([&] {
        TORCH_CHECK(targets.count == sources.count, targets.count, " targets, ", sources.count, " sources");
        if (targets.count == 0) return;
        at::NoGradGuard guard;
        at::_foreach_lerp_(list(targets), list(sources), weight);
    });
}

ct_status ct_clip_norm(ct_tensors gradients, double limit, double *norm) {
    return shim::guarded([&] {
        *norm = 0;
        if (gradients.count == 0) return;
        at::NoGradGuard guard;
        auto g = list(gradients);
        *norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(g, 2))).item().toDouble();
        // PyTorch's rule, so that clipped runs can be compared.
        double factor = limit / (*norm + 1e-6);
        if (factor < 1) at::_foreach_mul_(g, factor);
    });
}
