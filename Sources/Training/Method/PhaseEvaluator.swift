import Datasets
import Neural
import Torch

/// What measures the networks of a phase at the end of each epoch and of the phase.
public protocol PhaseEvaluator: AnyObject {
    /// - Parameter isFinal: whether the phase is at its end, where more may be measured.
    /// - Throws: an engine error, or `OutputsNotFinite`.
    func measure(_ networks: [any Classifier], isFinal: Bool) throws -> Measured
    /// What the scores are; accuracy if not said.
    var metric: PhaseMetric { get }
}

extension PhaseEvaluator {
    public var metric: PhaseMetric { .accuracy }
}

/// Scores of several networks, and of all of them together where there are several.
public struct Measured {
    public var each: [PhaseResult.Scores]
    public var together: PhaseResult.Together?

    public init(each: [PhaseResult.Scores], together: PhaseResult.Together? = nil) {
        self.each = each
        self.together = together
    }
}

/// Measures on a validation and a test set.
public final class SplitEvaluator: PhaseEvaluator {
    public let validation: EvaluationSet
    public let test: EvaluationSet
    public let metric: PhaseMetric
    private let precision: Precision

    /// - Parameter metric: what the scores on these sets are.
    public init(
        validation: EvaluationSet, test: EvaluationSet, precision: Precision,
        metric: PhaseMetric = .accuracy
    ) {
        self.validation = validation
        self.test = test
        self.precision = precision
        self.metric = metric
    }

    public func measure(_ networks: [any Classifier], isFinal: Bool) throws -> Measured {
        let validation = try evaluate(networks, self.validation, "validation")
        let test = try evaluate(networks, self.test, "test")
        let each = zip(validation.each, test.each).map {
            PhaseResult.Scores(validation: $0, test: $1)
        }
        guard let v = validation.together, let t = test.together else {
            return Measured(each: each)
        }
        return Measured(
            each: each,
            together: PhaseResult.Together(
                ensemble: .init(validation: v, test: t), agreement: validation.agreement,
                testAgreement: test.agreement))
    }

    private func evaluate(
        _ networks: [any Classifier], _ set: EvaluationSet, _ split: String
    ) throws -> (each: [Evaluation], together: Evaluation?, agreement: Double) {
        try OutputsNotFinite.naming(split) {
            try Engine.checked {
                let logP = networks.map { network in
                    set.logits({ network($0, mode: .eval) }, precision: precision).logSoftmax()
                }
                let each = try logP.map(set.evaluation(ofLogProbabilities:))
                guard logP.count > 1 else { return (each, nil, 1) }
                let mean = Tensor.stacked(logP.map { $0.exp() }).mean(0)
                return (
                    each, try set.evaluation(ofLogProbabilities: mean.clamped(1e-38, 1).log()),
                    agreement(logP.map { $0.argmax().ints() })
                )
            }
        }
    }

    /// Mean over pairs of the share of samples with equal predictions.
    private func agreement(_ predictions: [[Int]]) -> Double {
        var sum = 0.0
        var pairs = 0
        for i in predictions.indices {
            for j in 0..<i {
                let equal = zip(predictions[i], predictions[j]).count { $0 == $1 }
                sum += Double(equal) / Double(max(1, predictions[i].count))
                pairs += 1
            }
        }
        return pairs == 0 ? 1 : sum / Double(pairs)
    }
}
