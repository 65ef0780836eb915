import Diagnostics
import Foundation
import Models
import Neural
import SafeTensors
import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct WeightsFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-weights-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    @Test(arguments: TinyNetwork.all) func comesBackAsItWas(_ tiny: TinyNetwork) throws {
        try withNoLeaks { () throws in
            try inFolder { folder in
                let (first, second) = (tiny.make(Generator(seed: 1)), tiny.make(Generator(seed: 2)))
                if tiny.shape.count == 4 { first.toChannelsLast() }
                _ = first(tiny.input, mode: .train(Generator(seed: 1)))
                let path = folder + "/w.safetensors"
                try WeightsFile.write(first.state, to: path, metadata: ["model": tiny.name])
                let metadata = try WeightsFile.load(path, into: second)
                #expect(metadata == ["model": tiny.name])
                #expect(
                    first.state.map { $0.tensor.bytes() } == second.state.map { $0.tensor.bytes() })
                let bytes = try WeightsFile.encoded(second.state, metadata: metadata)
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
            }
        }
    }

    @Test func everyElementType() throws {
        try withNoLeaks { () throws in
            let state = DType.allCases.map {
                (name: "\($0)", tensor: Tensor([0, 1, 1, 0] as [Float], [2, 2]).to($0))
            }
            let file = try SafeTensorsFile(bytes: WeightsFile.encoded(state), name: "memory")
            let tensors = try WeightsFile.tensors(of: file)
            #expect(tensors.count == DType.allCases.count)
            for (name, tensor) in state {
                #expect(tensors[name]?.dtype == tensor.dtype)
                #expect(tensors[name]?.shape == [2, 2])
                #expect(tensors[name]?.bytes() == tensor.bytes())
            }
        }
    }

    @Test func sentences() throws {
        try withNoLeaks { () throws in
            var writer = SafeTensorsWriter()
            writer.add("counts", .u32, shape: [1], bytes: [0, 0, 0, 0])
            let file = try SafeTensorsFile(bytes: writer.encoded(), name: "w.safetensors")
            let problem = #expect(throws: Problem.self) { try WeightsFile.tensors(of: file) }
            #expect(
                problem?.description
                    == "w.safetensors, tensor counts: numbers of a type that networks do not use: "
                    + "found U32, expected F32, F64, F16, BF16, I64, I32, I16, I8, U8 or BOOL")
        }
    }

    @Test func weightsOfAnotherNetworkAreRefused() throws {
        try withNoLeaks { () throws in
            try inFolder { folder in
                let path = folder + "/w.safetensors"
                try WeightsFile.write(TinyNetwork.all[3].make(Generator(seed: 1)).state, to: path)
                let other = TinyNetwork.all[4].make(Generator(seed: 1))
                let problem = #expect(throws: Problem.self) {
                    try WeightsFile.load(path, into: other)
                }
                #expect(problem?.place?.file == path)
                #expect(problem?.kind == .data)
            }
        }
    }
}
