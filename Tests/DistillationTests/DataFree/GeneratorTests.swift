import Foundation
import Neural
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Noisy layer and generator.
@Suite(.takesTurns) struct NoisyGeneratorTests {
    private func generator(
        _ shape: [Int] = [3, 10, 7], depth: ImageGenerator.Depth = .shallow, samples: Int = 7,
        blockSize: Int = 3
    ) -> NoisyGenerator {
        NoisyGenerator(
            .init(shape: shape, code: 5, width: 4, depth: depth), inputs: 6, samples: samples,
            blockSize: blockSize, generator: Generator(seed: 3))
    }

    /// Forward and every gradient against PyTorch, with a last block that is not full and an image that
    /// is cut out of a larger one.
    @Test func isPyTorchs() throws {
        try withNoLeaks {
            let fixture = try dataFreeFixture()
            let generator = generator()
            try load(generator, from: fixture, "generator.initial.")
            let labels = try fixture.tensor("generator.labels")
            let inputs = try fixture.tensor("generator.embeddings").indexed(0, by: labels)
            let images = generator(inputs, mode: .train(Generator(seed: 0)))
            try fixture.expect(images, is: "generator.images", tolerance: 1e-5)
            (images * (try fixture.tensor("generator.upstream"))).sum().backward()
            for (name, parameter) in generator.parameters {
                try fixture.expect(
                    parameter.gradient, is: "generator.grad.\(name)", tolerance: 2e-4)
            }
        }
    }

    @Test func shapesOfAnySize() throws {
        try withNoLeaks {
            for (shape, depth, stem) in [
                ([1, 8, 8], .shallow, [2, 2]), ([1, 28, 28], .shallow, [7, 7]),
                ([3, 13, 30], .shallow, [4, 8]), ([3, 32, 32], .shallow, [8, 8]),
                ([1, 1, 3], .shallow, [1, 1]), ([3, 33, 20], .deep, [3, 2]),
            ] as [([Int], ImageGenerator.Depth, [Int])] {
                let generator = generator(shape, depth: depth)
                #expect(generator.body.configuration.stem == stem)
                let images = generator(values(1, [7, 6]), mode: .train(Generator(seed: 0)))
                #expect(images.shape == [7] + shape)
                #expect(images.min().item >= 0 && images.max().item <= 1)
            }
        }
    }

    /// ⌈B/K⌉ layers, in blocks of consecutive samples.
    @Test func blocksAreSharedByConsecutiveSamples() throws {
        try withNoLeaks {
            for (samples, blockSize, blocks) in [(7, 3, 3), (6, 3, 2), (2, 10, 1), (4, 1, 4)] {
                let layer = NoisyLayer(
                    inputs: 6, outputs: 5, samples: samples, blockSize: blockSize,
                    generator: Generator(seed: 3))
                #expect(layer.blocks == blocks)
                #expect(layer.weight.tensor.shape == [blocks, 5, 6])
                let x = values(2, [samples, 6])
                let out = layer(x, mode: .train(Generator(seed: 0)))
                // Batch norm by hand, then a product for each sample with its block's weights.
                let centred = x - x.mean(0)
                let n = centred / (x.variance(0, unbiased: false) + 1e-5).sqrt()
                for sample in 0..<samples {
                    let weight = layer.weight.tensor.selected(0, sample / blockSize)
                    let expected = weight.matmul(n.selected(0, sample).unsqueezed(1)).squeezed(1)
                    try expectClose(out.selected(0, sample), expected, 1e-5, "sample \(sample)")
                }
            }
        }
    }

    /// Noise is N(0, 1), biases are 0, and nothing else of the generator changes.
    @Test func redrawingChangesTheNoiseAlone() throws {
        try withNoLeaks {
            let generator = NoisyGenerator(
                .init(shape: [1, 8, 8], code: 200, width: 4, depth: .shallow), inputs: 100,
                samples: 10, blockSize: 5, generator: Generator(seed: 3))
            withoutGradient { generator.noise.bias.tensor.fill(3) }
            let before = generator.state.map { ($0.name, $0.tensor.bytes()) }
            generator.noise.resample(Generator(seed: 11))
            let changed = zip(before, generator.state).filter { $0.0.1 != $0.1.tensor.bytes() }
                .map(\.0.0)
            #expect(changed == ["noise.weight", "noise.bias"])
            #expect(generator.noise.bias.tensor.abs().max().item == 0)
            let weight = generator.noise.weight.tensor  // 40,000 numbers
            #expect(abs(weight.mean().item) < 0.02)  // 4 standard errors
            #expect(abs(weight.variance().item - 1) < 0.03)
            let again = weight.bytes()
            generator.noise.resample(Generator(seed: 11))
            #expect(weight.bytes() == again)
            generator.noise.resample(Generator(seed: 12))
            #expect(weight.bytes() != again)
        }
    }

    @Test func labelsComeInBlocksOfAllClasses() {
        var draw = Draw(seed: 1, .tests)
        let labels = orderedLabels(11, classes: 4) { draw.below(4) }
        #expect(Array(labels.prefix(8)) == [0, 1, 2, 3, 0, 1, 2, 3])
        #expect(labels.count == 11 && labels.allSatisfy { (0..<4).contains($0) })
        #expect(orderedLabels(2, classes: 4) { 3 } == [3, 3])
    }

    /// Names and sizes, so that no parameter is forgotten.
    @Test func state() throws {
        try withNoLeaks {
            let names = generator().state.map { "\($0.name) \($0.tensor.shape)" }
            let body = [
                "body.l1.weight [48, 5]", "body.l1.bias [48]", "body.bn1.weight [8]",
                "body.bn1.bias [8]", "body.bn1.running_mean [8]", "body.bn1.running_var [8]",
                "body.bn1.num_batches_tracked []", "body.stages.0.conv.weight [8, 8, 3, 3]",
            ]
            #expect(names.prefix(5).contains("noise.norm.weight [6]"))
            #expect(names.contains("noise.weight [3, 5, 6]") && names.contains("noise.bias [3, 5]"))
            #expect(Array(names.dropFirst(7).prefix(8)) == body)
            #expect(
                Array(names.suffix(2)) == ["body.last.weight [3, 4, 3, 3]", "body.last.bias [3]"])
            #expect(names.count == 7 + 7 + 6 + 6 + 2)
            let deep = generator([3, 32, 32], depth: .deep).body
            #expect(deep.bn1 == nil && deep.stages.count == 5)
            #expect(deep.stages.map { $0.conv.weight.tensor.shape[0] } == [8, 8, 4, 4, 4])
        }
    }

    /// 8.20 M parameters of the projection and 0.224 M of the convolutions at 32 × 32 in the paper's size.
    @Test func sizeOfThePapers() throws {
        try withNoLeaks {
            let body = ImageGenerator(
                .init(shape: [3, 32, 32], code: 1000, width: 64, depth: .shallow),
                generator: Generator(seed: 0))
            #expect(body.l1.weight.tensor.count + body.l1.bias!.tensor.count == 8_200_192)
            let convolutions = body.parameters.filter { $0.tensor.rank == 4 }
            #expect(convolutions.reduce(0) { $0 + $1.tensor.count } == 222_912)
        }
    }
}
