import Testing

@testable import ONNX

struct Int8Tests {
    /// Numbers that are their scale times a whole number stay; others move by half a scale at most.
    @Test func weightsAreRoundedByRows() throws {
        var graph = gemm().graph
        graph.initialisers[0] = ONNXTensor("w", floats: [127, -64, 0.5, 0.1], shape: [2, 2])
        let quantised = graph.quantised(least: 4)
        #expect(
            quantised.graph.nodes.map(\.kind) == ["DequantizeLinear", "Gemm"]
                && quantised.graph.nodes[0].outputs == ["w"])
        let tensors = Dictionary(
            uniqueKeysWithValues: quantised.graph.initialisers.map { ($0.name, $0) })
        #expect(tensors["w.int8"]?.bytes.map { Int8(bitPattern: $0) } == [127, -64, 127, 25])
        #expect(tensors["w.scale"]?.floats == [1, 0.5 / 127])
        #expect(tensors["w"] == nil && tensors["b"] != nil)
        let values = try #require(quantised.weights["w"])
        #expect(values[0] == 127 && values[1] == -64 && abs(values[3] - 0.1) <= 0.25 / 127)
        #expect(quantised.bytesBefore == 24 && quantised.bytesAfter == 4 + 8 + 8)
        try quantised.graph.check()
        #expect(
            try ONNXModel(bytes: ONNXModel(quantised.graph).encoded(), name: "x").graph
                == quantised.graph)
    }

    @Test func smallTensorsAndBiasesStay() {
        #expect(gemm().graph.quantised().graph == gemm().graph)
    }

    @Test func rowsOfZerosAndOfTinyNumbers() throws {
        var graph = gemm().graph
        graph.initialisers[0] = ONNXTensor("w", floats: [0, 0, 1e-40, -1e-42], shape: [2, 2])
        let values = try #require(graph.quantised(least: 1).weights["w"])
        #expect(values == [0, 0, 0, 0])
    }

    /// Of a table only the rows that are looked up are multiplied.
    @Test func tablesAreRoundedByRows() throws {
        var graph = ONNXGraph(name: "table")
        graph.inputs = [ONNXValue("ids", .int64, [.free("batch"), .free("length")])]
        graph.initialisers = [ONNXTensor("t", floats: [1, 2, 4, -4], shape: [2, 2])]
        graph.nodes = [ONNXNode("Gather", ["t", "ids"], ["rows"], ["axis": .int(0)])]
        graph.outputs = [ONNXValue("rows", .float, [.free("batch"), .free("length"), .fixed(2)])]
        let quantised = graph.quantised(least: 1).graph
        #expect(quantised.nodes.map(\.kind) == ["Gather", "Cast", "Gather", "Mul"])
        #expect(quantised.nodes.last?.outputs == ["rows"])
        #expect(quantised.initialisers[1].shape == [2, 1])
        try quantised.check()
    }
}

struct PyTorchSourceTests {
    @Test func aLinearLayerWrittenOut() throws {
        var graph = gemm().graph
        graph.initialisers.append(ONNXTensor("constant.mean", floats: [0.1, 1e-7], shape: [1, 2]))
        graph.nodes.insert(
            ONNXNode("Sub", ["input", "constant.mean"], ["sub_1"]), at: 0)
        graph.nodes[1].inputs[0] = "sub_1"
        let source = try PyTorchSource(graph, state: ["w", "b", "other"], title: "A title.")
        #expect(source.weights == ["w", "b"])
        #expect(
            source.text == #"""
                """A title."""

                import torch
                import torch.nn.functional as F

                CONSTANT_MEAN = torch.tensor([0.1, 1e-07]).reshape(1, 2)


                def forward(x, w):
                    """From a batch `x` and the weights `w`, by name, to logits."""
                    sub_1 = x - CONSTANT_MEAN.to(x.device)
                    logits = F.linear(sub_1, w["w"], w["b"])
                    return logits

                """#)
    }

    @Test func operatorsWithoutPythonAreRefused() {
        var graph = gemm().graph
        graph.nodes[0].kind = "LSTM"
        #expect(throws: (any Error).self) {
            try PyTorchSource(graph, state: ["w", "b"], title: "")
        }
    }
}
