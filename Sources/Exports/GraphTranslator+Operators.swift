import Diagnostics
import ONNX
import Torch

// One step of a recorded pass as operators of ONNX, version 17.

extension GraphTranslator {
    /// - Returns: the name of the result.
    mutating func translate(_ step: RecordedOperator) throws(Problem) -> String {
        let x = try name(of: step.inputs[0])
        if let kind = GraphTranslator.elementwise[step.name] {
            return add(kind, [x] + (try others(step)))
        }
        switch step.name {
        case "contiguous", "cloned", "detached", "channelsLast": return x
        case "to": return try cast(x, step)
        case "-":
            return step.inputs.count + step.attributes.count == 1
                ? add("Neg", [x]) : add("Sub", [x] + (try others(step)))
        case "relu6":
            return add(
                "Clip", [x, constant("low", floats: [0], []), constant("high", floats: [6], [])])
        case "silu": return add("Mul", [x, add("Sigmoid", [x])])
        case "gelu":
            let erf = add(
                "Erf", [add("Mul", [x, constant("number", floats: [Float(0.5).squareRoot()], [])])])
            let one = add("Add", [erf, constant("number", floats: [1], [])])
            return add("Mul", [add("Mul", [x, constant("number", floats: [0.5], [])]), one])
        case "leakyRelu":
            return add("LeakyRelu", [x], ["alpha": .float(Float(try number("slope", step)))])
        case "linear":
            guard step.inputs[0].rank == 2 else { throw refused(step, "of rank 2 only") }
            return add("Gemm", [x] + (try others(step)), ["transB": .int(1)])
        case "matmul": return add("MatMul", [x] + (try others(step)))
        case "convolution": return try convolution(x, step)
        case "batchNorm": return try batchNorm(x, step)
        case "maxPool1d", "maxPool2d", "avgPool2d": return try pool(x, step)
        case "adaptiveAvgPool2d": return try adaptiveMean(x, step)
        case "flattened":
            guard try integer("from", step) == 1 else { throw refused(step, "from 1 only") }
            return add("Flatten", [x], ["axis": .int(1)])
        case "concatenated":
            let dim = try dimension(step)
            return add("Concat", [x] + (try others(step)), ["axis": .int(dim)])
        case "permuted":
            let order = try integers("order", step)
            guard order.first == 0 else { throw refused(step, "that keep samples in their places") }
            return add("Transpose", [x], ["perm": .ints(order)])
        case "unsqueezed", "squeezed":
            let dim = try integer("dim", step)
            guard dim > 0 else { throw refused(step, "behind the samples only") }
            return add(
                step.name == "squeezed" ? "Squeeze" : "Unsqueeze",
                [x, constant("axes", ints: [dim], [1])])
        case "narrowed": return try narrowed(x, step)
        case "meanOfRows": return try meanOfRows(x, step)
        default: throw .notExportable("the operator \(step.name)")
        }
    }

    /// Operators that mean the same in both, element by element.
    private static let elementwise = [
        "+": "Add", "*": "Mul", "/": "Div", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh",
        "softplus": "Softplus", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "abs": "Abs",
        "erf": "Erf", "reciprocal": "Reciprocal", "maximum": "Max", "minimum": "Min",
        "equal": "Equal", "greater": "Greater", "less": "Less", "greaterOrEqual": "GreaterOrEqual",
        "lessOrEqual": "LessOrEqual", "and": "And", "or": "Or", "not": "Not",
    ]

    /// The inputs behind the first, and the number that stands in place of the second.
    private mutating func others(_ step: RecordedOperator) throws(Problem) -> [String] {
        var names: [String] = []
        for tensor in step.inputs.dropFirst() { names.append(try name(of: tensor)) }
        if case .number(let other)? = step.attributes["other"] {
            names.append(constant("number", floats: [Float(other)], []))
        }
        return names
    }

    private mutating func cast(_ x: String, _ step: RecordedOperator) throws(Problem) -> String {
        guard case .text(let type)? = step.attributes["type"] else { return x }
        guard let element = GraphTranslator.elements[type] else {
            throw .notExportable("values of type \(type)")
        }
        if step.inputs[0].dtype == step.output?.dtype { return x }
        return add("Cast", [x], ["to": .int(element.rawValue)])
    }

    private static let elements: [String: ONNXElement] = [
        "float32": .float, "int64": .int64, "uint8": .uint8, "int32": .int32, "bool": .bool,
    ]

    private mutating func convolution(_ x: String, _ step: RecordedOperator) throws(Problem)
        -> String
    {
        let pads = try integers("padding", step)
        return add(
            "Conv", [x] + (try others(step)),
            [
                "kernel_shape": .ints(Array(step.inputs[1].shape.dropFirst(2))),
                "strides": .ints(try integers("stride", step)), "pads": .ints(pads + pads),
                "dilations": .ints(try integers("dilation", step)),
                "group": .int(try integer("groups", step)),
            ])
    }

    /// ONNX always wants γ and β.
    private mutating func batchNorm(_ x: String, _ step: RecordedOperator) throws(Problem) -> String
    {
        let affine = try integer("affine", step) == 1
        guard try integer("training", step) == 0, step.inputs.count == (affine ? 5 : 3) else {
            throw refused(step, "of running statistics only")
        }
        var names = try others(step)
        if !affine {
            let count = step.inputs[1].count
            names =
                [
                    constant("ones", floats: [Float](repeating: 1, count: count), [count]),
                    constant("zeros", floats: [Float](repeating: 0, count: count), [count]),
                ] + names
        }
        return add(
            "BatchNormalization", [x] + names,
            ["epsilon": .float(Float(try number("epsilon", step)))])
    }

