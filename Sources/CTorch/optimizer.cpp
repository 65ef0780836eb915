#include "shim.hpp"

using shim::list;

ct_status ct_sgd_step(ct_tensors parameters, ct_tensors gradients, ct_tensors momenta, ct_sgd o) {
    CT_RUN(at::NoGradGuard guard;
           at::_fused_sgd_(list(parameters), list(gradients), list(momenta), o.weight_decay, o.momentum,
                           o.rate, o.dampening, o.nesterov, false, o.first_step));
}

ct_status ct_adam_step(ct_tensors parameters, ct_tensors gradients, ct_tensors means, ct_tensors squares,
                       ct_tensors steps, ct_adam o) {
    CT_RUN(at::NoGradGuard guard; auto s = list(steps); at::_foreach_add_(s, 1);
           if (o.decoupled) at::_fused_adamw_(list(parameters), list(gradients), list(means), list(squares),
                                              {}, s, o.rate, o.beta1, o.beta2, o.weight_decay, o.eps,
                                              false, false);
           else at::_fused_adam_(list(parameters), list(gradients), list(means), list(squares), {}, s,
                                 o.rate, o.beta1, o.beta2, o.weight_decay, o.eps, false, false));
}

// targets += weight · (sources − targets)
ct_status ct_lerp(ct_tensors targets, ct_tensors sources, double weight) {
    CT_RUN(at::NoGradGuard guard; at::_foreach_lerp_(list(targets), list(sources), weight));
}

ct_status ct_clip_norm(ct_tensors gradients, double limit, double *norm) {
    return shim::guarded([&] {
        at::NoGradGuard guard;
        auto g = list(gradients);
        auto norms = at::_foreach_norm(g, 2);
        *norm = at::linalg_vector_norm(at::stack(norms)).item().toDouble();
        if (*norm > limit) at::_foreach_mul_(g, limit / (*norm + 1e-6));
    });
}
