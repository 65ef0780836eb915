// Operators that search for images needs: a window per sample, and batch norm that tells what it saw.
#include "shim.hpp"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>

using shim::get;
using shim::maybe;

namespace {

constexpr auto kLast = at::MemoryFormat::ChannelsLast;

// Copies between an image and its window, pixel by pixel where both have one: into the window, or back.
template <typename Scalar>
void move_window(const Scalar *from, Scalar *to, const at::Tensor &changes, at::IntArrayRef sizes,
                 bool back) {
    auto [n, c, h, w] = std::make_tuple(sizes[0], sizes[1], sizes[2], sizes[3]);
    const int64_t *change = changes.const_data_ptr<int64_t>();
    at::parallel_for(0, n, 16, [&, n = n, c = c, h = h, w = w](int64_t begin, int64_t end) {
        (void)n;
        for (int64_t sample = begin; sample < end; sample++) {
            auto [down, right, flipped] =
                std::make_tuple(change[3 * sample], change[3 * sample + 1], change[3 * sample + 2] != 0);
            const Scalar *source = from + sample * c * h * w;
            Scalar *target = to + sample * c * h * w;
            // Columns of the window that lie inside the image.
            int64_t first = std::max<int64_t>(0, flipped ? right : -right);
            int64_t last = std::min<int64_t>(w, flipped ? w + right : w - right);
            if (first >= last) continue;
            for (int64_t i = std::max<int64_t>(0, -down); i < std::min(h, h - down); i++) {
                int64_t inside = (i + down) * w;
                if (!flipped) {
                    int64_t a = (inside + first + right) * c, b = (i * w + first) * c;
                    std::memcpy(target + (back ? a : b), source + (back ? b : a),
                                static_cast<size_t>((last - first) * c) * sizeof(Scalar));
                    continue;
                }
                for (int64_t j = first; j < last; j++) {
                    int64_t a = (inside + w - 1 - j + right) * c, b = (i * w + j) * c;
                    for (int64_t k = 0; k < c; k++)
                        target[(back ? a : b) + k] = source[(back ? b : a) + k];
                }
            }
        }
    });
}

at::Tensor moved(const at::Tensor &x, const at::Tensor &changes, bool back) {
    auto source = x.contiguous(kLast);
    auto out = at::zeros_like(source, source.options(), kLast);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "window", [&] {
        move_window<scalar_t>(source.const_data_ptr<scalar_t>(), out.mutable_data_ptr<scalar_t>(), changes,
                              source.sizes(), back);
    });
    return out;
}

struct Window : torch::autograd::Function<Window> {
    static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x,
                              const at::Tensor &changes) {
        context->save_for_backward({changes});
        return moved(x, changes, false);
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list upstream) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "a window cannot be differentiated twice");
        return {moved(upstream[0], context->get_saved_variables()[0], true), at::Tensor()};
    }
};

at::Tensor window(const at::Tensor &x, const at::Tensor &changes) {
    TORCH_CHECK(x.dim() == 4, "expected images [N, C, H, W]");
    TORCH_CHECK(changes.scalar_type() == at::kLong && changes.dim() == 2 && changes.size(0) == x.size(0) &&
                    changes.size(1) == 3 && changes.is_contiguous(),
                "expected one row (down, right, flipped) of int64 per image");
    return Window::apply(x, changes);
}

// Batch norm by the running statistics, together with the mean and biased variance of its input:
//   y = s (x − μ) + β,  m = mean x,  v = mean (x − m)²    per channel, s = γ / √(σ² + ε)
//   ∂L/∂x = s ∂L/∂y + (∂L/∂m + 2 (x − m) ∂L/∂v) / n
struct Probed : torch::autograd::Function<Probed> {
    static torch::autograd::variable_list forward(
        torch::autograd::AutogradContext *context, const at::Tensor &x,
        const std::optional<at::Tensor> &weight, const std::optional<at::Tensor> &bias,
        const at::Tensor &mean, const at::Tensor &variance, double eps) {
        auto wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
        auto [seen, spread] = at::batch_norm_update_stats(wide, std::nullopt, std::nullopt, 0);
        auto y = at::batch_norm(x, weight, bias, mean, variance, false, 0, eps, true);
        auto scale = (variance + eps).rsqrt();
        if (weight.has_value()) scale = scale * weight->detach();
        context->save_for_backward({wide, scale, seen});
        context->saved_data["dtype"] = static_cast<int64_t>(x.scalar_type());
        return {y, seen, spread};
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list upstream) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "a probed batch norm cannot be differentiated twice");
        auto saved = context->get_saved_variables();
        const auto &x = saved[0], &scale = saved[1], &seen = saved[2];
        auto share = 1.0 / static_cast<double>(std::max<int64_t>(1, x.numel() / scale.numel()));
        auto slope = (upstream[2].defined() ? upstream[2] : at::zeros_like(seen)) * (2 * share);
        auto shift = (upstream[1].defined() ? upstream[1] : at::zeros_like(seen)) * share - slope * seen;
        auto above = (upstream[0].defined() ? upstream[0] : at::zeros_like(x)).to(x.scalar_type());
        auto type = static_cast<at::ScalarType>(context->saved_data["dtype"].toInt());
        auto none = at::Tensor();
        return {combined(x, above, scale, slope, shift).to(type), none, none, none, none, none};
    }

    // s g + a x + b per channel, in one pass where the channels are innermost.
    static at::Tensor combined(const at::Tensor &x, const at::Tensor &g, const at::Tensor &s,
                               const at::Tensor &a, const at::Tensor &b) {
        int64_t channels = s.numel();
        bool flat = x.scalar_type() == at::kFloat && x.is_cpu() &&
                    (x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(kLast));
        if (!flat) {
            std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
            shape[1] = channels;
            return g * s.reshape(shape) + x * a.reshape(shape) + b.reshape(shape);
        }
        auto above = x.dim() == 2 ? g.contiguous() : g.contiguous(kLast);
        auto out = at::empty_like(x);
        auto sc = s.contiguous(), ac = a.contiguous(), bc = b.contiguous();
        const float *xs = x.const_data_ptr<float>(), *gs = above.const_data_ptr<float>();
        const float *sp = sc.const_data_ptr<float>(), *ap = ac.const_data_ptr<float>(),
                    *bp = bc.const_data_ptr<float>();
        float *os = out.mutable_data_ptr<float>();
        at::parallel_for(0, x.numel() / channels, 1024, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; row++) {
                const float *xr = xs + row * channels, *gr = gs + row * channels;
                float *orow = os + row * channels;
                for (int64_t c = 0; c < channels; c++) orow[c] = sp[c] * gr[c] + (ap[c] * xr[c] + bp[c]);
            }
        });
        return out;
    }
};

}  // namespace

ct_status ct_window(ct_tensor x, ct_tensor changes, ct_tensor *out) {
    CT_RESULT(window(get(x), get(changes)));
}

ct_status ct_probed_batch_norm(ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor mean,
                               ct_tensor variance, double eps, ct_tensor *out) {
    return shim::guarded([&] {
        TORCH_CHECK(get(x).dim() >= 2 && get(x).size(1) == get(mean).numel(),
                    "the input's channels are not those of the running statistics");
        auto results = Probed::apply(get(x), maybe(weight), maybe(bias), get(mean), get(variance), eps);
        for (size_t i = 0; i < 3; i++) out[i] = shim::box(results[i]);
    });
}
