import Neural
import TestSupport
import Testing
import Torch

@testable import Models

/// The network of NMTune.
@Suite(.takesTurns) struct ResidualMLPTests {
    private func make(classes: Int = 3) -> ResidualMLP {
        ResidualMLP(.init(inputs: 2, hidden: 3, classes: classes), generator: Generator(seed: 1))
    }

    /// One column passes through ReLU, one does not; batch norm in evaluation divides by √(1 + 1e-5).
    @Test func byHand() throws {
        try withNoLeaks {
            let network = make()
            func set(_ name: String, _ values: [Float], _ shape: [Int]) throws {
                let tensor = try #require(network.state.first { $0.name == name }).tensor
                withoutGradient { tensor.copy(from: Tensor(values, shape)) }
            }
            try set("first.weight", [1, 0, 0, 1, 1, 1], [3, 2])
            try set("first.bias", [0, 0, 1], [3])
            try set("second.weight", [1, 0, 0, 0, 1, 1], [2, 3])
            try set("second.bias", [0, 0.5], [2])
            try set("scale", [2, 10], [2])
            // f = (3, −4): inside 3, −4, 0; ReLU 3, 0, 0; second 3, 0.5.
            let m = network.features(Tensor([3, -4] as [Float], [1, 2]), mode: .eval).doubles()
            let s = (1 + 1e-5).squareRoot()
            #expect(largestError(m, [3 + 2 * 3 / s, -4 + 10 * 0.5]).error < 1e-5)
            #expect(network.head.inputs == 2 && network.classes == 3)
        }
    }

    @Test func factorsBeginAtOne() throws {
        try withNoLeaks {
            let network = make()
            let state = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.tensor) })
            #expect(state["scale"]?.doubles() == [1, 1])
            #expect(ResidualMLP.Configuration(inputs: 5, classes: 2).hidden == 20)
        }
    }

    /// Folding the batch norm keeps the logits, and images are flattened.
    @Test func foldingKeepsTheLogits() throws {
        try withNoLeaks {
            let network = ResidualMLP(
                .init(inputs: 12, hidden: 7, classes: 4), generator: Generator(seed: 3))
            let x = values(5, [6, 3, 2, 2])
            // Statistics that are not those of the beginning.
            withoutGradient { _ = network.features(x, mode: .train(Generator(seed: 1))) }
            let plain = withoutGradient { network(x, mode: .eval) }
            let frozen = Frozen(network.replica(), folding: true)
            #expect(frozen.foldedBatchNorms == 1)
            #expect(largestError(frozen(x).doubles(), plain.doubles()).error < 1e-5)
        }
    }
}
