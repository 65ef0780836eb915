import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Training

/// Measures by hand.
@Suite struct EvaluationTests {
    private func logs(_ rows: [[Double]]) -> [Float] { rows.flatMap { $0.map { Float(log($0)) } } }

    @Test func byHand() throws {
        // Confidences .5, .6, .9, .4: bins 7 (.4667-.5333), 9 (.6-.6667; .6 is its edge), 13, 6.
        let p = [[0.5, 0.3, 0.2], [0.05, 0.35, 0.6], [0.9, 0.06, 0.04], [0.35, 0.25, 0.4]]
        let evaluation = Evaluation(logProbabilities: logs(p), classes: 3, labels: [0, 1, 0, 2])
        #expect(evaluation.samples == 4)
        #expect(evaluation.accuracy == 0.75)
        #expect(evaluation.top5 == 1)
        #expect(evaluation.confusion == [[2, 0, 0], [0, 0, 1], [0, 0, 1]])
        #expect(evaluation.perClass == [1, 0, 1])
        let nll = -(log(0.5) + log(0.35) + log(0.9) + log(0.4)) / 4
        #expect(abs(evaluation.nll - nll) < 1e-7)
        // Each sample is alone in its bin: (|1 - .5| + |0 - .6| + |1 - .9| + |1 - .4|) / 4.
        #expect(abs(evaluation.ece - 1.8 / 4) < 1e-7)
    }

    /// Within one bin, hits and misses cancel before the absolute value is taken.
    @Test func calibrationIsPerBin() {
        let p = [[0.52, 0.48], [0.52, 0.48]]
        let evaluation = Evaluation(logProbabilities: logs(p), classes: 2, labels: [0, 1])
        #expect(abs(evaluation.ece - 0.02) < 1e-6)
    }

    @Test func certaintyIsInTheLastBin() {
        let evaluation = Evaluation(logProbabilities: [0, -.infinity], classes: 2, labels: [0])
        #expect(evaluation.ece == 0)
        #expect(evaluation.nll == 0)
        #expect(evaluation.perClass == [1, nil])
        let wrong = Evaluation(logProbabilities: [0, -.infinity], classes: 2, labels: [1])
        #expect(wrong.ece == 1)
        #expect(wrong.nll == .infinity)
    }

    /// Seven classes with falling scores: labels 0 to 4 are among the five, 5 and 6 are not.
    @Test func topFive() {
        let row = [0.3, 0.25, 0.2, 0.1, 0.08, 0.04, 0.03]
        let evaluation = Evaluation(
            logProbabilities: logs([[[Double]](repeating: row, count: 7)].flatMap { $0 }),
            classes: 7,
            labels: Array(0..<7))
        #expect(abs(evaluation.top5 - 5.0 / 7) < 1e-12)
        #expect(abs(evaluation.accuracy - 1.0 / 7) < 1e-12)
    }

    /// Equal scores: the lower class wins, and counts before the higher one.
    @Test func ties() {
        let row = [Float](repeating: Float(log(1.0 / 6)), count: 6)
        func one(_ label: Int) -> Evaluation {
            Evaluation(logProbabilities: row, classes: 6, labels: [label])
        }
        #expect(one(0).accuracy == 1)
        #expect(one(1).accuracy == 0)
        #expect(one(4).top5 == 1)
        #expect(one(5).top5 == 0)
    }

    @Test func nothing() {
        let evaluation = Evaluation(logProbabilities: [], classes: 2, labels: [])
        #expect(evaluation.samples == 0)
        #expect(evaluation.accuracy == 0)
        #expect(evaluation.perClass == [nil, nil])
    }

    /// Scores that are not finite survive a record.
    @Test func infiniteScoresAreSaved() throws {
        let wrong = Evaluation(logProbabilities: [0, -.infinity], classes: 2, labels: [1])
        let back = try JSON.read(Evaluation.self, JSON.file(wrong))
        #expect(back == wrong)
    }
}
