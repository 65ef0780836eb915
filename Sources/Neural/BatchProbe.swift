import Torch

/// Collects what the batch norms of one pass saw: the mode `.probe` of a call takes it along, so that
/// no layer keeps a switch or a hook that could stay on.
public final class BatchProbe {
    /// Of one batch norm, in the order in which the pass came to them.
    public struct Reading {
        public let norm: BatchNorm
        /// Mean of the norm's input over the batch and all positions [C], recorded for gradients.
        public let mean: Tensor
        /// Its biased variance [C].
        public let variance: Tensor

        public init(norm: BatchNorm, mean: Tensor, variance: Tensor) {
            self.norm = norm
            self.mean = mean
            self.variance = variance
        }
    }

    public private(set) var readings: [Reading] = []

    public init() {}

    func read(_ x: Tensor, in norm: BatchNorm) -> Tensor {
        let (output, mean, variance) = probedBatchNorm(
            x, weight: norm.weight?.tensor, bias: norm.bias?.tensor,
            runningMean: norm.runningMean.tensor, runningVariance: norm.runningVar.tensor,
            eps: norm.epsilon)
        readings.append(Reading(norm: norm, mean: mean, variance: variance))
        return output
    }
}
