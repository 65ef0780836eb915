import Diagnostics
import Foundation
import Neural
import SafeTensors
import TestSupport
import Testing
import Torch

@testable import Models

/// Networks that have shapes only: what a file is compared with before anything is made.
@Suite(.takesTurns) struct ShapeTests {
    private static let odd = [
        ModelSpec(name: "mlp", hidden: []), ModelSpec(name: "resnet20", width: 0.3),
        ModelSpec(name: "fasttext", width: 0.5, buckets: 100),
        ModelSpec(name: "charcnn", width: 0.1, length: 200),
        ModelSpec(name: "residual-mlp", hidden: [20]),
    ]

    @Test func theyAreThoseOfTheNetwork() throws {
        try withNoLeaks { () throws in
            for spec in ModelRegistry.names.map({ ModelSpec(name: $0) }) + Self.odd
            where !["vgg16-bn", "resnet34", "wrn-28-10"].contains(spec.name)
                && spec != ModelSpec(name: "residual-mlp")
            {
                let shape = ["fasttext", "charcnn"].contains(spec.name) ? [1, 1024] : [3, 32, 32]
                let made = try ModelRegistry.make(spec, sampleShape: shape, classes: 5, seed: 1)
                let seen = try ModelRegistry.shapes(of: spec, sampleShape: shape, classes: 5)
                #expect(made.state.map(\.name) == seen.state.map(\.name))
                #expect(made.state.map(\.tensor.shape) == seen.state.map(\.tensor.shape))
                #expect(made.state.map(\.tensor.dtype) == seen.state.map(\.tensor.dtype))
            }
        }
    }

    /// Small files that claim networks of many gigabytes: refused, and none of it is allocated.
    @Test(arguments: [
        (ModelSpec(name: "mlp", hidden: Array(repeating: 4000, count: 64)), [4], 3),
        (ModelSpec(name: "mlp", hidden: [8]), [65_536], 1000),
        (ModelSpec(name: "fasttext", buckets: 1 << 24), [1, 65_536], 3),
        (ModelSpec(name: "charcnn", width: 4, length: 65_000), [1, 65_536], 100_000),
        (ModelSpec(name: "wrn-100-20", width: 4), [3, 32, 32], 3),
        (ModelSpec(name: "vgg16-bn", width: 4), [3, 4096, 4096], 100_000),
    ])
    func claims(_ spec: ModelSpec, _ shape: [Int], _ classes: Int) throws {
        try withNoLeaks { () throws in
            let weights = ["layers.0.weight": Tensor.zeros([8, 4])]
            let before = peakMemory()
            let problem = #expect(throws: Problem.self) {
                try ModelRegistry.make(
                    spec, sampleShape: shape, classes: classes, weights: weights, source: "w")
            }
            #expect(problem?.kind == .data)
            #expect(problem?.description.contains("the weights do not fit the network") == true)
            #expect(peakMemory() - before < 1 << 30)
        }
    }

    /// Bytes.
    private func peakMemory() -> Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return Int(usage.ru_maxrss) << 10
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }

    @Test func weightsAreFinite() throws {
        try withNoLeaks { () throws in
            var writer = SafeTensorsWriter()
            writer.add("a", floats: [1, 2], shape: [2])
            writer.add("b", doubles: [1, 1e300], shape: [2])
            let file = try SafeTensorsFile(bytes: writer.encoded(), name: "w.safetensors")
            let problem = #expect(throws: Problem.self) {
                try WeightsFile.finiteTensors(of: file)
            }
            #expect(
                problem?.description
                    == #"w.safetensors, tensor "b", element 1: a weight that is not finite: expected finite float32 numbers (the network diverged in training, or the file is damaged)"#
            )
        }
    }
}
