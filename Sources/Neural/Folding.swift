import Torch

/// Weight and bias of a layer with the batch norm behind it multiplied in.
public struct Fold {
    let weight: Tensor
    let bias: Tensor
}

/// A layer that is affine per output channel, so that a batch norm in evaluation mode right behind
/// it can be folded into its weight and bias.
public protocol Foldable: Module {
    var weight: Parameter { get }
    var bias: Parameter? { get }
    /// The dimension of `weight` that counts the output channels.
    var outputDimension: Int { get }
    /// Used in place of `weight` and `bias` when set; only `Frozen` sets it.
    var fold: Fold? { get set }
}

/// A layer and the batch norm that is the only reader of its output.
public typealias FoldablePair = (layer: any Foldable, norm: BatchNorm)

extension Foldable {
    /// With s = γ / √(running variance + ε): W′ = s W and b′ = s (b − running mean) + β, computed
    /// in float64. Exact up to the rounding of W′ and b′.
    func folded(with norm: BatchNorm) -> Fold {
        let mean = norm.runningMean.tensor.to(.float64)
        let spread = (norm.runningVar.tensor.to(.float64) + norm.epsilon).sqrt()
        var scale = Tensor.ones([mean.count], dtype: .float64, device: mean.device) / spread
        if let gamma = norm.weight?.tensor { scale = scale * gamma.to(.float64) }
        var shift = -(mean * scale)
        if let bias = bias?.tensor { shift = shift + bias.to(.float64) * scale }
        if let beta = norm.bias?.tensor { shift = shift + beta.to(.float64) }

        let own = weight.tensor
        var shape = [Int](repeating: 1, count: own.shape.count)
        shape[outputDimension] = mean.count
        let product = own.to(.float64) * scale.reshaped(shape)
        return Fold(weight: product.to(own.dtype), bias: shift.to(own.dtype))
    }
}

extension Module {
    /// Folds every batch norm that can be folded exactly, and returns how many were. The module
    /// runs in evaluation mode only from then on.
    func foldBatchNorms() -> Int {
        let pairs = modules.flatMap { $0.module.foldablePairs }
        withoutGradient {
            for (layer, norm) in pairs {
                precondition(layer.fold == nil && !norm.isFolded, "a batch norm is folded twice")
                layer.fold = layer.folded(with: norm)
                norm.isFolded = true
            }
        }
        return pairs.count
    }
}
