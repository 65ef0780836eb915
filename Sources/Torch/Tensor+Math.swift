import CTorch

// Element-wise operators. Shapes broadcast as in PyTorch.

extension Tensor {
    private func unary(_ op: Int, _ name: StaticString) -> Tensor {
        Tensor.make(name, self) { ct_unary(Int32(op), handle, $0) }
    }
    private func binary(_ op: Int, _ other: Tensor, _ name: StaticString) -> Tensor {
        Tensor.make(name, self, other) { ct_binary(Int32(op), handle, other.handle, $0) }
    }
    private func binary(_ op: Int, _ other: Double, _ name: StaticString) -> Tensor {
        Tensor.make(name, self, attributes: ["other": .number(other)]) {
            ct_binary_scalar(Int32(op), handle, other, $0)
        }
    }

    public func exp() -> Tensor { unary(CT_EXP, "exp") }
    public func log() -> Tensor { unary(CT_LOG, "log") }
    /// log(1 + x), exact near 0.
    public func log1p() -> Tensor { unary(CT_LOG1P, "log1p") }
    /// exp(x) − 1, exact near 0.
    public func expm1() -> Tensor { unary(CT_EXPM1, "expm1") }
    public func sqrt() -> Tensor { unary(CT_SQRT, "sqrt") }
    public func rsqrt() -> Tensor { unary(CT_RSQRT, "rsqrt") }
    public func abs() -> Tensor { unary(CT_ABS, "abs") }
    public func sign() -> Tensor { unary(CT_SIGN, "sign") }
    public func floor() -> Tensor { unary(CT_FLOOR, "floor") }
    public func squared() -> Tensor { unary(CT_SQUARE, "squared") }
    public func reciprocal() -> Tensor { unary(CT_RECIPROCAL, "reciprocal") }
    public func sin() -> Tensor { unary(CT_SIN, "sin") }
    public func cos() -> Tensor { unary(CT_COS, "cos") }
    public func erf() -> Tensor { unary(CT_ERF, "erf") }
    public func sigmoid() -> Tensor { unary(CT_SIGMOID, "sigmoid") }
    public func logSigmoid() -> Tensor { unary(CT_LOG_SIGMOID, "logSigmoid") }
    public func tanh() -> Tensor { unary(CT_TANH, "tanh") }
    public func relu() -> Tensor { unary(CT_RELU, "relu") }
    /// min(max(x, 0), 6)
    public func relu6() -> Tensor { unary(CT_RELU6, "relu6") }
    /// The exact form, with erf.
    public func gelu() -> Tensor { unary(CT_GELU, "gelu") }
    public func silu() -> Tensor { unary(CT_SILU, "silu") }
    public func softplus() -> Tensor { unary(CT_SOFTPLUS, "softplus") }
    public func leakyRelu(_ slope: Double = 0.01) -> Tensor {
        Tensor.make("leakyRelu", self, attributes: ["slope": .number(slope)]) {
            ct_leaky_relu(handle, slope, $0)
        }
    }

    public func pow(_ exponent: Double) -> Tensor { binary(CT_POW, exponent, "pow") }
    public func pow(_ exponent: Tensor) -> Tensor { binary(CT_POW, exponent, "pow") }
    public func maximum(_ other: Tensor) -> Tensor { binary(CT_MAXIMUM, other, "maximum") }
    public func minimum(_ other: Tensor) -> Tensor { binary(CT_MINIMUM, other, "minimum") }

    /// Cut to [low, high]; a bound that is `nil` is open.
    public func clamped(_ low: Double?, _ high: Double?) -> Tensor {
        Tensor.make("clamped", self) { out in
            withOptionalPointer(to: low) { low in
                withOptionalPointer(to: high) { high in ct_clamp(handle, low, high, out) }
            }
        }
    }

