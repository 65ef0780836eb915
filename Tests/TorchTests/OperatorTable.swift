import Torch

/// How each case of the fixture is computed with the Torch target: inputs in, outputs out. The first
/// output is the one that is differentiated.
///
/// A case is called `operator:variant`, as in scripts/fixtures/torch_ops.py.
struct OperatorTable: Sendable {
    typealias Compute = @Sendable ([Tensor]) -> [Tensor]
    private(set) var cases: [String: Compute] = [:]

    mutating func add(_ name: String, _ compute: @escaping Compute) {
        precondition(cases.updateValue(compute, forKey: name) == nil, "\(name) is there twice")
    }

    mutating func one(_ name: String, _ compute: @escaping @Sendable ([Tensor]) -> Tensor) {
        add(name) { [compute($0)] }
    }

    /// The same function under several variants.
    mutating func unary(
        _ operation: String, _ variants: [String] = ["matrix", "odd"],
        _ compute: @escaping @Sendable (Tensor) -> Tensor
    ) {
        for variant in variants { one("\(operation):\(variant)") { compute($0[0]) } }
    }

    mutating func binary(
        _ operation: String, _ variants: [String],
        _ compute: @escaping @Sendable (Tensor, Tensor) -> Tensor
    ) {
        for variant in variants { one("\(operation):\(variant)") { compute($0[0], $0[1]) } }
    }

    static let all: OperatorTable = {
        var table = OperatorTable()
        table.addMath()
        table.addComparisons()
        table.addReductions()
        table.addShapes()
        table.addConvolutions()
        table.addNetworks()
        return table
    }()

    static let names = all.cases.keys.sorted()
}

extension OperatorTable {
    mutating func addMath() {
        unary("exp") { $0.exp() }
        unary("expm1") { $0.expm1() }
        unary("abs") { $0.abs() }
        unary("sign") { $0.sign() }
        unary("floor") { $0.floor() }
        unary("squared") { $0.squared() }
        unary("sin") { $0.sin() }
        unary("cos") { $0.cos() }
        unary("erf") { $0.erf() }
        unary("sigmoid") { $0.sigmoid() }
        unary("logSigmoid") { $0.logSigmoid() }
        unary("tanh") { $0.tanh() }
        unary("relu") { $0.relu() }
        unary("gelu") { $0.gelu() }
        unary("silu") { $0.silu() }
        unary("softplus") { $0.softplus() }
        unary("-") { -$0 }
        unary("log") { $0.log() }
        unary("log1p") { $0.log1p() }
        unary("sqrt") { $0.sqrt() }
        unary("rsqrt") { $0.rsqrt() }
        unary("reciprocal") { $0.reciprocal() }
        unary("relu6", ["both-ends"]) { $0.relu6() }
        unary("leakyRelu", ["default"]) { $0.leakyRelu() }
        unary("leakyRelu", ["slope"]) { $0.leakyRelu(0.2) }
        unary("pow", ["cube"]) { $0.pow(3) }
        unary("pow", ["half"]) { $0.pow(0.5) }
        binary("pow", ["tensor"]) { $0.pow($1) }
        binary("maximum", ["broadcast"]) { $0.maximum($1) }
        binary("minimum", ["broadcast"]) { $0.minimum($1) }
        unary("clamped", ["both"]) { $0.clamped(-0.5, 0.7) }
        unary("clamped", ["low"]) { $0.clamped(-0.5, nil) }
        unary("clamped", ["high"]) { $0.clamped(nil, 0.5) }
        let shapes = ["same", "row", "column", "rank-0"]
        binary("+", shapes) { $0 + $1 }
        binary("-", shapes) { $0 - $1 }
        binary("*", shapes) { $0 * $1 }
        binary("/", shapes) { $0 / $1 }
        unary("+", ["scalar-right"]) { $0 + 1.7 }
        unary("-", ["scalar-right"]) { $0 - 1.7 }
        unary("*", ["scalar-right"]) { $0 * 1.7 }
        unary("/", ["scalar-right"]) { $0 / 1.7 }
        unary("+", ["scalar-left"]) { 1.7 + $0 }
        unary("-", ["scalar-left"]) { 1.7 - $0 }
        unary("*", ["scalar-left"]) { 1.7 * $0 }
        unary("/", ["scalar-left"]) { 1.7 / $0 }
        one("where:broadcast") { Tensor.where($0[0], $0[1], $0[2]) }
        binary("matmul", ["matrices", "vector", "batched", "broadcast"]) { $0.matmul($1) }
        one("addingProduct:scaled") { $0[0].addingProduct($0[1], $0[2], beta: 0.5, alpha: -2) }
        one("addingProduct:broadcast") { $0[0].addingProduct($0[1], $0[2]) }
    }

