import Diagnostics
import ONNX
import Torch

/// Computes an ONNX graph with the engine's operators, to check what was written: it knows the file and
/// nothing of the network that the file was made from.
///
/// It has the operators that exports consist of, no others.
public struct GraphRunner {
    private let graph: ONNXGraph
    private let constants: [String: Tensor]

    /// - Throws: a `Problem` for tensors of types that are not used here.
    public init(_ graph: ONNXGraph) throws(Problem) {
        self.graph = graph
        var constants: [String: Tensor] = [:]
        for tensor in graph.initialisers {
            guard let dtype = GraphRunner.types[tensor.element] else {
                throw .notInRunner("the tensor \(tensor.name)")
            }
            constants[tensor.name] = Tensor(bytes: tensor.bytes, tensor.shape, dtype: dtype)
        }
        self.constants = constants
    }

    private static let types: [ONNXElement: DType] = [
        .float: .float32, .uint8: .uint8, .int8: .int8, .int32: .int32, .int64: .int64,
        .bool: .bool,
    ]

    /// The first output for the one input.
    public func callAsFunction(_ input: Tensor) throws(Problem) -> Tensor {
        var values = constants
        values[graph.inputs[0].name] = input
        for node in graph.nodes {
            var inputs: [Tensor?] = []
            for name in node.inputs {
                guard !name.isEmpty else {
                    inputs.append(nil)
                    continue
                }
                guard let value = values[name] else { throw .notInRunner("no value \(name)") }
                inputs.append(value)
            }
            values[node.outputs[0]] = try Step(node: node, inputs: inputs).result()
        }
        guard let output = values[graph.outputs[0].name] else {
            throw .notInRunner("no value \(graph.outputs[0].name)")
        }
        return output
    }
}

/// One operator and what it is applied to.
private struct Step {
    let node: ONNXNode
    let inputs: [Tensor?]

    func result() throws(Problem) -> Tensor {
        let x = try input(0)
        switch node.kind {
        case "Identity": return x
        case "Add": return x + (try input(1))
        case "Sub": return x - (try input(1))
        case "Mul": return x * (try input(1))
        case "Div": return x / (try input(1))
        case "Neg": return -x
        case "Max": return x.maximum(try input(1))
        case "Min": return x.minimum(try input(1))
        case "Equal": return x.equal(try input(1))
        case "Greater": return x.greater(try input(1))
        case "Less": return x.less(try input(1))
        case "GreaterOrEqual": return x.greaterOrEqual(try input(1))
        case "LessOrEqual": return x.lessOrEqual(try input(1))
        case "And": return x.and(try input(1))
        case "Or": return x.or(try input(1))
        case "Not": return x.not()
        case "Relu": return x.relu()
        case "Sigmoid": return x.sigmoid()
        case "Tanh": return x.tanh()
        case "Softplus": return x.softplus()
        case "Erf": return x.erf()
        case "Exp": return x.exp()
        case "Log": return x.log()
        case "Sqrt": return x.sqrt()
        case "Abs": return x.abs()
        case "Reciprocal": return x.reciprocal()
        case "LeakyRelu": return x.leakyRelu(Double(try float("alpha")))
        case "Clip": return x.clamped(try input(1).item, try input(2).item)
        case "Cast": return try cast(x)
        case "Flatten":
            guard try int("axis") == 1 else { throw unknown() }
            return x.flattened(from: 1)
        case "Softmax": return x.softmax(try int("axis"))
        case "Concat":
            return .concatenated(inputs.compactMap(\.self), try int("axis"))
        case "Transpose": return x.permuted(try ints("perm"))
        case "Unsqueeze": return x.unsqueezed(try numbers(1)[0])
        case "Squeeze": return x.squeezed(try numbers(1)[0])
        case "Slice":
            let (start, end, dim) = (try numbers(1)[0], try numbers(2)[0], try numbers(3)[0])
            return x.narrowed(dim, from: start, count: end - start)
        case "ReduceSum": return x.sum(try numbers(1)[0], keep: try int("keepdims") == 1)
        case "MatMul": return x.matmul(try input(1))
        case "Gemm":
            guard try int("transB") == 1 else { throw unknown() }
            return linear(x, try input(1), inputs.count > 2 ? inputs[2] : nil)
        case "Gather": return try gather(x)
        case "Conv": return try convolution(x)
        case "BatchNormalization":
            return batchNorm(
                x, weight: try input(1), bias: try input(2), runningMean: try input(3),
                runningVariance: try input(4), training: false,
                eps: Double(try float("epsilon")))
        case "MaxPool", "AveragePool": return try pool(x)
        case "GlobalAveragePool": return x.mean(2, 3, keep: true)
        case "DequantizeLinear": return try dequantised(x)
        default: throw unknown()
        }
    }

