import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// NCOD by numbers.
@Suite(.serialized, .takesTurns) struct NCODVectorTests {
    @Test func lossesByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("ncod")
            let z = try vector.matrix("logits")
            let u = Tensor(try vector.numbers("u"), [6])
            let labels = Tensor(try vector.ints("labels"), [6])
            z.requiresGrad = true
            u.requiresGrad = true
            let similarity = centroidSimilarity(
                try vector.matrix("features"), try vector.matrix("centroids", rows: 3),
                labels: labels)
            // The vector has s in a matrix, 0 but at the label.
            try expectClose(
                similarity.doubles(), vector.matrix("similarity").sum(-1).doubles(), 1e-12)
            let parts = ncodLosses(Logits(z), labels: labels, similarity: similarity, u: u)
            #expect(abs(parts.label.mean().item - (try vector.number("L1"))) < 1e-12)
            #expect(abs(parts.squares.mean().item - (try vector.number("L2"))) < 1e-12)
            let gradients = Tensor.gradients(
                of: parts.label.mean() + parts.squares.mean(), with: [u, z])
            try expectClose(gradients[0].doubles(), vector.numbers("grad_u"), 1e-8)
            try expectClose(gradients[1].doubles(), vector.numbers("grad_logits"), 1e-8)
        }
    }

    /// One step of the objective: the loss, u after it, and the features that it keeps.
    @Test func oneStepByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("ncod")
            let labels = try vector.ints("labels")
            let objective = NCODObjective(
                .init(rateOfU: 0.5), labels: labels, classes: 3, features: 3, seed: 1)
            let u = Tensor(try vector.numbers("u"), [6])
            objective.u.write(.arange(6), u.to(.float32))
            objective.updateCentroids(percent: 100)
            objective.centroids.copy(from: try vector.matrix("centroids", rows: 3).to(.float32))
            let z = try vector.matrix("logits").to(.float32)
            // Features of any length.
            let features = try vector.matrix("features").to(.float32) * 7
            let losses = objective.losses(
                of: 0, [StudentOutput(features: features, logits: Logits(z))],
                TrainingBatch(
                    inputs: z, labels: Tensor(labels, [6]), rows: .arange(6), isPlain: true))
            #expect(losses.terms.map(\.name) == ["cross-entropy", "squares"])
            #expect(abs(losses.total.item - (try vector.number("loss"))) < 1e-6)
            try expectClose(
                objective.u.all.to(.float64),
                u - Tensor(try vector.numbers("grad_u"), [6]) * 0.5, 1e-6)
            try expectClose(
                objective.features.all.doubles(), vector.numbers("features"), 1e-6)
        }
    }

    @Test func samplesOfACentroid() throws {
        #expect(NCODOptions.percent(epoch: 0, of: 150) == 100)
        #expect(NCODOptions.percent(epoch: 149, of: 150) == 51)
        #expect(
            try MethodVectors("ncod").ints("percent_first_last")
                == [0, 149].map { NCODOptions.percent(epoch: $0, of: 150) })
        let u = [0.5, 0.1, 0.1, 0.9, 0.2, 0.3]
        let labels = [0, 0, 0, 0, 2, 2]
        func members(_ percent: Int) -> [[Int]] {
            centroidMembers(u: u, labels: labels, classes: 3, percent: percent)
        }
        #expect(members(100) == [[0, 1, 2, 3], [], [4, 5]])
        #expect(members(51) == [[1, 2], [], [4]])
        #expect(members(1) == [[1], [], [4]], "at least one, of equal ones the first")
    }

    /// A class without a sample, features of zeros: nothing that is not finite.
    @Test func emptyClasses() throws {
        try withNoLeaks {
            let objective = NCODObjective(labels: [0, 0, 2], classes: 3, features: 2, seed: 1)
            objective.updateCentroids(percent: 60)
            #expect(objective.centroids.doubles().allSatisfy { $0 == 0 })
            objective.features.write(
                Tensor([2], [1]), Tensor([3, 4] as [Float], [1, 2]))
            objective.updateCentroids(percent: 60)
            try expectClose(objective.centroids.doubles(), [0, 0, 0, 0, 0.6, 0.8], 1e-6)
        }
    }
}
