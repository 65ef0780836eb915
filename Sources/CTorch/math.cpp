#include "shim.hpp"

using shim::get;

static at::Tensor unary(int op, const at::Tensor &a) {
    switch (op) {
        case CT_NEG: return a.neg();
        case CT_EXP: return a.exp();
        case CT_LOG: return a.log();
        case CT_LOG1P: return a.log1p();
        case CT_EXPM1: return a.expm1();
        case CT_SQRT: return a.sqrt();
        case CT_RSQRT: return a.rsqrt();
        case CT_ABS: return a.abs();
        case CT_SIGMOID: return a.sigmoid();
        case CT_TANH: return a.tanh();
        case CT_RELU: return a.relu();
        case CT_SIGN: return a.sign();
        case CT_FLOOR: return a.floor();
        case CT_GELU: return at::gelu(a);
        case CT_SILU: return at::silu(a);
        case CT_SOFTPLUS: return at::softplus(a);
        case CT_LOG_SIGMOID: return at::log_sigmoid(a);
        case CT_NOT: return a.logical_not();
        case CT_IS_FINITE: return a.isfinite();
        case CT_SIN: return a.sin();
        case CT_COS: return a.cos();
        case CT_ERF: return a.erf();
        case CT_RECIPROCAL: return a.reciprocal();
        case CT_SQUARE: return a.square();
        case CT_RELU6: return at::hardtanh(a, 0, 6);
        case CT_SINGULAR_VALUES: return at::linalg_svdvals(a);
    }
    TORCH_CHECK(false, "no such unary operator: ", op);
}

// `B` is a tensor or a scalar.
template <typename B>
static at::Tensor binary(int op, const at::Tensor &a, const B &b) {
    switch (op) {
        case CT_ADD: return a.add(b);
        case CT_SUB: return a.sub(b);
        case CT_MUL: return a.mul(b);
        case CT_DIV: return a.div(b);
        case CT_POW: return a.pow(b);
        case CT_EQ: return a.eq(b);
        case CT_NE: return a.ne(b);
        case CT_LT: return a.lt(b);
        case CT_LE: return a.le(b);
        case CT_GT: return a.gt(b);
        case CT_GE: return a.ge(b);
    }
    if constexpr (std::is_same_v<B, at::Tensor>) {
        switch (op) {
            case CT_MAXIMUM: return at::maximum(a, b);
            case CT_MINIMUM: return at::minimum(a, b);
            case CT_AND: return a.logical_and(b);
            case CT_OR: return a.logical_or(b);
        }
    }
    TORCH_CHECK(false, "no such binary operator: ", op);
}

ct_status ct_unary(int op, ct_tensor a, ct_tensor *out) { CT_RESULT(unary(op, get(a))); }
ct_status ct_binary(int op, ct_tensor a, ct_tensor b, ct_tensor *out) {
    CT_RESULT(binary(op, get(a), get(b)));
}
ct_status ct_binary_scalar(int op, ct_tensor a, double b, ct_tensor *out) {
    CT_RESULT(binary(op, get(a), at::Scalar(b)));
}
ct_status ct_clamp(ct_tensor a, const double *low, const double *high, ct_tensor *out) {
    return shim::guarded([&] {
        std::optional<at::Scalar> lo, hi;
        if (low != nullptr) lo = *low;
        if (high != nullptr) hi = *high;
        *out = shim::box(get(a).clamp(lo, hi));
    });
}
ct_status ct_leaky_relu(ct_tensor a, double slope, ct_tensor *out) {
    CT_RESULT(at::leaky_relu(get(a), slope));
}
ct_status ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_tensor *out) {
    CT_RESULT(at::where(get(condition), get(a), get(b)));
}
ct_status ct_matmul(ct_tensor a, ct_tensor b, ct_tensor *out) { CT_RESULT(get(a).matmul(get(b))); }
ct_status ct_addmm(ct_tensor c, ct_tensor a, ct_tensor b, double beta, double alpha, ct_tensor *out) {
    CT_RESULT(at::addmm(get(c), get(a), get(b), beta, alpha));
}
ct_status ct_cholesky_solve(ct_tensor a, ct_tensor b, ct_tensor *out) {
    CT_RESULT(at::cholesky_solve(get(b), at::linalg_cholesky(get(a))));
}
