import Diagnostics
import Neural
import ONNX
import Torch

/// Makes an ONNX graph of what a network did in one forward pass.
///
/// There is no description of any network here: the layers and operators told an `OperatorRecorder` what
/// they did, and each step becomes one or a few operators of ONNX. A step that none of them says is
/// refused, and so is a network that looks at values on its way. Tensors that the pass did not compute from
/// its input are part of the file: weights under their names, whatever else as constants.
struct GraphTranslator {
    var graph: ONNXGraph
    /// Names of the values that depend on the input.
    private var values: [ObjectIdentifier: String] = [:]
    /// Names of the tensors of the file.
    private var initialisers: [ObjectIdentifier: String] = [:]
    private let stateNames: [ObjectIdentifier: String]
    /// Keeps what was named alive, so that no other tensor gets its identity.
    private var kept: [Tensor] = []
    private var counts: [String: Int] = [:]

    /// - Parameter state: weights and buffers of the network.
    init(name: String, state: [(name: String, tensor: Tensor)]) {
        graph = ONNXGraph(name: name)
        stateNames = Dictionary(
            state.map { (ObjectIdentifier($0.tensor), $0.name) }, uniquingKeysWith: { a, _ in a })
    }

    // MARK: Naming

    mutating func fresh(_ kind: String) -> String {
        let stem = kind.lowercased()
        counts[stem, default: 0] += 1
        return "\(stem)_\(counts[stem]!)"
    }

    /// Adds an operator with one result, whose name is returned.
    mutating func add(
        _ kind: String, _ inputs: [String], _ attributes: [String: ONNXAttribute] = [:]
    ) -> String {
        let output = fresh(kind)
        graph.nodes.append(ONNXNode(kind, inputs, [output], attributes))
        return output
    }

    /// A constant of the file; equal ones are one.
    mutating func constant(_ stem: String, floats values: [Float], _ shape: [Int]) -> String {
        add(ONNXTensor(stem, floats: values, shape: shape))
    }

    mutating func constant(_ stem: String, ints values: [Int], _ shape: [Int]) -> String {
        add(ONNXTensor(stem, ints: values, shape: shape))
    }

    private mutating func add(_ tensor: ONNXTensor) -> String {
        let stem = "constant_" + tensor.name
        var named = tensor
        for other in graph.initialisers where other.name.hasPrefix(stem) {
            named.name = other.name
            if named == other { return other.name }
        }
        counts[stem, default: 0] += 1
        named.name = counts[stem] == 1 ? stem : "\(stem)_\(counts[stem]!)"
        graph.initialisers.append(named)
        return named.name
    }

    /// The name of a tensor that a step uses.
    mutating func name(of tensor: Tensor) throws(Problem) -> String {
        let identity = ObjectIdentifier(tensor)
        if let name = values[identity] ?? initialisers[identity] { return name }
        kept.append(tensor)
        let stateName = stateNames[identity]
        guard [.float32, .int64].contains(tensor.dtype) else {
            throw .notExportable("a constant of type \(tensor.dtype)")
        }
        let name: String
        if let stateName {
            name = stateName
            graph.initialisers.append(
                ONNXTensor(
                    name, tensor.dtype == .float32 ? .float : .int64, shape: tensor.shape,
                    bytes: tensor.bytes()))
        } else if tensor.dtype == .float32 {
            name = constant("tensor", floats: tensor.floats(), tensor.shape)
        } else {
            name = constant("tensor", ints: tensor.ints(), tensor.shape)
        }
        initialisers[identity] = name
        return name
    }

    mutating func bind(_ tensor: Tensor, to name: String) {
        kept.append(tensor)
        values[ObjectIdentifier(tensor)] = name
    }

    // MARK: Translating

    /// Adds the steps of a pass whose input was bound to a name.
    ///
    /// - Returns: the name of `output`.
    mutating func translate(
        _ steps: [RecordedOperator], to output: Tensor
    ) throws(Problem) -> String {
        for step in steps {
            guard step.inputs.contains(where: { values[ObjectIdentifier($0)] != nil }) else {
                // Of constants only: its result is one, whose values are known.
                continue
            }
            guard let result = step.output else {
                throw .notExportable("the network looks at values or changes them (\(step.name))")
            }
            bind(result, to: try translate(step))
        }
        guard let name = values[ObjectIdentifier(output)] else {
            throw .notExportable("its output does not depend on its input by recorded operators")
        }
        return name
    }

    /// Gives a value another name everywhere.
    mutating func rename(_ old: String, to new: String) {
        for i in graph.nodes.indices {
            graph.nodes[i].inputs = graph.nodes[i].inputs.map { $0 == old ? new : $0 }
            graph.nodes[i].outputs = graph.nodes[i].outputs.map { $0 == old ? new : $0 }
        }
    }
}