    private func cast(_ x: Tensor) throws(Problem) -> Tensor {
        switch ONNXElement(rawValue: try int("to")) {
        case .float: return x.to(.float32)
        case .int64: return x.to(.int64)
        default: throw unknown()
        }
    }

    /// Rows of a table by a list of any shape.
    private func gather(_ table: Tensor) throws(Problem) -> Tensor {
        let ids = try input(1)
        guard try int("axis") == 0 else { throw unknown() }
        let rows = table.indexed(0, by: ids.reshaped([-1]))
        return rows.reshaped(ids.shape + table.shape.dropFirst())
    }

    private func convolution(_ x: Tensor) throws(Problem) -> Tensor {
        let pads = try ints("pads")
        let half = Array(pads.prefix(pads.count / 2))
        guard pads == half + half else { throw unknown() }
        return Torch.convolution(
            x, try input(1), inputs.count > 2 ? inputs[2] : nil, stride: try ints("strides"),
            padding: half, dilation: try ints("dilations"), groups: try int("group"))
    }

    private func pool(_ x: Tensor) throws(Problem) -> Tensor {
        let (kernel, stride) = (try ints("kernel_shape"), try ints("strides"))
        let pads = node.attributes["pads"] == nil ? [0, 0, 0, 0] : try ints("pads")
        let ceil = node.attributes["ceil_mode"] == .int(1)
        guard Set(pads).count == 1 else { throw unknown() }
        if node.kind == "MaxPool" {
            guard Set(kernel).count == 1, Set(stride).count == 1 else { throw unknown() }
            return kernel.count == 1
                ? maxPool1d(x, kernel: kernel[0], stride: stride[0], padding: pads[0])
                : maxPool2d(x, kernel: kernel[0], stride: stride[0], padding: pads[0], ceil: ceil)
        }
        if kernel == stride, pads[0] == 0 {
            // Windows that need not be square.
            return adaptiveAvgPool2d(
                x, height: x.shape[2] / kernel[0], width: x.shape[3] / kernel[1])
        }
        guard Set(kernel).count == 1, Set(stride).count == 1 else { throw unknown() }
        return avgPool2d(x, kernel: kernel[0], stride: stride[0], padding: pads[0])
    }

    /// A scale for each slice of dimension 0, or one for all.
    private func dequantised(_ x: Tensor) throws(Problem) -> Tensor {
        let scale = try input(1)
        guard scale.rank == 1 else { return x.to(.float32) * scale }
        guard try int("axis") == 0 else { throw unknown() }
        return x.to(.float32)
            * scale.reshaped([scale.count] + [Int](repeating: 1, count: x.rank - 1))
    }

    // MARK: Inputs and attributes

    private func input(_ place: Int) throws(Problem) -> Tensor {
        guard place < inputs.count, let value = inputs[place] else { throw unknown() }
        return value
    }

    private func numbers(_ place: Int) throws(Problem) -> [Int] { try input(place).ints() }

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

    private func unknown() -> Problem {
        .notInRunner("\(node.kind) of \(node.inputs.joined(separator: ", "))")
    }
}