    mutating func addComparisons() {
        binary("equal", ["tensor"]) { $0.equal($1) }
        binary("notEqual", ["tensor"]) { $0.notEqual($1) }
        binary("less", ["tensor"]) { $0.less($1) }
        binary("lessOrEqual", ["tensor"]) { $0.lessOrEqual($1) }
        binary("greater", ["tensor"]) { $0.greater($1) }
        binary("greaterOrEqual", ["tensor"]) { $0.greaterOrEqual($1) }
        unary("equal", ["scalar"]) { $0.equal(1) }
        unary("notEqual", ["scalar"]) { $0.notEqual(1) }
        unary("less", ["scalar"]) { $0.less(1) }
        unary("lessOrEqual", ["scalar"]) { $0.lessOrEqual(1) }
        unary("greater", ["scalar"]) { $0.greater(1) }
        unary("greaterOrEqual", ["scalar"]) { $0.greaterOrEqual(1) }
        binary("and", ["broadcast"]) { $0.and($1) }
        binary("or", ["broadcast"]) { $0.or($1) }
        unary("not", ["odd"]) { $0.not() }
        unary("isFinite", ["special"]) { $0.isFinite() }
    }

    mutating func addReductions() {
        unary("sum", ["all"]) { $0.sum() }
        unary("sum", ["last-kept"]) { $0.sum(-1, keep: true) }
        unary("sum", ["two"]) { $0.sum(0, 2) }
        unary("sum", ["empty"]) { $0.sum(0) }
        unary("mean", ["all"]) { $0.mean() }
        unary("mean", ["last-kept"]) { $0.mean(-1, keep: true) }
        unary("mean", ["two"]) { $0.mean(0, 2) }
        unary("max", ["all"]) { $0.max() }
        unary("max", ["last-kept"]) { $0.max(-1, keep: true) }
        unary("max", ["two"]) { $0.max(0, 2) }
        unary("min", ["all"]) { $0.min() }
        unary("min", ["last-kept"]) { $0.min(-1, keep: true) }
        unary("min", ["two"]) { $0.min(0, 2) }
        unary("logSumExp", ["all"]) { $0.logSumExp() }
        unary("logSumExp", ["last-kept"]) { $0.logSumExp(-1, keep: true) }
        unary("logSumExp", ["two"]) { $0.logSumExp(0, 2) }
        unary("norm", ["all"]) { $0.norm() }
        unary("norm", ["last-kept"]) { $0.norm(-1, keep: true) }
        unary("norm", ["two"]) { $0.norm(0, 2) }
        unary("variance", ["all"]) { $0.variance() }
        unary("variance", ["last-kept"]) { $0.variance(-1, keep: true) }
        unary("variance", ["two"]) { $0.variance(0, 2) }
        unary("variance", ["biased"]) { $0.variance(0, unbiased: false) }
        unary("any", ["rows"]) { $0.any(1) }
        unary("any", ["everything"]) { $0.any() }
        unary("all", ["rows"]) { $0.all(1) }
        unary("all", ["everything"]) { $0.all() }
        unary("argmax", ["last"]) { $0.argmax() }
        unary("argmax", ["ties-kept"]) { $0.argmax(0, keep: true) }
        unary("softmax", ["last", "large"]) { $0.softmax() }
        unary("softmax", ["channels"]) { $0.softmax(1) }
        unary("logSoftmax", ["last"]) { $0.logSoftmax() }
        unary("logSoftmax", ["first"]) { $0.logSoftmax(0) }
        let pair = { @Sendable (pair: (values: Tensor, indices: Tensor)) in
            [pair.values, pair.indices]
        }
        add("topK:last") { pair($0[0].topK(3)) }
        add("topK:first") { pair($0[0].topK(2, 0)) }
        add("sorted:rising") { pair($0[0].sorted()) }
        add("sorted:falling-ties") { pair($0[0].sorted(0, descending: true)) }
        unary("cumulativeSum", ["rows"]) { $0.cumulativeSum(1) }
        unary("cumulativeSum", ["first"]) { $0.cumulativeSum(0) }
    }
}