    public static func + (a: Tensor, b: Tensor) -> Tensor { a.binary(CT_ADD, b, "+") }
    public static func - (a: Tensor, b: Tensor) -> Tensor { a.binary(CT_SUB, b, "-") }
    public static func * (a: Tensor, b: Tensor) -> Tensor { a.binary(CT_MUL, b, "*") }
    public static func / (a: Tensor, b: Tensor) -> Tensor { a.binary(CT_DIV, b, "/") }
    public static func + (a: Tensor, b: Double) -> Tensor { a.binary(CT_ADD, b, "+") }
    public static func - (a: Tensor, b: Double) -> Tensor { a.binary(CT_SUB, b, "-") }
    public static func * (a: Tensor, b: Double) -> Tensor { a.binary(CT_MUL, b, "*") }
    public static func / (a: Tensor, b: Double) -> Tensor { a.binary(CT_DIV, b, "/") }
    public static func + (a: Double, b: Tensor) -> Tensor { b + a }
    public static func - (a: Double, b: Tensor) -> Tensor { (-b) + a }
    public static func * (a: Double, b: Tensor) -> Tensor { b * a }
    public static func / (a: Double, b: Tensor) -> Tensor { b.reciprocal() * a }
    public static prefix func - (a: Tensor) -> Tensor { a.unary(CT_NEG, "-") }

    // Comparisons give bool tensors. They are methods: `==` on tensors invites mistakes.
    public func equal(_ other: Tensor) -> Tensor { binary(CT_EQ, other, "equal") }
    public func equal(_ other: Double) -> Tensor { binary(CT_EQ, other, "equal") }
    public func notEqual(_ other: Tensor) -> Tensor { binary(CT_NE, other, "notEqual") }
    public func notEqual(_ other: Double) -> Tensor { binary(CT_NE, other, "notEqual") }
    public func less(_ other: Tensor) -> Tensor { binary(CT_LT, other, "less") }
    public func less(_ other: Double) -> Tensor { binary(CT_LT, other, "less") }
    public func lessOrEqual(_ other: Tensor) -> Tensor { binary(CT_LE, other, "lessOrEqual") }
    public func lessOrEqual(_ other: Double) -> Tensor { binary(CT_LE, other, "lessOrEqual") }
    public func greater(_ other: Tensor) -> Tensor { binary(CT_GT, other, "greater") }
    public func greater(_ other: Double) -> Tensor { binary(CT_GT, other, "greater") }
    public func greaterOrEqual(_ other: Tensor) -> Tensor { binary(CT_GE, other, "greaterOrEqual") }
    public func greaterOrEqual(_ other: Double) -> Tensor { binary(CT_GE, other, "greaterOrEqual") }
    public func and(_ other: Tensor) -> Tensor { binary(CT_AND, other, "and") }
    public func or(_ other: Tensor) -> Tensor { binary(CT_OR, other, "or") }
    public func not() -> Tensor { unary(CT_NOT, "not") }
    /// Bool: neither infinite nor not-a-number.
    public func isFinite() -> Tensor { unary(CT_IS_FINITE, "isFinite") }

    /// `a` where `condition` (bool) holds, else `b`.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
        make("where", condition, a, b) { ct_where(condition.handle, a.handle, b.handle, $0) }
    }

    /// [n, k] × [k, m], or batched over leading dimensions.
    public func matmul(_ other: Tensor) -> Tensor {
        Tensor.make("matmul", self, other) { ct_matmul(handle, other.handle, $0) }
    }

    /// beta · self + alpha · a × b
    public func addingProduct(_ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1)
        -> Tensor
    {
        Tensor.make("addingProduct", self, a, b) {
            ct_addmm(handle, a.handle, b.handle, beta, alpha, $0)
        }
    }

    /// The x with self × x = b, for a symmetric positive definite matrix [n, n] and b [n, k]; by
    /// Cholesky's factors. Another matrix is an error of the engine.
    public func choleskySolve(_ b: Tensor) -> Tensor {
        Tensor.make("choleskySolve", self, b) { ct_cholesky_solve(handle, b.handle, $0) }
    }

    /// The singular values of a matrix [M, N], falling: [min(M, N)]. Their gradients are u_k v_kᵀ; of equal
    /// ones these are not determined, and one of many is taken.
    public func singularValues() -> Tensor { unary(CT_SINGULAR_VALUES, "singularValues") }
}

/// A pointer to the value, or none: optional scalars across the C boundary.
private func withOptionalPointer<Value, Result>(
    to value: Value?, _ body: (UnsafePointer<Value>?) -> Result
) -> Result {
    guard let value else { return body(nil) }
    return withUnsafePointer(to: value) { body($0) }
}
