import Diagnostics
import Replica
import Torch

/// Multi-stage self-distillation of a linear classifier: what target Replica predicts for Gaussian
/// mixtures, done with any matrix of features.
///
/// Takanami, Takahashi and Sakata, arXiv 2501.16226. Stage 0 learns from the given labels, stage k from
/// σ(β u) or 1[u > 0] of stage k − 1 on the same samples; every stage starts anew, with a λ of its own.
/// A frozen network's penultimate layer, standardised, makes the features of their CIFAR-10 experiment.
public enum LinearSelfDistillation {
    /// One trained stage.
    public struct Stage: Sendable {
        /// k of k-SD.
        public var index: Int
        public var classifier: LinearClassifier
        /// u on the training samples: what the next stage's labels are made from.
        public var logits: [Double]
        public var iterations: Int
        public var converged: Bool
    }

    /// - Parameters:
    ///   - features: [M, N], float64.
    ///   - labels: given labels, 0 or 1 (or soft), one per sample.
    ///   - schedule: λ, β, loss and bias rule of every stage.
    /// - Throws: `Problem` for features or labels that cannot be fitted.
    public static func train(features: Tensor, labels: [Double], schedule: Schedule) throws(Problem)
        -> [Stage]
    {
        var stages: [Stage] = []
        var labels = labels
        for (k, lambda) in schedule.lambdas.enumerated() {
            var bias: Double?
            switch schedule.bias {
            case .learnt: break
            case .carried: bias = stages.first?.classifier.bias
            case .fixed(let value): bias = value
            }
            let fit = try LinearClassifier.fit(
                features: features, labels: labels, lambda: lambda, loss: schedule.loss, bias: bias)
            stages.append(
                Stage(
                    index: k, classifier: fit.classifier, logits: fit.logits,
                    iterations: fit.iterations, converged: fit.converged))
            guard k < schedule.betas.count else { break }
            var beta = schedule.betas[k]
            if beta.isNaN {
                // The squared loss's own scale, 1/√Q with Q = |w|²/N.
                let w = fit.classifier.weights
                let q = w.reduce(0) { $0 + $1 * $1 } / Double(w.count)
                beta = q > 0 ? 1 / q.squareRoot() : 1
            }
            labels = fit.logits.map { pseudoLabel($0, beta, schedule.loss) }
        }
        return stages
    }
}
