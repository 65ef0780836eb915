import Diagnostics
import Foundation

/// A graph as the source text of a Python module: the forward pass of the network, written out operator by
/// operator with PyTorch's functions. Together with the weights it runs anywhere PyTorch does.
public struct PyTorchSource: Sendable {
    /// The module; it defines one function `forward(x, w)`.
    public let text: String
    /// The tensors that it takes from `w`.
    public let weights: [String]

    /// - Parameters:
    ///   - graph: with one input and one output.
    ///   - state: names of the tensors that the weights file has; others stand in the module.
    ///   - title: a sentence for the head of the module.
    /// - Throws: a `Problem` (`.internal`) for an operator that is not known here.
    public init(
        _ graph: ONNXGraph, state: some Sequence<String>, title: String
    ) throws(Problem) {
        let state = Set(state)
        var used: [String] = []
        var constants: [(name: String, line: String)] = []
        var names: [String: String] = [graph.inputs[0].name: "x"]
        for tensor in graph.initialisers {
            if state.contains(tensor.name) {
                names[tensor.name] = "w[\"\(tensor.name)\"]"
                used.append(tensor.name)
            } else {
                let name = PyTorchSource.identifier(tensor.name).uppercased()
                names[tensor.name] = "\(name).to(x.device)"
                constants.append((name, "\(name) = \(try PyTorchSource.literal(tensor))\n"))
            }
        }
        var lines: [String] = []
        for node in graph.nodes {
            let own = PyTorchSource.identifier(node.outputs[0])
            names[node.outputs[0]] = own
            let line = PythonLine(node: node, names: names, graph: graph)
            lines.append("    \(own) = \(try line.text())")
        }
        let output = names[graph.outputs[0].name] ?? "x"
        // Axes and the like are written where they are used.
        let needed = constants.filter { constant in
            lines.contains { $0.contains("\(constant.name).to(") }
        }.map(\.line)
        text =
            "\"\"\"\(title)\"\"\"\n\nimport torch\nimport torch.nn.functional as F\n\n"
            + needed.joined() + (needed.isEmpty ? "" : "\n")
            + "\ndef forward(x, w):\n    \"\"\"From a batch `x` and the weights `w`, by name, to "
            + "\(graph.outputs[0].name).\"\"\"\n" + lines.map { $0 + "\n" }.joined()
            + "    return \(output)\n"
        weights = used
    }

    private static func identifier(_ name: String) -> String {
        String(
            name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" } as [Character])
    }

    private static func literal(_ tensor: ONNXTensor) throws(Problem) -> String {
        let shape = "(\(tensor.shape.map(String.init).joined(separator: ", ")))"
        if let values = tensor.floats {
            guard values.allSatisfy(\.isFinite) else { throw .notPython(tensor.name) }
            let list = values.map { "\($0)" }.joined(separator: ", ")
            return tensor.shape.isEmpty
                ? "torch.tensor(\(list))" : "torch.tensor([\(list)]).reshape\(shape)"
        }
        guard let values = tensor.ints else { throw .notPython(tensor.name) }
        let list = values.map(String.init).joined(separator: ", ")
        return tensor.shape.isEmpty
            ? "torch.tensor(\(list))" : "torch.tensor([\(list)]).reshape\(shape)"
    }
}

/// The right side of one operator.
private struct PythonLine {
    let node: ONNXNode
    let names: [String: String]
    let graph: ONNXGraph

