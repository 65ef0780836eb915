import Diagnostics
import Files
import Foundation
import Protobuf
import Testing

@testable import ONNX

/// The linear layer of `Fixtures/gemm.onnx`, which another writer made and ONNX's own checker passed.
func gemm() -> ONNXModel {
    var graph = ONNXGraph(name: "limbeck")
    graph.inputs = [ONNXValue("input", .float, [.free("batch"), .fixed(2)])]
    graph.initialisers = [
        ONNXTensor("w", floats: [1, 2, 3, 4], shape: [2, 2]),
        ONNXTensor("b", floats: [0.5, -0.5], shape: [2]),
    ]
    graph.nodes = [ONNXNode("Gemm", ["input", "w", "b"], ["logits"], ["transB": .int(1)])]
    graph.outputs = [ONNXValue("logits", .float, [.free("batch"), .fixed(2)])]
    return ONNXModel(graph, producerVersion: "1.0", metadata: [("classes", "a,b")])
}

func fixture() throws -> [UInt8] {
    try readFile(Bundle.module.path(forResource: "Fixtures/gemm", ofType: "onnx")!)
}

private func sentence(_ body: () throws(Problem) -> Void) -> String? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}

struct ONNXTests {
    @Test func bytesEqualThoseOfAnotherWriter() throws {
        #expect(try gemm().encoded() == fixture())
    }

    @Test func whatWasWrittenIsRead() throws {
        #expect(try ONNXModel(bytes: fixture(), name: "x") == gemm())
        var graph = ONNXGraph(name: "all kinds")
        graph.inputs = [ONNXValue("x", .uint8, [.free("batch"), .fixed(3)])]
        graph.initialisers = [
            ONNXTensor("i", ints: [.min, -1, .max], shape: [3]),
            ONNXTensor("q", int8s: [-128, 127], shape: [2, 1]),
            ONNXTensor("scalar", floats: [.infinity], shape: []),
            ONNXTensor("empty", .bool, shape: [0], bytes: []),
        ]
        graph.nodes = [
            ONNXNode(
                "Clip", ["x", "", "scalar"], ["y"],
                [
                    "axis": .int(-1), "pads": .ints([0, 1, -2]), "epsilon": .float(1e-5),
                    "mode": .text("floor"),
                ])
        ]
        graph.outputs = [ONNXValue("y", .float, [])]
        let model = ONNXModel(graph, metadata: [("a", "ä\n"), ("", "")])
        let read = try ONNXModel(bytes: model.encoded(), name: "x")
        #expect(read == model)
        #expect(read.graph.initialisers[0].ints == [.min, -1, .max])
        #expect(read.graph.initialisers[2].floats == [.infinity])
        #expect(read.value(of: "a") == "ä\n")
    }

    /// Other writers pack lists of whole numbers.
    @Test func packedListsAreRead() throws {
        var file = ProtobufWriter()
        file.message(7) { graph in
            graph.message(5) { tensor in
                tensor.data(1, [2, 1])
                tensor.integer(2, ONNXElement.int8.rawValue)
                tensor.text(8, "q")
                tensor.data(9, [255, 1])
            }
            graph.message(12) {
                $0.text(1, "q")
                $0.message(2) { $0.message(1) { $0.integer(1, 3) } }
            }
        }
        let read = try ONNXModel(bytes: file.bytes, name: "x")
        #expect(read.graph.initialisers == [ONNXTensor("q", int8s: [-1, 1], shape: [2, 1])])
    }

    @Test func graphsThatAreNoneAreRefused() {
        func refusal(_ change: (inout ONNXGraph) -> Void) -> String? {
            var model = gemm()
            change(&model.graph)
            return sentence { () throws(Problem) in _ = try model.encoded() }
        }
        let incomplete = "the graph of the network is incomplete: found "
        #expect(
            refusal { $0.nodes[0].inputs[1] = "v" }
                == incomplete + "Gemm uses \"v\", which nothing before it makes")
        #expect(
            refusal { $0.nodes[0].outputs = ["w"] }
                == incomplete + "the result \"w\" has no name of its own")
        #expect(refusal { $0.outputs = [] } == incomplete + "no output")
        #expect(
            refusal { $0.outputs[0].name = "none" }
                == incomplete + "nothing makes the output \"none\"")
    }

    @Test func everyCutIsRefusedOrStillWhole() throws {
        let bytes = try fixture()
        for length in 0..<bytes.count {
            let cut = Array(bytes.prefix(length))
            // Between two outer fields a file may end; then only what stands last is missing.
            if let model = try? ONNXModel(bytes: cut, name: "x") {
                #expect(model.graph == gemm().graph)
            }
        }
        #expect(
            sentence { () throws(Problem) in
                _ = try ONNXModel(bytes: Array(bytes.prefix(60)), name: "x.onnx")
            }
                == "x.onnx, byte 17: not an ONNX file of Limbeck: found a field of 170 bytes where 41 "
                + "are left")
    }

    /// Whatever a byte is changed to, reading ends, with a model or with a problem.
    @Test func everyByteMayChange() throws {
        let bytes = try fixture()
        for i in bytes.indices {
            for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff, bytes[i] ^ 1, bytes[i] ^ 8] {
                var changed = bytes
                changed[i] = value
                _ = try? ONNXModel(bytes: changed, name: "x")
            }
        }
    }

    @Test func numbersOfTheWire() throws {
        var writer = ProtobufWriter()
        writer.integer(1, 300)
        writer.integer(1, -1)
        writer.double(2, 1.5)
        #expect(
            writer.bytes == [8, 0xac, 2, 8] + [UInt8](repeating: 0xff, count: 9) + [1, 17]
                + [0, 0, 0, 0, 0, 0, 0xf8, 0x3f])
        var reader = ProtobufReader(writer.bytes)
        #expect(try reader.next()?.value.integer == 300)
        #expect(try reader.next()?.value.integer == -1)
        #expect(try reader.next()?.value.double == 1.5)
        let end = try reader.next()
        #expect(end.map(\.number) == nil)
        var long = ProtobufReader([8] + [UInt8](repeating: 0xff, count: 9) + [2])
        #expect(throws: ProtobufReader.Malformed.self) { try long.next() }
    }
}
