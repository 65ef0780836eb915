import Neural
import TestSupport
import Testing
import Torch

/// First weights against the formulas: 20,000 values and more, so that the sampling error of a
/// standard deviation is below 0.5 %.
@Suite(.takesTurns) struct InitialisationTests {
    struct Moments {
        var mean = 0.0, std = 0.0, fourth = 0.0, largest = 0.0

        init(_ tensor: Tensor) {
            let values = tensor.doubles()
            let n = Double(values.count)
            mean = values.reduce(0, +) / n
            let deviations = values.map { ($0 - mean) * ($0 - mean) }
            std = (deviations.reduce(0, +) / n).squareRoot()
            fourth = deviations.map { $0 * $0 }.reduce(0, +) / n / (std * std * std * std)
            largest = values.map(abs).max() ?? 0
        }
    }

    private func expectUniform(_ tensor: Tensor, bound: Double) {
        let moments = Moments(tensor)
        #expect(moments.largest <= bound)
        #expect(moments.largest > 0.99 * bound)
        #expect(abs(moments.mean) < 0.03 * bound)
        #expect(abs(moments.std - bound / 3.0.squareRoot()) < 0.02 * bound)
        #expect(abs(moments.fourth - 1.8) < 0.1)  // kurtosis of a uniform distribution
    }

    private func expectNormal(_ tensor: Tensor, std: Double) {
        let moments = Moments(tensor)
        #expect(abs(moments.mean) < 0.03 * std)
        #expect(abs(moments.std - std) < 0.02 * std)
        #expect(abs(moments.fourth - 3) < 0.2)
    }

    @Test func linear() throws {
        try withNoLeaks {
            let layer = Linear(100, 2000, generator: Generator(seed: 1))
            expectUniform(layer.weight.tensor, bound: 0.1)
            expectUniform(layer.bias!.tensor, bound: 0.1)
            #expect(Linear(2, 3, bias: false, generator: Generator(seed: 1)).bias == nil)
        }
    }

    @Test func convolutions() throws {
        try withNoLeaks {
            let generator = Generator(seed: 2)
            // fan_in = 32 / 2 · 9 = 144
            let grouped = Conv2d(32, 200, kernel: 3, groups: 2, generator: generator)
            expectUniform(grouped.weight.tensor, bound: 1 / 12)
            // PyTorch counts the fan of a transposed convolution on dimension 1: 16 · 4 = 64.
            let transposed = ConvTranspose2d(400, 16, kernel: 2, generator: generator)
            expectUniform(transposed.weight.tensor, bound: 1 / 8)
            expectUniform(
                Conv1d(20, 400, kernel: 5, generator: generator).weight.tensor, bound: 0.1)
            // fan_out = 100 · 9
            let he = Conv2d(32, 100, kernel: 3, initialisation: .heFanOut, generator: generator)
            expectNormal(he.weight.tensor, std: (2.0 / 900).squareRoot())
            #expect(he.bias!.tensor.floats().allSatisfy { $0 == 0 })
            let small = Linear(300, 100, initialisation: .normal(std: 0.01), generator: generator)
            expectNormal(small.weight.tensor, std: 0.01)
        }
    }

    @Test func embeddings() throws {
        try withNoLeaks {
            let table = Embedding(1000, 30, paddingIndex: 3, generator: Generator(seed: 3))
            expectNormal(table.weight.tensor, std: 1)
            #expect(table.weight.tensor.selected(0, 3).floats().allSatisfy { $0 == 0 })
            #expect(table.weight.tensor.requiresGrad)
        }
    }

    @Test func theSeedDecides() throws {
        try withNoLeaks {
            let draw = { Linear(4, 4, generator: Generator(seed: $0)).weight.tensor.floats() }
            #expect(draw(1) == draw(1))
            #expect(draw(1) != draw(2))
        }
    }
}
