import Foundation
import Neural
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The terms that images are searched for by.
@Suite(.takesTurns) struct SynthesisLossTests {
    @Test func otherTermsArePyTorchs() throws {
        try withNoLeaks {
            let fixture = try dataFreeFixture()
            func check(_ name: String, _ leaves: [String], _ body: ([Tensor]) -> Tensor) throws {
                let inputs = try leaves.map { try fixture.tensor("losses.\($0)") }
                for input in inputs { input.requiresGrad = true }
                let value = body(inputs)
                try fixture.expect(value, is: "losses.\(name)", tolerance: 1e-5)
                for (leaf, gradient) in zip(leaves, Tensor.gradients(of: value, with: inputs)) {
                    try fixture.expect(
                        gradient, is: "losses.\(name).grad.\(leaf)", tolerance: 1e-4)
                }
            }
            try check("competition", ["t", "s"]) {
                competitionLoss(teacher: Logits($0[0]), student: Logits($0[1]))
            }
            try check("variation", ["x"]) { totalVariation($0[0]) }
            try check("entropy", ["t"]) { informationEntropyLoss(Logits($0[0])) }
        }
    }

    /// Both terms, their weights and all gradients of a generator's step, against PyTorch with hooks.
    @Test(arguments: ["first", "second"]) func oneStepIsPyTorchs(_ name: String) throws {
        try withNoLeaks {
            let fixture = try dataFreeFixture()
            let tiny = try TinyContext(fixture: fixture)
            var options = TinyContext.options(.nayer)
            options.batch = 7
            let context = try tiny.context(options)
            if name == "second" {
                let state = try #require(context.matching).state
                state[0].tensor.fill(1)
                for (key, tensor) in state.dropFirst() {
                    let parts = key.split(separator: ".")
                    tensor.copy(from: try fixture.tensor("step.\(parts[1]).\(parts[0])"))
                }
            }
            let generator = NoisyGenerator(
                .init(shape: TinyContext.shape, code: 5, width: 4, depth: .shallow), inputs: 6,
                samples: 7, blockSize: 3, generator: Generator(seed: 3))
            try load(generator, from: fixture, "generator.initial.")
            let labels = try fixture.tensor("generator.labels")
            let images = generator(
                try fixture.tensor("generator.embeddings").indexed(0, by: labels),
                mode: .train(Generator(seed: 0)))
            let inputs = context.normalisation(
                images.windowed(try fixture.tensor("step.changes")))
            let probe = BatchProbe()
            let seen = context.teacher.recorded(inputs, probe: probe)
            let terms = tiny.student.withFrozenParameters {
                let outputs = SynthesisContext.ForwardPass(
                    normalised: inputs, features: seen.features, teacher: Logits(seen.logits),
                    students: [Logits(context.students[0](inputs, .eval))],
                    readings: probe.readings, studentReadings: [])
                return context.commonTerms(outputs, labels: labels, target: context.target())
            }
            #expect(terms.map(\.name) == ["label", "statistics", "adversarial"])
            #expect(terms.map(\.weight) == [0.5, 10, 1.33])
            let values = Tensor.stacked([terms[1].value, terms[0].value, terms[2].value])
            try fixture.expect(values, is: "step.\(name).terms", tolerance: 1e-5)
            terms.map { $0.value * $0.weight }.reduce(Tensor.scalar(0), +).backward()
            for (key, parameter) in generator.parameters {
                try fixture.expect(
                    parameter.gradient, is: "step.\(name).grad.\(key)", tolerance: 1e-3)
            }
            let isUntouched = tiny.student.parameters.allSatisfy { $0.tensor.gradient == nil }
            #expect(isUntouched)
            let isThawed = tiny.student.parameters.allSatisfy { $0.tensor.requiresGrad }
            #expect(isThawed)
        }
    }

    // MARK: Adversarial term