    private mutating func pool(_ x: String, _ step: RecordedOperator) throws(Problem) -> String {
        let count = step.name == "maxPool1d" ? 1 : 2
        func each(_ key: String, _ times: Int) throws(Problem) -> ONNXAttribute {
            .ints([Int](repeating: try integer(key, step), count: times))
        }
        var attributes = [
            "kernel_shape": try each("kernel", count), "strides": try each("stride", count),
            "pads": try each("padding", 2 * count),
        ]
        if case .int(1)? = step.attributes["ceil"] {
            // What a mean over a window that stands out divides by has changed between versions.
            guard step.name != "avgPool2d" else { throw refused(step, "without ceil only") }
            attributes["ceil_mode"] = .int(1)
        }
        guard step.name == "avgPool2d" else { return add("MaxPool", [x], attributes) }
        attributes["count_include_pad"] = .int(1)
        return add("AveragePool", [x], attributes)
    }

    /// The mean of the whole map, of equal windows, or of windows that overlap: the last by a product
    /// with a matrix for each side, because ONNX has no such operator.
    private mutating func adaptiveMean(_ x: String, _ step: RecordedOperator) throws(Problem)
        -> String
    {
        let (height, width) = (try integer("height", step), try integer("width", step))
        let shape = step.inputs[0].shape
        if height == 1, width == 1 { return add("GlobalAveragePool", [x]) }
        let (rows, columns) = (shape[2], shape[3])
        if rows % height == 0, columns % width == 0 {
            let kernel = ONNXAttribute.ints([rows / height, columns / width])
            return add("AveragePool", [x], ["kernel_shape": kernel, "strides": kernel])
        }
        let left = constant(
            "rows", floats: GraphTranslator.means(of: rows, to: height), [height, rows])
        // Its transpose, because it stands behind.
        let means = GraphTranslator.means(of: columns, to: width)
        let turned = (0..<columns).flatMap { c in (0..<width).map { means[$0 * columns + c] } }
        let right = constant("columns", floats: turned, [columns, width])
        return add("MatMul", [add("MatMul", [left, x]), right])
    }

    /// The matrix [`outputs`, `inputs`] of means over the windows ⌊i n/m⌋ ..< ⌈(i + 1) n/m⌉.
    private static func means(of inputs: Int, to outputs: Int) -> [Float] {
        (0..<outputs).flatMap { i in
            let window = i * inputs / outputs..<((i + 1) * inputs + outputs - 1) / outputs
            return (0..<inputs).map { window.contains($0) ? 1 / Float(window.count) : 0 }
        }
    }

    private mutating func narrowed(_ x: String, _ step: RecordedOperator) throws(Problem) -> String
    {
        let (start, count) = (try integer("start", step), try integer("count", step))
        let dim = try dimension(step)
        if start == 0, count == step.inputs[0].shape[dim] { return x }
        return add(
            "Slice",
            [
                x, constant("starts", ints: [start], [1]),
                constant("ends", ints: [start + count], [1]),
                constant("axes", ints: [dim], [1]),
            ])
    }

    /// The mean of the rows that a list of numbers names, without those of the padding.
    private mutating func meanOfRows(_ ids: String, _ step: RecordedOperator) throws(Problem)
        -> String
    {
        let padding = try integer("padding", step)
        guard padding >= 0 else { throw refused(step, "with padding only") }
        let rows = add("Gather", [try name(of: step.inputs[1]), ids], ["axis": .int(0)])
        let isPadding = add("Equal", [ids, constant("padding", ints: [padding], [])])
        let counts = add(
            "Cast", [add("Not", [isPadding])], ["to": .int(ONNXElement.float.rawValue)])
        let axes = constant("axes", ints: [1], [1])
        let mask = add("Unsqueeze", [counts, constant("axes", ints: [2], [1])])
        let sum = add("ReduceSum", [add("Mul", [rows, mask]), axes], ["keepdims": .int(0)])
        let count = add("ReduceSum", [mask, axes], ["keepdims": .int(0)])
        return add("Div", [sum, add("Max", [count, constant("number", floats: [1], [])])])
    }

    // MARK: Attributes

    private func integer(_ key: String, _ step: RecordedOperator) throws(Problem) -> Int {
        guard case .int(let value)? = step.attributes[key] else { throw untold(step, key) }
        return value
    }

    private func integers(_ key: String, _ step: RecordedOperator) throws(Problem) -> [Int] {
        guard case .ints(let values)? = step.attributes[key] else { throw untold(step, key) }
        return values
    }

    private func number(_ key: String, _ step: RecordedOperator) throws(Problem) -> Double {
        guard case .number(let value)? = step.attributes[key] else { throw untold(step, key) }
        return value
    }

    /// Any but that of the samples, whose number is free.
    private func dimension(_ step: RecordedOperator) throws(Problem) -> Int {
        let dim = try integer("dim", step)
        let own = dim < 0 ? dim + step.inputs[0].rank : dim
        guard own > 0 else { throw refused(step, "behind the samples only") }
        return own
    }

    private func untold(_ step: RecordedOperator, _ key: String) -> Problem {
        .notExportable("the operator \(step.name), which does not tell its \(key)")
    }

    private func refused(_ step: RecordedOperator, _ what: String) -> Problem {
        .notExportable("the operator \(step.name), which can be exported \(what)")
    }
}
