import Datasets
import Distillation
import Foundation
import Neural
import TestSupport
import Testing
import Torch

@testable import Training

/// What is measured of an encoder's features, by hand.
@Suite(.serialized, .takesTurns) struct RelationMeasureTests {
    /// Votes by hand: k = 2 of three samples on the axes.
    @Test func neighboursByHand() throws {
        try withNoLeaks {
            let bank = Tensor([2, 0, 0, 3, 1, 1] as [Float], [3, 2])
            let nearest = NearestNeighbours(bank, labels: [0, 1, 1], classes: 3, count: 2)
            let p = nearest.logProbabilities(Tensor([Float(5), 0], [1, 2])).exp().doubles()
            let other = exp((0.5.squareRoot() - 1) / 0.07)
            let expected: [Double] = [1 / (1 + other), other / (1 + other), 1e-12]
            try expectClose(p, expected, 1e-6)
            let evaluation = nearest.evaluation(
                Tensor([5, 0, 0, 5, -1, -1] as [Float], [3, 2]), labels: [0, 1, 0])
            #expect(evaluation.samples == 3 && evaluation.accuracy >= 2 / 3)
            // More neighbours than the bank has.
            let all = NearestNeighbours(bank, labels: [0, 1, 1], classes: 2, count: 9)
            #expect(all.evaluation(bank, labels: [0, 1, 1]).accuracy == 1)
        }
    }

    /// A linear rule is read off; what the features do not hold is not.
    @Test func probeReadsLinearRules() throws {
        try withNoLeaks {
            let x = values(5, [400, 3], scale: 10, shift: 50)
            let rows = x.floats()
            let rule = (0..<400).map { rows[$0 * 3] + 2 * rows[$0 * 3 + 1] > 150 ? 1 : 0 }
            let probe = LinearProbe(x, labels: rule, classes: 2)
            #expect(probe.evaluation(x, labels: rule).accuracy > 0.99)
            let noise = (0..<400).map { ($0 * 7919) % 2 }
            #expect(
                LinearProbe(x, labels: noise, classes: 2).evaluation(x, labels: noise).accuracy
                    < 0.65)
        }
    }

    /// Four samples in two tight pairs, one pair of mixed classes.
    @Test func graphByHand() throws {
        try withNoLeaks {
            let features = Tensor([1, 0, 0.99, 0.1, 0, 1, 0.1, 0.99] as [Float], [4, 2])
            let graph = RelationGraph(features, labels: [0, 0, 0, 1], classes: 2, neighbours: 1)
            let shares: [[Double]] = [[2.0 / 3, 1.0 / 3], [1, 0]]
            #expect(graph.neighbourShares == shares)
            #expect(graph.sameClass == 0.5)
            #expect(graph.matrixClasses == [0, 0, 0, 1])
            #expect(graph.matrix[0][0] == 1 && abs(graph.matrix[0][1] - 0.9949) < 1e-9)
            #expect(graph.matrix[0][2] == 0)
            // One sample has no neighbours.
            let one = RelationGraph(
                Tensor([Float(1)], [1, 1]), labels: [0], classes: 1, neighbours: 3)
            #expect(one.sameClass == 0 && one.neighbourShares == [[0]])
        }
    }
}