    @Test func adversarialTermCountsAgreementAlone() throws {
        try withNoLeaks {
            // Sample 0 agrees, sample 1 does not.
            let t = Tensor([2, 0, 0, 3] as [Float], [2, 2])
            let s = Tensor([1, 0, 1, 0] as [Float], [2, 2])
            let p = 1 / (1 + exp(-2.0))
            let q = 1 / (1 + exp(-1.0))
            let expected = p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))
            let loss = adversarialLoss(teacher: Logits(t), student: Logits(s))
            try expectClose([loss.item], [-expected / 2], 1e-6)
            // Nobody agrees.
            let none = adversarialLoss(teacher: Logits(t), student: Logits(-t))
            #expect(none.item == 0)
        }
    }

    @Test func adversarialTermIsNeverPositive() throws {
        try withNoLeaks {
            for seed in 0..<1000 {
                let t = values(seed, [4, 3], scale: 5)
                let s = values(seed + 1000, [4, 3], scale: 5)
                let loss = adversarialLoss(teacher: Logits(t), student: Logits(s)).item
                #expect(loss <= 1e-7 && loss.isFinite)
                #expect(
                    Swift.abs(adversarialLoss(teacher: Logits(t), student: Logits(t)).item) < 1e-6)
            }
        }
    }

    /// Both networks' logits get a gradient.
    @Test func adversarialGradientReachesBoth() throws {
        try withNoLeaks {
            let t = Tensor([2, 0] as [Float], [1, 2])
            let s = Tensor([1, 0] as [Float], [1, 2])
            for tensor in [t, s] { tensor.requiresGrad = true }
            let loss = adversarialLoss(teacher: Logits(t), student: Logits(s))
            let gradients = Tensor.gradients(of: loss, with: [t, s])
            let p = 1 / (1 + exp(-2.0))
            let q = 1 / (1 + exp(-1.0))
            // ∂KL/∂s = q − p; ∂KL/∂t_0 = p (1 − p) (log p/q − log (1−p)/(1−q)) = p (1 − p) (2 − 1).
            try expectClose(gradients[1].doubles(), [p - q, q - p], 1e-6)
            let own = -p * (1 - p)
            try expectClose(gradients[0].doubles(), [own, -own], 1e-6)
        }
    }

    // MARK: Statistics

    private func reading(_ mean: [Float], _ variance: [Float]) -> BatchProbe.Reading {
        BatchProbe.Reading(
            norm: BatchNorm(mean.count), mean: Tensor(mean, [mean.count]),
            variance: Tensor(variance, [variance.count]))
    }

    /// Fresh norms have mean 0 and variance 1.
    @Test func momentumRecursion() throws {
        try withNoLeaks {
            let norms = [BatchNorm(2)]
            let matching = StatisticsMatching(norms, momentum: 0.9)
            var m: [Double] = []
            var v: [Double] = []
            let sequence: [([Float], [Float])] = [
                ([3, 4], [1, 1]), ([1, 0], [2, 1]), ([-2, 1], [4, 0.5]), ([0, 0], [1, 3]),
            ]
            for (i, (mean, variance)) in sequence.enumerated() {
                let share = i == 0 ? 1 : 0.1
                let mixedMean = mean.indices.map {
                    share * Double(mean[$0]) + (i == 0 ? 0 : 0.9 * m[$0])
                }
                let mixedVariance = variance.indices.map {
                    share * Double(variance[$0]) + (i == 0 ? 0 : 0.9 * v[$0])
                }
                let expected =
                    (mixedMean.map { $0 * $0 }.reduce(0, +)).squareRoot()
                    + (mixedVariance.map { ($0 - 1) * ($0 - 1) }.reduce(0, +)).squareRoot()
                let target = matching.target(norms)
                // Whatever earlier steps of the batch saw leaves no trace.
                _ = matching.loss([reading([9, 9], [9, 9])], target)
                let loss = matching.loss([reading(mean, variance)], target)
                try expectClose([loss.item], [expected], 1e-6, "batch \(i)")
                matching.update([reading(mean, variance)])
                (m, v) = (mixedMean, mixedVariance)
                try expectClose(matching.state[1].tensor.doubles(), m, 1e-6)
                try expectClose(matching.state[2].tensor.doubles(), v, 1e-6)
            }
            // The gradient of later batches is scaled by 1 − ρ.
            let seen = Tensor([5, 5] as [Float], [2])
            seen.requiresGrad = true
            let late = BatchProbe.Reading(
                norm: norms[0], mean: seen, variance: Tensor.ones([2]))
            let slope = Tensor.gradients(
                of: matching.loss([late], matching.target(norms)), with: [seen])[0]
            try expectClose([slope.norm().item], [0.1], 1e-6)
        }
    }

    /// Images whose statistics are the running ones: no loss, and a gradient of 0, not 0/0.
    @Test func equalStatisticsCostNothing() throws {
        try withNoLeaks {
            let teacher = TinyTeacher(generator: Generator(seed: 5))
            let x = values(3, [6, 3, 10, 7])
            let probe = BatchProbe()
            withoutGradient { _ = teacher.features(x, mode: .probe(probe)) }
            for reading in probe.readings {
                reading.norm.runningMean.tensor.copy(from: reading.mean)
                reading.norm.runningVar.tensor.copy(from: reading.variance)
            }
            // The second layer sees other inputs once the first one's statistics have changed.
            let other = BatchProbe()
            withoutGradient { _ = teacher.features(x, mode: .probe(other)) }
            other.readings[1].norm.runningMean.tensor.copy(from: other.readings[1].mean)
            other.readings[1].norm.runningVar.tensor.copy(from: other.readings[1].variance)
            x.requiresGrad = true
            let last = BatchProbe()
            _ = teacher.withFrozenParameters { teacher.features(x, mode: .probe(last)) }
            let matching = StatisticsMatching(last.readings.map(\.norm), momentum: 0.9)
            let loss = matching.loss(
                last.readings, matching.target(last.readings.map(\.norm)))
            #expect(loss.item == 0)
            #expect(Tensor.gradients(of: loss, with: [x])[0].abs().max().item == 0)
        }
    }

    /// Crop and flip of every sample as the reference has them, there and back.
    @Test func windowOfTheReference() throws {
        try withNoLeaks {
            let fixture = try dataFreeFixture()
            let x = try fixture.tensor("window.x")
            x.requiresGrad = true
            let y = x.windowed(try fixture.tensor("window.changes"))
            try fixture.expect(y, is: "window.y", tolerance: 1e-7)
            (y * (try fixture.tensor("window.upstream"))).sum().backward()
            try fixture.expect(x.gradient, is: "window.grad", tolerance: 1e-7)
        }
    }
}
