#include "shim.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

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

namespace {

// Values whose derivative was computed beside them: backward is one product.
struct Attach : torch::autograd::Function<Attach> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                              const at::Tensor &values, const at::Tensor &gradient) {
        (void)input;  // Here only so that the result depends on it.
        context->save_for_backward({gradient.detach()});
        return values.detach();
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list upstream) {
        // The given gradient is a constant to autograd: a second derivative would silently be wrong.
        TORCH_CHECK(!at::GradMode::is_enabled(),
                    "a loss with a given gradient cannot be differentiated twice");
        auto gradient = context->get_saved_variables()[0];
        auto shape = upstream[0].sizes().vec();
        shape.resize(static_cast<size_t>(gradient.dim()), 1);
        return {gradient * upstream[0].reshape(shape), at::Tensor(), at::Tensor()};
    }
};

at::Tensor attach(const at::Tensor &input, const at::Tensor &values, const at::Tensor &gradient) {
    TORCH_CHECK(gradient.sizes() == input.sizes(), "the gradient's shape ", gradient.sizes(),
                " is not the input's, ", input.sizes());
    TORCH_CHECK(values.dim() <= input.dim() && values.sizes() == input.sizes().slice(0, values.dim()),
                "the values' shape ", values.sizes(), " does not begin the input's, ", input.sizes());
    return Attach::apply(input, values, gradient);
}

}  // namespace

ct_status ct_attach(ct_tensor input, ct_tensor values, ct_tensor gradient, ct_tensor *out) {
    CT_RESULT(attach(get(input), get(values), get(gradient)));
}
