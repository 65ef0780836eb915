import Foundation
import Torch

/// Labels by the votes of the nearest samples of a bank, by cosine: what a representation is worth without
/// training anything on it.
///
/// Each of the k nearest votes for its class with exp(cos/τ), τ = .07 (Wu, Xiong, Yu, Lin,
/// "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", 2018, arXiv
/// 1805.01978).
struct NearestNeighbours {
    static let temperature = 0.07

    /// [M, D], rows of length 1.
    private let bank: Tensor
    private let labels: Tensor
    private let classes: Int
    /// k
    private let count: Int

    /// - Parameters:
    ///   - features: [M, D], M ≥ 1.
    ///   - labels: of the rows.
    ///   - count: k; all of the bank if it is smaller.
    init(_ features: Tensor, labels: [Int], classes: Int, count: Int) {
        bank = features.normalisedRows()
        self.labels = Tensor(labels, [labels.count])
        self.classes = classes
        self.count = min(count, labels.count)
    }

    /// log of each class's share of the votes [n, C], at least log 1e-12, for queries [n, D].
    func logProbabilities(_ queries: Tensor) -> Tensor {
        withoutGradient {
            let rows = queries.normalisedRows()
            let keys = bank.transposed()
            let n = rows.shape[0]
            // About 64 MiB of cosines at a time.
            let chunk = max(1, min(n, (16 << 20) / max(1, bank.shape[0])))
            let parts = stride(from: 0, to: n, by: chunk).map { start in
                let part = rows.narrowed(0, from: start, count: min(chunk, n - start))
                let near = part.matmul(keys).topK(count)
                let voters = labels.indexed(0, by: near.indices.reshaped([-1]))
                    .reshaped(near.indices.shape)
                let votes = ((near.values - 1) / Self.temperature).exp()
                let sums = Tensor.zeros([part.shape[0], classes]).scatterAdding(1, voters, votes)
                return (sums / sums.sum(-1, keep: true)).clamped(1e-12, 1).log()
            }
            return .concatenated(parts)
        }
    }

    func evaluation(_ queries: Tensor, labels: [Int]) -> Evaluation {
        Evaluation(
            logProbabilities: logProbabilities(queries).floats(), classes: classes, labels: labels)
    }
}

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