    func text() throws(Problem) -> String {
        let x = try input(0)
        if let sign = PythonLine.signs[node.kind] { return "\(x) \(sign) \(try input(1))" }
        if let call = PythonLine.calls[node.kind] { return "\(call)(\(x))" }
        switch node.kind {
        case "Identity": return x
        case "Neg": return "-\(x)"
        case "Not": return "~\(x)"
        case "Max": return "torch.maximum(\(x), \(try input(1)))"
        case "Min": return "torch.minimum(\(x), \(try input(1)))"
        case "Reciprocal": return "1 / \(x)"
        case "LeakyRelu": return "F.leaky_relu(\(x), \(try float("alpha")))"
        case "Clip": return "torch.clamp(\(x), \(try input(1)), \(try input(2)))"
        case "Cast":
            let types = [1: "torch.float32", 7: "torch.int64"]
            guard let type = types[try int("to")] else { throw unknown() }
            return "\(x).to(\(type))"
        case "Flatten": return "\(x).flatten(\(try int("axis")))"
        case "Softmax": return "\(x).softmax(\(try int("axis")))"
        case "Concat":
            var parts: [String] = []
            for i in node.inputs.indices { parts.append(try input(i)) }
            return "torch.cat((\(parts.joined(separator: ", "))), \(try int("axis")))"
        case "Transpose": return "\(x).permute(\(list(try ints("perm"))))"
        case "Unsqueeze": return "\(x).unsqueeze(\(try numbers(1)[0]))"
        case "Squeeze": return "\(x).squeeze(\(try numbers(1)[0]))"
        case "Slice":
            let (start, end, dim) = (try numbers(1)[0], try numbers(2)[0], try numbers(3)[0])
            return "\(x).narrow(\(dim), \(start), \(end - start))"
        case "ReduceSum": return "\(x).sum(\(try numbers(1)[0]))"
        case "MatMul": return "\(x) @ \(try input(1))"
        case "Gemm": return "F.linear(\(x), \(try rest()))"
        case "Gather": return "F.embedding(\(try input(1)), \(x))"
        case "Conv":
            let (pads, strides) = (try ints("pads"), try ints("strides"))
            let padding = Array(pads.prefix(pads.count / 2))
            return "F.conv\(strides.count)d(\(x), \(try rest()), stride=(\(list(strides)),), "
                + "padding=(\(list(padding)),), dilation=(\(list(try ints("dilations"))),), "
                + "groups=\(try int("group")))"
        case "BatchNormalization":
            return "F.batch_norm(\(x), \(try input(3)), \(try input(4)), \(try input(1)), "
                + "\(try input(2)), eps=\(try float("epsilon")))"
        case "MaxPool":
            let (kernel, pads) = (try ints("kernel_shape"), try ints("pads"))
            let ceil = node.attributes["ceil_mode"] == .int(1) ? ", ceil_mode=True" : ""
            return "F.max_pool\(kernel.count)d(\(x), (\(list(kernel)),), "
                + "(\(list(try ints("strides"))),), (\(list(pads.prefix(kernel.count))),)\(ceil))"
        case "AveragePool":
            let kernel = try ints("kernel_shape")
            let pads = node.attributes["pads"] == nil ? [0, 0] : try ints("pads")
            return "F.avg_pool2d(\(x), (\(list(kernel)),), (\(list(try ints("strides"))),), "
                + "(\(list(pads.prefix(2))),))"
        case "GlobalAveragePool": return "\(x).mean((2, 3), keepdim=True)"
        default: throw unknown()
        }
    }

    private static let signs = [
        "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Equal": "==", "Greater": ">", "Less": "<",
        "GreaterOrEqual": ">=", "LessOrEqual": "<=", "And": "&", "Or": "|",
    ]
    private static let calls = [
        "Relu": "F.relu", "Sigmoid": "torch.sigmoid", "Tanh": "torch.tanh",
        "Softplus": "F.softplus", "Erf": "torch.erf", "Exp": "torch.exp", "Log": "torch.log",
        "Sqrt": "torch.sqrt", "Abs": "torch.abs",
    ]

    private func list(_ values: some Sequence<Int>) -> String {
        values.map(String.init).joined(separator: ", ")
    }

    private func input(_ place: Int) throws(Problem) -> String {
        guard place < node.inputs.count, let name = names[node.inputs[place]] else {
            throw unknown()
        }
        return name
    }

    /// All inputs behind the first.
    private func rest() throws(Problem) -> String {
        var parts: [String] = []
        for i in node.inputs.indices.dropFirst() { parts.append(try input(i)) }
        return parts.joined(separator: ", ")
    }

    /// Whole numbers of a tensor of the file.
    private func numbers(_ place: Int) throws(Problem) -> [Int] {
        guard place < node.inputs.count,
            let tensor = graph.initialisers.first(where: { $0.name == node.inputs[place] }),
            let ints = tensor.ints
        else { throw unknown() }
        return ints
    }

    private func int(_ name: String) throws(Problem) -> Int {
        guard case .int(let value)? = node.attributes[name] else { throw unknown() }
        return value
    }

    private func ints(_ name: String) throws(Problem) -> [Int] {
        guard case .ints(let values)? = node.attributes[name] else { throw unknown() }
        return values
    }

    private func float(_ name: String) throws(Problem) -> Float {
        guard case .float(let value)? = node.attributes[name] else { throw unknown() }
        return value
    }

    private func unknown() -> Problem { .notPython(node.kind) }
}

extension Problem {
    static func notPython(_ what: String) -> Problem {
        Problem(.internal, "no Python for this part of the network", found: oneLine(what))
    }
}
