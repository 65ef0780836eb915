import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// LCCN by numbers.
@Suite(.serialized, .takesTurns) struct LCCNVectorTests {
    @Test func oneStepByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("lccn")
            let inputs = try MethodVectors("inputs")
            let z = try inputs.matrix("Z1")
            let labels = Tensor(try inputs.ints("Y"), [6])
            let counts = try vector.matrix("counts", rows: 4)
            let transition = latentTransition(counts: counts, alpha: try vector.number("alpha"))
            try expectClose(transition.doubles(), vector.numbers("transition"), 1e-12)
            let posterior = latentPosterior(Logits(z), transition: transition, labels: labels)
            try expectClose(posterior.doubles(), vector.numbers("posterior"), 1e-12)
            let drawn = latentClasses(posterior, uniforms: try vector.numbers("uniforms"))
            #expect(drawn == (try vector.ints("sampled_by_inverse_cdf")))
            let loss = crossEntropy(Logits(z), labels: Tensor(drawn, [6])).mean().item
            #expect(abs(loss - (try vector.number("loss"))) < 1e-12)
        }
    }

    /// The counts after a step of the objective that moves samples from the vector's old classes to the drawn ones.
    @Test func countsByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("lccn")
            let labels = try MethodVectors("inputs").ints("Y")
            let objective = LCCNObjective(labels: labels, classes: 4, seed: 1)
            objective.counts.copy(from: try vector.matrix("counts", rows: 4))
            objective.move(
                Array(0..<6), from: try vector.ints("latent_before"),
                to: try vector.ints("sampled_by_inverse_cdf"))
            #expect(objective.counts.doubles() == (try vector.numbers("counts_after")))
        }
    }

    /// The loss of the objective is cross-entropy with the classes that it keeps, and the counts stay theirs.
    @Test func theObjectiveKeepsItsBooks() throws {
        try withNoLeaks {
            let inputs = try MethodVectors("inputs")
            let labels = try inputs.ints("Y")
            let objective = LCCNObjective(
                .init(refresh: 1, warmUp: 0), labels: labels, classes: 4, seed: 5)
            let z = try inputs.matrix("Z1").to(.float32)
            objective.start(from: z)
            let rows = Tensor([3, 1, 5, 0], [4])
            let own = z.indexed(0, by: rows)
            for step in 0..<20 {
                let losses = objective.losses(
                    of: 0, [StudentOutput(features: own, logits: Logits(own))],
                    TrainingBatch(
                        inputs: own, labels: Tensor(labels, [6]).indexed(0, by: rows), rows: rows,
                        isPlain: true, epoch: step))
                let latent = objective.latent.read(rows)
                try expectClose(
                    losses.terms[0].values.doubles(),
                    crossEntropy(Logits(own), labels: latent).doubles(), 1e-12)
                var expected = [Double](repeating: 0, count: 16)
                for (k, y) in zip(objective.latent.all.ints(), labels) { expected[4 * k + y] += 1 }
                #expect(objective.counts.doubles() == expected)
            }
        }
    }

    /// The first T, and a class that nobody predicts.
    @Test func theFirstTransition() throws {
        try withNoLeaks {
            let objective = LCCNObjective(
                .init(warmUp: 1), labels: [0, 1, 1], classes: 3, seed: 5)
            objective.start(from: Tensor([9, 0, -99, 9, 0, -99, 0, 9, -99] as [Float], [3, 3]))
            #expect(objective.latent.all.ints() == [0, 0, 1])
            #expect(objective.counts.doubles() == [1, 1, 0, 0, 1, 0, 0, 0, 0])
            for row in 0..<3 {
                let sum = objective.transition.narrowed(0, from: row, count: 1).sum().item
                #expect(abs(sum - 1) < 1e-9)
            }
            try expectClose(
                Array(objective.transition.doubles()[..<2]), [0.5, 0.5], 1e-3)
        }
    }

    /// Sums that rounding leaves below the number, and classes that are impossible.
    @Test func drawsAtTheEdges() throws {
        try withNoLeaks {
            let p = Tensor([0.25, 0.75, 0, 0, 0, 1], [2, 3])
            #expect(latentClasses(p, uniforms: [0, 0]) == [0, 2])
            #expect(latentClasses(p, uniforms: [0.25, 0.9999999999999999]) == [1, 2])
            #expect(latentClasses(p * 0.999, uniforms: [0.9999, 0.9999]) == [1, 2])
        }
    }
}
