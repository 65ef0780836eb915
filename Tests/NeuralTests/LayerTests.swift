import Foundation
import TestSupport
import Testing
import Torch

@testable import Neural

/// Outputs, gradients, running statistics and evaluation outputs against PyTorch's layers.
@Suite(.takesTurns) struct LayerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let shape: [Int]
        var scale: Double = 1
        let make: @Sendable (Generator) -> any Module
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "linear", shape: [4, 5]) { Linear(5, 3, generator: $0) },
        Case(name: "linear-nobias", shape: [2, 4, 5]) {
            Linear(5, 3, bias: false, generator: $0)
        },
        Case(name: "conv2d", shape: [2, 4, 9, 8]) {
            Conv2d(
                4, 6, kernel: 3, stride: 2, padding: (1, 2), dilation: 2, groups: 2,
                generator: $0)
        },
        Case(name: "conv1d", shape: [2, 4, 9]) {
            Conv1d(
                4, 6, kernel: 3, stride: 2, padding: 1, dilation: 2, groups: 2, bias: false,
                generator: $0)
        },
        Case(name: "convtranspose2d", shape: [2, 4, 5, 4]) {
            ConvTranspose2d(
                4, 6, kernel: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2,
                generator: $0)
        },
        Case(name: "batchnorm1d", shape: [6, 5]) { _ in BatchNorm1d(5) },
        Case(name: "batchnorm2d", shape: [4, 3, 5, 4]) { _ in
            BatchNorm2d(3, momentum: 0.3, epsilon: 1e-3)
        },
        Case(name: "batchnorm2d-plain", shape: [4, 3, 5, 4]) { _ in
            BatchNorm2d(3, affine: false)
        },
        Case(name: "layernorm", shape: [5, 3, 4]) { _ in LayerNorm([3, 4]) },
        Case(name: "maxpool2d", shape: [2, 3, 8, 6]) { _ in
            MaxPool2d(3, stride: 2, padding: 1, ceilMode: true)
        },
        Case(name: "maxpool1d", shape: [2, 3, 8]) { _ in MaxPool1d(2) },
        Case(name: "avgpool2d", shape: [2, 3, 8, 6]) { _ in
            AvgPool2d(3, stride: 2, padding: 1)
        },
        Case(name: "adaptiveavgpool2d", shape: [2, 3, 8, 5]) { _ in AdaptiveAvgPool2d((3, 2)) },
        Case(name: "upsample", shape: [2, 3, 4, 5]) { _ in Upsample(2) },
        Case(name: "flatten", shape: [2, 3, 4]) { _ in Flatten() },
        Case(name: "relu", shape: [40], scale: 8) { _ in Activation(.relu) },
        Case(name: "relu6", shape: [40], scale: 8) { _ in Activation(.relu6) },
        Case(name: "leakyrelu", shape: [40], scale: 8) { _ in
            Activation(.leakyRelu(slope: 0.2))
        },
        Case(name: "sigmoid", shape: [40], scale: 8) { _ in Activation(.sigmoid) },
        Case(name: "tanh", shape: [40], scale: 8) { _ in Activation(.tanh) },
        Case(name: "gelu", shape: [40], scale: 8) { _ in Activation(.gelu) },
        Case(name: "silu", shape: [40], scale: 8) { _ in Activation(.silu) },
        Case(name: "softplus", shape: [40], scale: 8) { _ in Activation(.softplus) },
        Case(name: "identity", shape: [40], scale: 8) { _ in Activation(.identity) },
        Case(name: "sequential", shape: [4, 2, 4, 4]) {
            Sequential(
                Conv2d(2, 3, kernel: 3, bias: false, generator: $0), BatchNorm2d(3),
                Activation(.relu),
                Flatten(), Linear(12, 2, generator: $0))
        },
    ]

    /// Outputs and all gradients of the short cut against doubling first.
    @Test(arguments: [[2, 3, 5, 4], [1, 4, 1, 1], [3, 1, 2, 7]])
    func convolutionOfDoubledPixels(_ shape: [Int]) throws {
        try withNoLeaks {
            let layer = Conv2d(shape[1], 6, kernel: 3, padding: 1, generator: Generator(seed: 1))
            let x = values(inputStream, shape)
            x.requiresGrad = true
            let wanted = layer(upsampleNearest2d(x, height: 2 * shape[2], width: 2 * shape[3]))
            let found = layer.ofDoubled(x)
            #expect(found.shape == wanted.shape)
            let weights = values(inputStream, wanted.shape)
            let variables = [x] + layer.parameters.map(\.tensor)
            let a = Tensor.gradients(of: (wanted * weights).sum(), with: variables)
            let b = Tensor.gradients(of: (found * weights).sum(), with: variables)
            for (one, other) in zip([wanted] + a, [found] + b) {
                let scale = max(1, one.detached().abs().max().item)
                #expect((one - other).detached().abs().max().item < 1e-6 * scale)
            }
        }
    }

    @Test(arguments: cases) func equalsPyTorch(_ layer: Case) throws {
        try withNoLeaks {
            let x = values(inputStream, layer.shape, scale: layer.scale)
            x.requiresGrad = true
            try check(layer.make(Generator(seed: 1)), x, layer.name, inputGradient: x)
        }
    }

    @Test func embeddings() throws {
        try withNoLeaks {
            let generator = Generator(seed: 1)
            try check(
                Embedding(5, 3, paddingIndex: 1, generator: generator),
                Tensor([0, 1, 4, 4], [2, 2]), "embedding")
            try check(
                EmbeddingBag(5, 3, paddingIndex: 1, generator: generator),
                Tensor([0, 1, 3, 4, 4, 2, 1, 1, 1], [3, 3]), "embeddingbag")
        }
    }

    private func check(
        _ module: any Module, _ x: Tensor, _ name: String, inputGradient: Tensor? = nil
    ) throws {
        let fixture = try FixtureFile("layers", in: .module)
        fill(module.state)
        let y = module(x, mode: .train(Generator(seed: 2)))
        try fixture.expect(y, is: "\(name)/output")
        (y * values(inputStream + 1, y.shape)).sum().backward()
        if let inputGradient {
            try fixture.expect(inputGradient.gradient, is: "\(name)/gradient.input")
        }
        for (key, tensor) in module.parameters {
            try fixture.expect(tensor.gradient, is: "\(name)/gradient/\(key)")
        }
        for (key, tensor) in module.buffers {
            try fixture.expect(tensor, is: "\(name)/buffer/\(key)")
        }
        try fixture.expect(module(x, mode: .eval), is: "\(name)/eval")
        let stored = fixture.file.tensors.filter { $0.name.hasPrefix(name + "/") }.count
        let seen =
            2 + (inputGradient == nil ? 0 : 1) + module.parameters.count + module.buffers.count
        #expect(stored == seen, "the fixture has tensors that the module lacks")
    }

    /// Strided 1×1 convolutions take another way than the engine's own; see `Conv2d`.
    @Test(arguments: [1, 5, 16]) func stridedPointwiseConvolution(channels: Int) throws {
        try withNoLeaks {
            let layer = Conv2d(
                channels, 6, kernel: 1, stride: 2, padding: 0, generator: Generator(seed: 1))
            fill(layer.state)
            let (weight, bias) = (layer.weight.tensor.doubles(), layer.bias!.tensor.doubles())
            let x = values(inputStream, [2, channels, 7, 4])
            layer.toChannelsLast()
            let input = x.channelsLast()
            input.requiresGrad = true
            let y = layer(input)
            #expect(y.shape == [2, 6, 4, 2])
            y.sum().backward()

            // By hand: output pixel (i, j) sees input pixel (2i, 2j).
            let pixels = x.doubles()
            let pixel = { (n: Int, c: Int, i: Int, j: Int) in
                pixels[((n * channels + c) * 7 + i) * 4 + j]
            }
            var (output, sums) = ([Double](), [Double](repeating: 0, count: channels))
            for n in 0..<2 {
                for o in 0..<6 {
                    for i in 0..<4 {
                        for j in 0..<2 {
                            output.append(
                                (0..<channels).reduce(bias[o]) {
                                    $0 + weight[o * channels + $1] * pixel(n, $1, 2 * i, 2 * j)
                                })
                            for c in 0..<channels where o == 0 {
                                sums[c] += pixel(n, c, 2 * i, 2 * j)
                            }
                        }
                    }
                }
            }
            #expect(relativeError(y.doubles(), output) < 1e-6)
            let gradient = layer.weight.tensor.gradient!.doubles()
            #expect(relativeError(gradient, (0..<6).flatMap { _ in sums }) < 1e-6)
            // A seen pixel's gradient is the sum of the weights of its channel, others get none.
            let ofInput = input.gradient!.doubles()
            let column = (0..<6).reduce(0.0) { $0 + weight[$1 * channels] }
            #expect(abs(ofInput[0] - column) < 1e-5)
            #expect(ofInput[1] == 0 && ofInput[4] == 0)
        }
    }

    @Test func dropoutComesFromItsGenerator() throws {
        try withNoLeaks {
            let dropout = Dropout(0.25)
            let x = Tensor.ones([10_000])
            let draw = { (seed: UInt64) in dropout(x, mode: .train(Generator(seed: seed))).floats()
            }
            let first = draw(1)
            #expect(first == draw(1))
            #expect(first != draw(2))
            #expect(Set(first) == [0, Float(1 / 0.75)])
            // 2,500 zeros are expected; the standard deviation is 43.
            #expect((2200...2800).contains(first.filter { $0 == 0 }.count))
            #expect(dropout(x, mode: .eval).floats() == x.floats())
            #expect(Dropout(0)(x, mode: .train(Generator(seed: 1))).floats() == x.floats())
        }
    }

    @Test func batchNormKeepsItsStatisticsInEvaluation() throws {
        try withNoLeaks {
            let norm = BatchNorm2d(2)
            let x = Tensor([1, 3, 10, 30] as [Float], [2, 2, 1, 1])
            _ = norm(x, mode: .eval)
            #expect(norm.runningMean.tensor.floats() == [0, 0])
            #expect(norm.numBatchesTracked.tensor.ints() == [0])
            _ = norm(x, mode: .train(Generator(seed: 1)))
            // Means (5.5, 16.5), unbiased variances (40.5, 364.5), momentum 0.1.
            #expect(relativeError(norm.runningMean.tensor.doubles(), [0.55, 1.65]) < 1e-6)
            #expect(relativeError(norm.runningVar.tensor.doubles(), [4.95, 37.35]) < 1e-6)
            #expect(norm.numBatchesTracked.tensor.ints() == [1])
            #expect(norm.numBatchesTracked.tensor.dtype == .int64)
        }
    }

    /// As PyTorch does; the unbiased variance of one value would put NaN into the running statistics.
    @Test func batchNormRefusesOneValuePerChannel() throws {
        let norm = BatchNorm(3)
        let mode = Mode.train(Generator(seed: 0))
        for shape in [[1, 3], [1, 3, 1], [1, 3, 1, 1]] {
            #expect {
                try Engine.checked { _ = norm(.ones(shape), mode: mode) }
            } throws: {
                ($0 as? EngineError)?.reason == BatchNorm.oneValue
            }
        }
        #expect(norm.runningVar.tensor.floats() == [1, 1, 1])
        #expect(norm.numBatchesTracked.tensor.item == 0)
        for shape in [[2, 3], [1, 3, 2], [1, 3, 1, 2]] { _ = norm(.ones(shape), mode: mode) }
        _ = norm(.ones([1, 3]), mode: .eval)
        #expect(norm.numBatchesTracked.tensor.item == 3)
    }
}
