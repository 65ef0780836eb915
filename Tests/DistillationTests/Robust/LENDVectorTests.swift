import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// Diluted labels by numbers.
@Suite(.serialized, .takesTurns) struct LENDVectorTests {
    @Test func dilutionByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("lend_reconstruction")
            let labels = try vector.ints("labels")
            let k = Int(try vector.number("k"))
            for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-6)] {
                let features = try vector.matrix("features", rows: 8).to(dtype)
                let (neighbours, votes) = NearestNeighbours(
                    features, labels: labels, classes: 2, count: k, vote: .cosine
                ).amongThemselves()
                #expect(neighbours.ints() == (try vector.ints("neighbours")))
                try expectClose(
                    (votes / votes.sum(-1, keep: true)).doubles(), vector.numbers("weights"),
                    tolerance)
                let diluted = dilutedLabels(features, labels: labels, classes: 2, neighbours: k)
                #expect(diluted.dtype == dtype)
                try expectClose(diluted.doubles(), vector.numbers("diluted"), tolerance)
                // The length of a feature says nothing.
                let longer = dilutedLabels(
                    features * 7, labels: labels, classes: 2, neighbours: k)
                try expectClose(longer.doubles(), diluted.doubles(), 1e-6)
            }
        }
    }

    @Test func trustByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("lend_reconstruction")
            let objective = LENDObjective(
                .init(neighbours: 3), labels: try vector.ints("labels"), classes: 2)
            #expect(objective.dilute(by: try vector.matrix("features", rows: 8)).isEmpty)
            #expect(objective.trusted.all.ints() == (try vector.ints("clean")))
            try expectClose(objective.diluted.all.doubles(), vector.numbers("diluted"), 1e-6)
        }
    }

    /// A copy is a neighbour, the sample itself never is.
    @Test func copiesSwapTheirLabels() throws {
        try withNoLeaks {
            let features = Tensor([1.0, 0, 1, 0, 0, 1, 0, 1], [4, 2])
            let diluted = dilutedLabels(features, labels: [0, 1, 2, 2], classes: 3, neighbours: 1)
            #expect(diluted.doubles() == [0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1])
            // More neighbours than there are samples.
            let all = dilutedLabels(features, labels: [0, 1, 2, 2], classes: 3, neighbours: 99)
            #expect(all.doubles() == diluted.doubles())
        }
    }

    @Test func aSampleAloneKeepsItsLabel() throws {
        try withNoLeaks {
            let features = Tensor([1.0, 0, -1, 0.1, -1, -0.1, 0, 0], [4, 2])
            let diluted = dilutedLabels(features, labels: [2, 0, 1, 1], classes: 3, neighbours: 2)
            #expect(diluted.doubles() == [0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0])
        }
    }

    /// Too few trusted labels change nothing but the diluted ones; a class that vanishes is told.
    @Test func guards() throws {
        try withNoLeaks {
            let features = Tensor([1.0, 0, 1, 0, 0, 1, 0, 1], [4, 2])
            let none = LENDObjective(.init(neighbours: 1), labels: [0, 1, 0, 1], classes: 2)
            #expect(
                none.dilute(by: features) == [
                    "0 labels would be trusted: those trusted before are kept"
                ])
            #expect(none.trusted.all.ints() == [1, 1, 1, 1])
            #expect(none.diluted.all.doubles() == [0, 1, 1, 0, 0, 1, 1, 0])
            let some = LENDObjective(.init(neighbours: 1), labels: [0, 1, 2, 2], classes: 3)
            #expect(some.dilute(by: features) == ["no label is trusted of 2 given classes"])
            #expect(some.trusted.all.ints() == [0, 0, 1, 1])
            let one = LENDObjective(labels: [1], classes: 2)
            #expect(
                one.dilute(by: Tensor([1.0, 0], [1, 2])) == [
                    "one sample has no neighbours: its label is kept"
                ])
            #expect(one.diluted.all.doubles() == [0, 1])
            // Two classes have half each: the given one counts.
            let tied = LENDObjective(.init(neighbours: 2), labels: [1, 0, 1], classes: 2)
            #expect(tied.dilute(by: Tensor([1.0, 0, 1, 0, 1, 0], [3, 2])).isEmpty == false)
            #expect(tied.trusted.all.ints() == [1, 0, 1])
        }
    }
}
