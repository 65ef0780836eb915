import TestSupport
import Testing
import Torch

@testable import Distillation

/// Repeats, normalisation and guards of the meta step.
@Suite(.takesTurns) struct MetaStepTests {
    /// A virtual step whose loss and alignments are given functions of the rate.
    private final class Scripted: VirtualStep {
        let sampleCount = 2
        let currentLoss = 1.0
        let losses: (Double) -> Double
        let slope: Double
        var asked: [Double] = []
        var prepared = 0

        init(slope: Double = 0.1, _ losses: @escaping (Double) -> Double) {
            self.losses = losses
            self.slope = slope
        }
        func prepare(weights: Tensor) { prepared += 1 }
        func loss(rate: Double) -> Double {
            asked.append(rate)
            return losses(rate)
        }
        func alignments(rate: Double) -> Tensor {
            Tensor([0, slope, slope * (1 + rate), 0], [2, 2])
        }
    }

    private let start = Tensor([0.5, 0.5], [2, 1])

    /// λ_i ← λ_i + β̂ (a_i1 − a_i0), R times.
    @Test func stepByHand() throws {
        try withNoLeaks {
            let virtualStep = Scripted { _ in 0.9 }
            let result = metaStep(
                start, virtualStep, rate: 0.5, options: MetaStepOptions(step: 2, repeats: 2))
            try expectClose(
                result.parameters.doubles(), [0.5 + 2 * 2 * 0.1, max(0, 0.5 - 2 * 2 * 0.15)], 1e-12)
            #expect(
                result.repeats
                    == [MetaRepeat](
                        repeating: .init(verdict: .taken, rate: 0.5, loss: 1, virtualStepLoss: 0.9),
                        count: 2))
            // At the student as it is: rate 0.
            try expectClose(result.labelAlignment.doubles(), [0, 0.1], 1e-12)
            #expect(virtualStep.prepared == 2)
        }
    }

    /// The step does not depend on batch size or learning rate except through the virtual step:
    /// it is −β ∂M/∂α with β = β̂/(η s).
    @Test func normalisation() throws {
        try withNoLeaks {
            let mix = RandomMix(k: 2, seed: 31)
            let share = uniforms([6, 1], 0.4, 0.6, seed: 32)
            for rate in [0.05, 1.9] {
                let slopes = mix.virtualStep().gradient(
                    weights: MixingRule.convexClamp.weights(share), rate: rate)
                let slope = MixingRule.convexClamp.pulledBack(slopes.gradient, at: share)
                let expected = share - slope * (0.05 / (rate / 6))
                let result = metaStep(
                    share, mix.virtualStep(), rate: rate,
                    options: MetaStepOptions(step: 0.05, repeats: 1))
                try expectClose(result.parameters, expected, 1e-12)
            }
        }
    }

    /// The unit is that of the first alignments: their median moves a weight by u.
    @Test func unitIsFixedAtTheFirstStep() throws {
        try withNoLeaks {
            let unit = MetaStepUnit(typical: 0.1)
            #expect(unit.value(.zeros([2, 2])) == 1 && unit.factor.item.isNaN)
            #expect(abs(unit.value(Tensor([-0.02, 0.5, 0.01], [3, 1])) - 5) < 1e-12)
            #expect(abs(unit.value(Tensor([100.0], [1, 1])) - 5) < 1e-12)
            // A run that goes on takes it from its checkpoint.
            let next = MetaStepUnit(typical: 0.1)
            next.factor.copy(from: unit.factor)
            #expect(abs(next.value(Tensor([100.0], [1, 1])) - 5) < 1e-12)
        }
    }

    /// In units of their length neither the features' scale nor a dead network has a part.
    @Test func unitsOfLength() throws {
        try withNoLeaks {
            let mix = RandomMix(k: 2, seed: 36)
            let length = mix.validation.featureLength
            let squares = mix.validationFeatures.doubles().map { $0 * $0 }.reduce(0, +)
            try expectClose([length * length], [squares / 9], 1e-12)
            try expectClose(
                [mix.validation.inUnits(of: length).featureLength], [1], 1e-12)
            try expectClose(
                mix.group.inUnits(of: 2).features.doubles(), mix.features.doubles().map { $0 / 2 },
                0)
            let dead = MixingValidation(
                features: .zeros([9, 5], dtype: .float64), weight: mix.weight, bias: mix.bias,
                labels: mix.validationLabels)
            #expect(dead.featureLength == 1)
        }
    }

    /// Going on along the gradient lowers the virtual step's validation loss, whatever the rule.
    @Test(arguments: MixingRule.allCases) func lowersTheLoss(_ rule: MixingRule) throws {
        try withNoLeaks {
            let mix = RandomMix(40, v: 60, c: 4, d: 5, k: 3, seed: 33)
            let table = rule.parameters(for: Tensor([0.4, 0.3, 0.3], [1, 3]).expanded([40, 3]))
            let before = mix.loss(weights: rule.weights(table), rate: 0.5)
            let result = metaStep(
                table.contiguous(), mix.virtualStep(), rate: 0.5,
                options: MetaStepOptions(rule: rule, step: 0.5, repeats: 20))
            let after = mix.loss(weights: rule.weights(result.parameters), rate: 0.5)
            #expect(after < before - 1e-3, "\(before) → \(after)")
            // The max rule has kinks that a step of fixed length can jump over.
            if rule == .convexClamp || rule == .convexSigmoid { return }
            let losses = result.repeats.map(\.virtualStepLoss)
            #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 >= $1 - 1e-9 })
        }
    }

    /// A rise of more than 10 % halves the rate until it is gone; later repeats stay there.
    @Test func shrinks() throws {
        try withNoLeaks {
            let virtualStep = Scripted { 0.7 + $0 }
            let result = metaStep(
                start, virtualStep, rate: 1.6, options: MetaStepOptions(repeats: 2))
            #expect(result.repeats.map(\.verdict) == [.shrunk, .taken])
            #expect(result.repeats.map(\.rate) == [0.4, 0.4])
            #expect(virtualStep.asked == [1.6, 0.8, 0.4, 0.4])
            // The second sample's alignment depends on the rate of the virtual step.
            try expectClose(
                result.parameters.doubles(), [0.7, 0.5 - 2 * 0.1 * 1.4], 1e-12)
        }
    }

    /// Nothing helps: the group keeps its weights and says so.
    @Test func skips() throws {
        try withNoLeaks {
            for loss in [2.0, .nan, .infinity] {
                let virtualStep = Scripted { _ in loss }
                let result = metaStep(start, virtualStep, rate: 1, options: MetaStepOptions())
                #expect(result.parameters.bytes() == start.bytes())
                #expect(result.repeats.map(\.verdict) == [.skipped])
                #expect(result.repeats[0].rate == 1.0 / 16 && virtualStep.asked.count == 5)
            }
            let options = MetaStepOptions(guard: MixingGuard(attempts: 0))
            let virtualStep = Scripted { _ in 1.11 }
            #expect(
                metaStep(start, virtualStep, rate: 1, options: options).repeats[0].verdict
                    == .skipped
            )
            #expect(virtualStep.asked == [1])
            // Exactly 10 % is still taken; an infinite tolerance takes anything but not-a-number.
            let edge = metaStep(
                start, Scripted { _ in 1.1 }, rate: 1, options: options)
            #expect(edge.repeats.allSatisfy { $0.verdict == .taken })
            let open = MetaStepOptions(guard: MixingGuard(tolerance: .infinity))
            #expect(
                metaStep(start, Scripted { _ in 50 }, rate: 1, options: open).repeats[0].verdict
                    == .taken)
        }
    }

    @Test func refusesNotANumber() throws {
        try withNoLeaks {
            for point in MetaStepOptions.Point.allCases {
                let result = metaStep(
                    start, Scripted(slope: .nan) { _ in 1 }, rate: 1,
                    options: MetaStepOptions(point: point))
                #expect(result.parameters.bytes() == start.bytes())
                #expect(result.repeats.map(\.verdict) == [.notFinite])
            }
        }
    }

    /// First order never looks ahead, and its repeats add up to one scaled step.
    @Test func firstOrder() throws {
        try withNoLeaks {
            let virtualStep = Scripted { _ in 100 }
            let result = metaStep(
                start, virtualStep, rate: 1,
                options: MetaStepOptions(step: 0.2, repeats: 3, point: .firstOrder))
            #expect(virtualStep.asked.isEmpty && virtualStep.prepared == 0)
            #expect(result.repeats.map(\.rate) == [0, 0, 0])
            try expectClose(
                result.parameters.doubles(), [0.5 + 3 * 0.2 * 0.1, 0.5 - 3 * 0.2 * 0.1], 1e-12)
        }
    }

    /// An overshooting step of a real last layer is caught.
    @Test func catchesOvershoot() throws {
        try withNoLeaks {
            let mix = RandomMix(k: 2, seed: 34)
            let share = uniforms([6, 1], 0.4, 0.6, seed: 35)
            let wild = metaStep(share, mix.virtualStep(), rate: 1e4, options: MetaStepOptions())
            #expect(wild.repeats.map(\.verdict) == [.skipped])
            #expect(wild.parameters.bytes() == share.bytes())
            #expect(wild.repeats[0].virtualStepLoss > 1.1 * wild.repeats[0].loss)
        }
    }
}
