extension ONNXGraph {
    /// The weights of a graph as whole numbers of 8 bits, and what they stand for.
    public struct Quantised: Sendable {
        public var graph: ONNXGraph
        /// The float32 values that the graph computes with instead of the original ones, by the name of the
        /// tensor.
        public var weights: [String: [Float]]
        /// Bytes of weights and constants before and after.
        public var bytesBefore: Int
        public var bytesAfter: Int
    }

    /// This graph with the weights of its convolutions, linear layers and tables of embeddings as int8,
    /// about a quarter of the bytes.
    ///
    /// Symmetric and per output channel (of a table: per row): s_c = max |w_c| / 127, q = round(w / s_c),
    /// and the operator sees s_c q, by `DequantizeLinear` in front of it. Only weights are rounded;
    /// activations and sums stay float32, so no samples are needed to calibrate anything. Biases, batch norms
    /// and tensors of fewer than `least` values stay as they are.
    public func quantised(least: Int = 256) -> Quantised {
        var result = Quantised(graph: self, weights: [:], bytesBefore: 0, bytesAfter: 0)
        result.bytesBefore = initialisers.reduce(0) { $0 + $1.bytes.count }
        let tensors = Dictionary(
            initialisers.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
        let uses = nodes.flatMap(\.inputs)
        var nodes: [ONNXNode] = []
        var replaced: [String: [ONNXTensor]] = [:]
        for node in self.nodes {
            // The input that is the weight, and how many others there are.
            let place = ["Conv": 1, "Gemm": 1, "Gather": 0][node.kind]
            guard let place, place < node.inputs.count, let weight = tensors[node.inputs[place]],
                let values = weight.floats, values.count >= least,
                uses.count(where: { $0 == weight.name }) == 1, let rows = weight.shape.first
            else {
                nodes.append(node)
                continue
            }
            let rounded = Rounded(values, rows: rows)
            let (ints, scales) = ("\(weight.name).int8", "\(weight.name).scale")
            result.weights[weight.name] = rounded.values
            let isTable = node.kind == "Gather"
            replaced[weight.name] = [
                ONNXTensor(ints, int8s: rounded.ints, shape: weight.shape),
                ONNXTensor(scales, floats: rounded.scales, shape: isTable ? [rows, 1] : [rows]),
            ]
            if isTable {
                // The rows first: the whole table would be multiplied for every batch.
                let (row, cast, scale) = (
                    "\(weight.name).rows", "\(weight.name).floats", "\(weight.name).scales"
                )
                let axis = ["axis": ONNXAttribute.int(0)]
                nodes += [
                    ONNXNode("Gather", [ints, node.inputs[1]], [row], axis),
                    ONNXNode("Cast", [row], [cast], ["to": .int(ONNXElement.float.rawValue)]),
                    ONNXNode("Gather", [scales, node.inputs[1]], [scale], axis),
                    ONNXNode("Mul", [cast, scale], node.outputs),
                ]
            } else {
                nodes.append(
                    ONNXNode(
                        "DequantizeLinear", [ints, scales], [weight.name], ["axis": .int(0)]))
                nodes.append(node)
            }
        }
        result.graph.nodes = nodes
        result.graph.initialisers = initialisers.flatMap { replaced[$0.name] ?? [$0] }
        result.bytesAfter = result.graph.initialisers.reduce(0) { $0 + $1.bytes.count }
        return result
    }

    /// Rows of values as whole numbers from −127 to 127 and a scale each.
    private struct Rounded {
        var ints: [Int8] = []
        var scales: [Float] = []
        /// What they stand for.
        var values: [Float] = []

        init(_ values: [Float], rows: Int) {
            let width = values.count / rows
            ints.reserveCapacity(values.count)
            self.values.reserveCapacity(values.count)
            for row in 0..<rows {
                let slice = values[row * width..<(row + 1) * width]
                let largest = slice.reduce(0) { max($0, abs($1)) }
                // A row of zeros, or of numbers too small to divide, is zeros with any scale.
                let scale = largest / 127 >= .leastNormalMagnitude ? largest / 127 : 1
                scales.append(scale)
                for value in slice {
                    let whole = max(-127, min(127, (value / scale).rounded(.toNearestOrEven)))
                    ints.append(Int8(whole))
                    self.values.append(whole * scale)
                }
            }
        }
    }
}
