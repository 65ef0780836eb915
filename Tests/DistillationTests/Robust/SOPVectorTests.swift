import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// SOP by numbers.
@Suite(.serialized, .takesTurns) struct SOPVectorTests {
    private func labels() throws -> Tensor { Tensor(try MethodVectors("inputs").ints("Y"), [6]) }

    /// In float64, and the gradients with respect to u, v and the logits.
    @Test func lossesByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("sop")
            let z = try MethodVectors("inputs").matrix("Z1")
            let (u, v) = (try vector.matrix("u"), try vector.matrix("v"))
            for leaf in [z, u, v] { leaf.requiresGrad = true }
            let parts = overParameterisedLosses(Logits(z), labels: try labels(), u: u, v: v)
            try expectClose(
                parts.corrected.doubles(), vector.numbers("normalised_prediction"), 1e-12)
            #expect(abs(parts.crossEntropy.mean().item - (try vector.number("ce"))) < 1e-12)
            #expect(abs(parts.squares.mean().item - (try vector.number("mse"))) < 1e-12)
            #expect(
                abs(classBalance(parts.corrected).item - (try vector.number("balance"))) < 1e-12)
            let loss = parts.crossEntropy.mean() + parts.squares.mean()
            let gradients = Tensor.gradients(of: loss, with: [u, v, z])
            for (gradient, name) in zip(gradients, ["grad_u", "grad_v", "grad_logits"]) {
                try expectClose(gradient.doubles(), vector.numbers(name), 1e-8, name)
            }
        }
    }

    /// One step of the objective: the loss, and u and v after it.
    @Test func oneStepByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("sop")
            let objective = SOPObjective(
                .init(rateOfU: 0.5, rateOfV: 2), samples: 6, classes: 4, seed: 1)
            // Any order of rows: each sample has its own.
            let rows = Tensor([5, 0, 3, 1, 4, 2], [6])
            let (u, v) = (try vector.matrix("u"), try vector.matrix("v"))
            objective.u[0].write(rows, u.to(.float32))
            objective.v[0].write(rows, v.to(.float32))
            let z = try MethodVectors("inputs").matrix("Z1").to(.float32)
            z.requiresGrad = true
            let losses = objective.losses(
                of: 0, [StudentOutput(features: z, logits: Logits(z))],
                TrainingBatch(inputs: z, labels: try labels(), rows: rows, isPlain: true))
            #expect(losses.terms.map(\.name) == ["cross-entropy", "squares"])
            #expect(abs(losses.total.item - (try vector.number("loss"))) < 1e-6)
            losses.total.backward()
            try expectClose(
                try #require(z.gradient).doubles(), vector.numbers("grad_logits"), 1e-6)
            try expectClose(
                objective.u[0].read(rows).to(.float64),
                u - (try vector.matrix("grad_u")) * 0.5, 1e-6)
            try expectClose(
                objective.v[0].read(rows).to(.float64),
                v - (try vector.matrix("grad_v")) * 2, 1e-6)
        }
    }

    /// Two views: consistency of the second with the first one, and the balance of the first one's q.
    @Test func bothTermsOfSOPPlus() throws {
        try withNoLeaks {
            let vector = try MethodVectors("sop")
            let inputs = try MethodVectors("inputs")
            let objective = SOPObjective(
                .init(consistency: 0.9, balance: 0.1), samples: 6, classes: 4, seed: 1)
            objective.u[0].write(.arange(6), try vector.matrix("u").to(.float32))
            objective.v[0].write(.arange(6), try vector.matrix("v").to(.float32))
            let views = try ["Z1", "Z2"].map { try inputs.matrix($0).to(.float32) }
            let z = Tensor.concatenated(views)
            z.requiresGrad = true
            let losses = objective.losses(
                of: 0, [StudentOutput(features: z, logits: Logits(z))],
                TrainingBatch(
                    views: views, labels: try labels(), rows: .arange(6), isPlain: false))
            let means = losses.means()
            #expect(
                losses.terms.map(\.name) == ["cross-entropy", "squares", "consistency", "balance"])
            try expectClose(
                means,
                [
                    vector.number("ce"), vector.number("mse"),
                    vector.number("consistency_Z1_to_Z2"), vector.number("balance"),
                ], 1e-6)
            #expect(
                abs(losses.total.item - (means[0] + means[1] + 0.9 * means[2] + 0.1 * means[3]))
                    < 1e-6)
            // What the first view says of consistency is a constant.
            losses.terms[2].values.mean().backward()
            let gradient = try #require(z.gradient)
            #expect(gradient.narrowed(0, from: 0, count: 6).doubles().allSatisfy { $0 == 0 })
            #expect(gradient.narrowed(0, from: 6, count: 6).doubles().contains { $0 != 0 })
        }
    }

    /// U and W never leave [0, 1], however far u and v went.
    @Test func noiseStaysBetweenZeroAndOne() throws {
        try withNoLeaks {
            let y = Tensor([0, 2], [2]).oneHot(3).to(.float32)
            let noise = sparseNoise(
                u: Tensor([5, -0.5] as [Float], [2, 1]), v: .full([2, 3], 9), labels: y)
            #expect(noise.label.doubles() == [1, 0, 0, 0, 0, 0.25])
            #expect(noise.others.doubles() == [0, 1, 1, 1, 1, 0])
            let z = Tensor([200, -200, 0, 0, 0, 200] as [Float], [2, 3])
            z.requiresGrad = true
            let parts = overParameterisedLosses(
                Logits(z), labels: Tensor([1, 2], [2]), u: .full([2, 1], 9), v: .full([2, 3], 9))
            (parts.crossEntropy + parts.squares).sum().backward()
            let gradient = try #require(z.gradient).doubles()
            #expect(gradient.allSatisfy { $0.isFinite })
        }
    }
}
