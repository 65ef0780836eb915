import Torch

/// Stochastic gradient descent with momentum, after PyTorch's `torch.optim.SGD` (dampening 0):
///
///     g ← g + wd · p
///     v ← μ v + g
///     p ← p − η · (nesterov ? g + μ v : v)
///
/// v starts as zeros, which makes the first step v = g without a flag to keep.
/// Papers: see `OptimizerOptions`.
public final class SGD: Optimizer {
    public let parameters: [(name: String, tensor: Tensor)]
    public let options: OptimizerOptions
    private let momenta: [Tensor]

    public init(parameters: [(name: String, tensor: Tensor)], options: OptimizerOptions) {
        self.parameters = parameters
        self.options = options
        momenta = options.momentum == 0 ? [] : parameters.map { $0.tensor.zerosLike() }
    }

    /// Empty without momentum.
    public var state: [(name: String, tensor: Tensor)] {
        zip(parameters, momenta).map { ($0.name + ".momentum", $1) }
    }

    public func update(
        _ indices: [Int], gradients: [Tensor], learningRate: Double, weightDecay: Double
    ) {
        Updates.sgd(
            indices.map { parameters[$0].tensor }, gradients,
            momenta: momenta.isEmpty ? [] : indices.map { momenta[$0] }, learningRate: learningRate,
            momentum: options.momentum, weightDecay: weightDecay, nesterov: options.nesterov,
            firstStep: false)
    }
}
