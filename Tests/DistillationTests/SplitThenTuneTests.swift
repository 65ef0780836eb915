import Diagnostics
import Foundation
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Linear classifiers that count some samples less.
@Suite(.takesTurns) struct SplitThenTuneTests {
    /// 40 samples of two clouds; the first of each ten has the wrong label.
    private static let sample: (features: Tensor, labels: [Double]) = {
        var draw = Draw(seed: 4, .tests)
        var values: [Double] = []
        let labels = (0..<40).map { i in
            let right = i % 2
            values += (0..<3).map { _ in draw.normal() + (right == 1 ? 1.2 : -1.2) }
            return Double(i % 10 < 2 ? 1 - right : right)
        }
        return (Tensor(values, [40, 3]), labels)
    }()

    private func failure(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return "no error"
        } catch { return "\(error)" }
    }

    // MARK: Weights

    /// A weight of two is the sample twice, one of zero is the sample left out.
    @Test func weightsAreCounts() throws {
        let x: [Double] = [1, 0.5, -0.3, 2, 0.7, -1.2, -2, 0.1]
        let y = [1, 0.8, 0, 0.25]
        for bias in [nil, 0.3] {
            let weighted = try LinearClassifier.fit(
                features: Tensor(x, [4, 2]), labels: y, weights: [2, 1, 0, 1], lambda: 0.7,
                bias: bias)
            let repeated = try LinearClassifier.fit(
                features: Tensor([1, 0.5, 1, 0.5, -0.3, 2, -2, 0.1] as [Double], [4, 2]),
                labels: [1, 1, 0.8, 0.25], lambda: 0.7, bias: bias)
            #expect(weighted.converged && weighted.logits.count == 4)
            #expect(
                largestError(weighted.classifier.weights, repeated.classifier.weights).error < 1e-7)
            #expect(abs(weighted.classifier.bias - repeated.classifier.bias) < 1e-7)
        }
    }

    @Test func refusals() throws {
        func said(_ weights: [Double]) -> String {
            failure {
                try LinearClassifier.fit(
                    features: Tensor([1, 2] as [Double], [2, 1]), labels: [0, 1], weights: weights,
                    lambda: 1)
            }
        }
        #expect(said([1]) == "weights: value out of range: found 1, expected 2, one per label")
        #expect(
            said([1, -1])
                == "weights[1]: value out of range: found -1.0, expected a number from 0 to 1e12")
        #expect(said([.nan, 1]).hasPrefix("weights[0]: value out of range: found nan"))
        #expect(
            said([0, 0]) == "weights: value out of range: found zeros only, expected one above 0")
        #expect(
            failure { try SplitThenTune.weights(losses: [1, .nan], labels: [0, 1]) }
                .hasPrefix("sample 1: a loss is not finite"))
    }

    // MARK: GCE

    /// The slope of the objective is 0 at the end: Σ p^q (p − y) x + λw = 0, and without x for the bias.
    @Test func generalisedIsAMinimum() throws {
        let (x, y) = Self.sample
        let q = 0.7
        let (fit, losses) = try SplitThenTune.generalised(
            features: x, labels: y, lambda: 2, rounds: 200, tolerance: 1e-10)
        let own = fit.logits.map { 1 / (1 + exp(-$0)) }
        let slope = zip(own, y).map { p, y in pow(y > 0.5 ? p : 1 - p, q) * (p - y) }
        let values = x.doubles()
        for k in 0..<3 {
            let sum = slope.indices.reduce(0) { $0 + slope[$1] * values[3 * $1 + k] }
            #expect(abs(sum + 2 * fit.classifier.weights[k]) < 5e-3)
        }
        #expect(abs(slope.reduce(0, +)) < 5e-3)
        let wanted = zip(own, y).map { p, y in (1 - pow(y > 0.5 ? p : 1 - p, q)) / q }
        #expect(largestError(losses, wanted).error < 1e-12)
        #expect(losses.allSatisfy { (0...1 / q).contains($0) })
    }

    /// Each weighted fit lowers the objective; q near 0 is cross-entropy.
    @Test func fitsGoDown() throws {
        let (x, y) = Self.sample
        func objective(_ rounds: Int) throws -> Double {
            let (fit, losses) = try SplitThenTune.generalised(
                features: x, labels: y, lambda: 0.5, rounds: rounds)
            return losses.reduce(0, +)
                + 0.25 * fit.classifier.weights.reduce(0) { $0 + $1 * $1 }
        }
        let values = try (0..<6).map(objective)
        #expect(zip(values, values.dropFirst()).allSatisfy { $1 <= $0 + 1e-6 })
        #expect(values[5] < values[0] - 1e-3)
        let plain = try LinearClassifier.fit(features: x, labels: y, lambda: 0.5)
        let near = try SplitThenTune.generalised(features: x, labels: y, lambda: 0.5, q: 1e-9).fit
        #expect(largestError(near.classifier.weights, plain.classifier.weights).error < 1e-5)
    }

    // MARK: Split

    /// The wrong labels have the large losses, and are left out.
    @Test func wrongLabelsAreLeftOut() throws {
        let (x, y) = Self.sample
        let losses = try SplitThenTune.generalised(features: x, labels: y, lambda: 1).losses
        let weights = try SplitThenTune.weights(losses: losses, labels: y.map { Int($0) })
        let wrong = (0..<40).filter { $0 % 10 < 2 }
        #expect(wrong.count { weights[$0] == 0 } >= 6)
        #expect((0..<40).count { weights[$0] > 0 } >= 24)
        #expect(weights.allSatisfy { $0 == 0 || 0.5 < $0 && $0 <= 1 })
    }

    @Test func guards() throws {
        // Equal losses: everything counts. So it does where there is one sample of each class.
        #expect(
            try SplitThenTune.weights(losses: [1, 1, 1, 1], labels: [0, 1, 0, 1]) == [1, 1, 1, 1])
        #expect(try SplitThenTune.weights(losses: [], labels: []) == [])
        // All of class 1 in the right hump, with equal losses: split by itself it has none to leave out, split with
        // the others none to keep. Half of it stays.
        let losses = [0.1, 0.11, 0.12, 0.1, 0.11, 1.4, 1.4, 1.4]
        let labels = [0, 0, 0, 0, 0, 1, 1, 1]
        let weights = try SplitThenTune.weights(losses: losses, labels: labels)
        #expect(weights[5...] == [1, 1, 0])
        #expect(weights[..<5].contains { $0 > 0 })
        // With two humps of its own it keeps its left one.
        let second = try SplitThenTune.weights(
            losses: Array(losses[..<5]) + [1.0, 1.01, 1.02, 1.4, 1.41],
            labels: Array(labels[..<5]) + [1, 1, 1, 1, 1])
        #expect(second[5...].map { $0 > 0 } == [true, true, true, false, false])
    }
}
