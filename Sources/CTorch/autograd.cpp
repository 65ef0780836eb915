#include <torch/csrc/autograd/autograd.h>

#include "shim.hpp"

using shim::get;

bool ct_requires_grad(ct_tensor t) { return get(t).requires_grad(); }
ct_status ct_set_requires_grad(ct_tensor t, bool on) { CT_RUN(get(t).requires_grad_(on)); }

ct_status ct_gradient(ct_tensor t, ct_tensor *out) {
    CT_RUN(auto &g = get(t).grad(); *out = g.defined() ? shim::box(g) : nullptr);
}
ct_status ct_clear_gradient(ct_tensor t) { CT_RUN(get(t).mutable_grad().reset()); }
ct_status ct_backward(ct_tensor t) { CT_RUN(get(t).backward()); }

ct_status ct_grad(ct_tensor of, ct_tensors respect_to, ct_tensor seed, bool create_graph, bool retain,
                  ct_tensor *out) {
    return shim::guarded([&] {
        std::vector<at::Tensor> seeds;
        if (seed != nullptr) seeds.push_back(get(seed));
        auto grads = torch::autograd::grad({get(of)}, shim::list(respect_to), seeds,
                                           retain || create_graph, create_graph, true);
        for (size_t i = 0; i < grads.size(); i++)
            out[i] = grads[i].defined() ? shim::box(grads[i]) : nullptr;
    });
}
