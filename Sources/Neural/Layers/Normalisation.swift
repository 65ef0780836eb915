import Torch

/// Batch normalisation over dimension 1 (Ioffe and Szegedy 2015, arXiv 1502.03167).
/// Input [N, C], [N, C, L] or [N, C, H, W].
///
/// Training uses the batch's mean and biased variance and moves the running statistics by
/// `momentum` towards the batch's mean and *unbiased* variance, as PyTorch does; evaluation uses
/// the running statistics and changes nothing. The unbiased variance of one value is 0/0: training on one
/// value per channel is refused, as by PyTorch, before it corrupts the running statistics.
public final class BatchNorm: Module {
    /// γ and β, absent without `affine`.
    public let weight: Parameter?
    public let bias: Parameter?
    public let runningMean: Buffer
    public let runningVar: Buffer
    /// Training batches seen, int64 scalar.
    public let numBatchesTracked: Buffer
    public let momentum: Double
    public let epsilon: Double
    /// True when the layer before has taken this one over (only inside `Frozen`).
    var isFolded = false

    /// The reason of the engine error for training on one value per channel.
    public static let oneValue = "more than one value per channel is needed in training"

    public init(
        _ channels: Int, affine: Bool = true, momentum: Double = 0.1, epsilon: Double = 1e-5
    ) {
        weight = affine ? Parameter(.ones([channels])) : nil
        bias = affine ? Parameter(.zeros([channels])) : nil
        runningMean = Buffer(.zeros([channels]))
        runningVar = Buffer(.ones([channels]))
        numBatchesTracked = Buffer(.zeros([], dtype: .int64))
        self.momentum = momentum
        self.epsilon = epsilon
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        if isFolded {
            guard case .eval = mode else {
                preconditionFailure("a folded batch norm can be neither trained nor probed")
            }
            return x
        }
        if case .probe(let probe) = mode { return probe.read(x, in: self) }
        if mode.isTraining {
            let shape = x.shape
            if shape.count > 1, shape.reduce(1, *) == shape[1] {
                return Engine.refused("batchNorm", x, reason: BatchNorm.oneValue)
            }
            numBatchesTracked.tensor.addInPlace(.scalar(1, dtype: .int64), alpha: 1)
        }
        return batchNorm(
            x, weight: weight?.tensor, bias: bias?.tensor, runningMean: runningMean.tensor,
            runningVariance: runningVar.tensor, training: mode.isTraining, momentum: momentum,
            eps: epsilon)
    }
}

public typealias BatchNorm1d = BatchNorm
public typealias BatchNorm2d = BatchNorm

/// Layer normalisation over the last dimensions (Ba, Kiros, Hinton 2016, arXiv 1607.06450),
/// with the biased variance. Input [..., shape].
public final class LayerNorm: Module {
    public let weight: Parameter
    public let bias: Parameter
    public let epsilon: Double

    public init(_ shape: [Int], epsilon: Double = 1e-5) {
        weight = Parameter(.ones(shape))
        bias = Parameter(.zeros(shape))
        self.epsilon = epsilon
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        layerNorm(
            x, weight.tensor.shape, weight: weight.tensor, bias: bias.tensor, eps: epsilon)
    }
}

/// Sets each value to zero with probability `probability` in training and divides the others by
/// 1 − probability (Srivastava et al. 2014). The identity in evaluation and at probability 0.
public final class Dropout: Module {
    /// 0 ≤ probability < 1.
    public let probability: Double

    public init(_ probability: Double) {
        precondition(probability >= 0 && probability < 1, "dropout probability \(probability)")
        self.probability = probability
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        guard case .train(let generator) = mode, probability > 0 else { return x }
        return dropout(x, p: probability, generator)
    }
}
