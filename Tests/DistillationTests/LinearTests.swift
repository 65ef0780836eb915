import Diagnostics
import Foundation
import Replica
import TestSupport
import Testing
import Torch

@testable import Distillation

@Suite(.takesTurns) struct LinearTests {
    private static let features: [Double] = [
        1, 0.5, -0.3, 2, 0.7, -1.2, -2, 0.1, 0.4, 0.4, -1.1, -0.6,
    ]
    private static let labels = [1, 0.8, 0, 0.25, 1, 0]

    private func fit(_ lambda: Double, _ loss: StageLoss = .crossEntropy, bias: Double? = nil)
        throws
        -> LinearClassifier.Fit
    {
        try LinearClassifier.fit(
            features: Tensor(Self.features, [6, 2]), labels: Self.labels, lambda: lambda,
            loss: loss, bias: bias)
    }

    /// Minima found by SciPy 1.17 (BFGS, then Newton) and, for the squared loss, from the normal
    /// equations in NumPy.
    @Test func minima() throws {
        let cases: [(LinearClassifier.Fit, [Double])] = [
            (try fit(0.3), [0.776744038443, 1.321711578872, 0.010099864622]),
            (try fit(5), [0.199302891260, 0.296483261879, 0.018866053458]),
            (try fit(0.3, bias: -0.5), [0.762767492356, 1.373395125139, -0.5]),
            (try fit(0.3, .squared), [0.368281426762, 0.585425058603, -0.020624035922]),
        ]
        for (fit, wanted) in cases {
            let found = fit.classifier.weights + [fit.classifier.bias]
            #expect(largestError(found, wanted).error < 1e-9)
            #expect(fit.converged)
            let again = fit.classifier.logits(Tensor(Self.features, [6, 2])).doubles()
            #expect(largestError(fit.logits, again).error < 1e-12)
        }
        #expect(cases[3].0.iterations == 1)
    }

    /// x = ±1 with labels to match: λw = 2σ(−w). And nearly no penalty on data that can be separated.
    @Test func byHand() throws {
        let x = Tensor([1, -1] as [Double], [2, 1])
        for lambda in [1e-6, 0.1, 100] {
            let fit = try LinearClassifier.fit(features: x, labels: [1, 0], lambda: lambda)
            let w = fit.classifier.weights[0]
            #expect(abs(lambda * w - 2 / (1 + exp(w))) < 1e-8)
            #expect(abs(fit.classifier.bias) < 1e-6 && fit.converged)
        }
    }

    @Test func stages() throws {
        let x = Tensor(Self.features, [6, 2])
        let given = [1, 1, 0, 0, 1, 0].map(Double.init)
        let hard = try LinearSelfDistillation.train(
            features: x, labels: given,
            schedule: Schedule(lambdas: [1, 2, 3], betas: [.infinity, 0.7], bias: .carried))
        #expect(hard.map(\.index) == [0, 1, 2])
        // Each stage is the fit to the labels that the one before gives.
        let second = try LinearClassifier.fit(
            features: x, labels: hard[0].logits.map { $0 > 0 ? 1 : 0 }, lambda: 2,
            bias: hard[0].classifier.bias)
        #expect(second.classifier == hard[1].classifier)
        let third = try LinearClassifier.fit(
            features: x, labels: hard[1].logits.map { 1 / (1 + exp(-0.7 * $0)) }, lambda: 3,
            bias: hard[0].classifier.bias)
        #expect(third.classifier == hard[2].classifier)
        // With the squared loss β scales weights and bias and changes nothing else.
        func squared(_ betas: [Double]?) throws -> [Double] {
            let stage = try LinearSelfDistillation.train(
                features: x, labels: given,
                schedule: Schedule(lambdas: [1, 2], betas: betas, loss: .squared))[1].classifier
            return stage.weights + [stage.bias]
        }
        let (plain, triple, adaptive) = (try squared([1]), try squared([3]), try squared(nil))
        for i in 0..<3 {
            #expect(abs(triple[i] - 3 * plain[i]) < 1e-9)
            #expect(abs(adaptive[i] * plain[0] - plain[i] * adaptive[0]) < 1e-9)
        }
    }

    @Test func refusals() throws {
        let x = Tensor(Self.features, [6, 2])
        func sentence(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "no problem"
        }
        #expect(
            sentence { _ = try LinearClassifier.fit(features: x, labels: [1], lambda: 1) }
                == "labels: value out of range: found 1, expected 6, one per row of features")
        #expect(
            sentence {
                _ = try LinearClassifier.fit(
                    features: x, labels: [1, 0, 0, 2, 0, 0], lambda: 1)
            } == "labels[3]: value out of range: found 2.0, expected a number from 0 to 1")
        #expect(
            sentence { _ = try LinearClassifier.fit(features: x, labels: Self.labels, lambda: 0) }
                == "lambda: value out of range: found 0.0, expected a number from 1e-12 to 1e15")
        let holed = Tensor([1, .nan] as [Double], [2, 1])
        #expect(
            sentence { _ = try LinearClassifier.fit(features: holed, labels: [1, 0], lambda: 1) }
                == "features: value out of range: found infinity or not-a-number, expected numbers")
        let single = Tensor([1, 2] as [Float], [2, 1])
        #expect(
            sentence { _ = try LinearClassifier.fit(features: single, labels: [1, 0], lambda: 1) }
                .hasPrefix("features: value out of range: found float32 [2, 1]"))
    }
}
