import Foundation
import Torch

/// Multinomial logistic regression on frozen, standardised features: what a representation holds
/// that a linear classifier can read.
///
/// The mean cross-entropy with an L2 penalty of 1e-4, by 300 full-batch steps of Adam with a rate
/// that falls from .05 along half a cosine, from zero weights. Deterministic.
struct LinearProbe {
    private let mean: Tensor
    private let std: Tensor
    private let weight: Tensor
    private let bias: Tensor

    /// - Parameters:
    ///   - features: [n, D].
    ///   - labels: of the rows.
    init(_ features: Tensor, labels: [Int], classes: Int) {
        let d = features.shape[1]
        mean = features.mean(0)
        std = features.variance(0, unbiased: false).sqrt().clamped(1e-6, nil)
        weight = .zeros([classes, d])
        bias = .zeros([classes])
        weight.requiresGrad = true
        bias.requiresGrad = true
        let x = (features - mean) / std
        let y = Tensor(labels, [labels.count])
        let optimizer = ProbeAdam([weight, bias])
        let steps = 300
        for step in 0..<steps {
            let loss =
                crossEntropy(linear(x, weight, bias), y).mean()
                + (weight * weight).sum() * (1e-4 / 2)
            loss.backward()
            optimizer.step(learningRate: 0.05 * (1 + cos(.pi * Double(step) / Double(steps))) / 2)
        }
    }

    func evaluation(_ features: Tensor, labels: [Int]) -> Evaluation {
        withoutGradient {
            let logits = linear((features - mean) / std, weight, bias)
            return Evaluation(
                logProbabilities: logits.logSoftmax().floats(), classes: weight.shape[0],
                labels: labels)
        }
    }
}

private final class ProbeAdam {
    private let parameters: [Tensor]
    private let means: [Tensor]
    private let squares: [Tensor]
    private let steps: [Tensor]

    init(_ parameters: [Tensor]) {
        self.parameters = parameters
        means = parameters.map { $0.zerosLike() }
        squares = parameters.map { $0.zerosLike() }
        steps = parameters.map { _ in .zeros([]) }
    }

    func step(learningRate: Double) {
        Updates.adam(
            parameters, parameters.map { $0.gradient! }, means: means, squares: squares,
            steps: steps, learningRate: learningRate, beta1: 0.9, beta2: 0.999, eps: 1e-8,
            weightDecay: 0,
            decoupled: false)
        for parameter in parameters { parameter.clearGradient() }
    }
}
