import Torch

/// Adam (L2 regularisation) and AdamW (decoupled decay), after PyTorch's `torch.optim`:
///
///     Adam:  g ← g + wd · p          AdamW:  p ← p − η · wd · p
///     m ← β₁ m + (1 − β₁) g          v ← β₂ v + (1 − β₂) g²
///     p ← p − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
///
/// t counts the steps of each parameter on its own. Papers: see `OptimizerOptions`.
public final class Adam: Optimizer {
    public let parameters: [(name: String, tensor: Tensor)]
    public let options: OptimizerOptions
    private let means: [Tensor]
    private let squares: [Tensor]
    /// t, as float32 scalars.
    private let steps: [Tensor]

    public init(parameters: [(name: String, tensor: Tensor)], options: OptimizerOptions) {
        self.parameters = parameters
        self.options = options
        means = parameters.map { $0.tensor.zerosLike() }
        squares = parameters.map { $0.tensor.zerosLike() }
        steps = parameters.map { Tensor.scalar(0, device: $0.tensor.device) }
    }

    public var state: [(name: String, tensor: Tensor)] {
        parameters.indices.flatMap { i in
            let name = parameters[i].name
            return [
                (name + ".mean", means[i]), (name + ".square", squares[i]),
                (name + ".step", steps[i]),
            ]
        }
    }

    public func update(
        _ indices: [Int], gradients: [Tensor], learningRate: Double, weightDecay: Double
    ) {
        Updates.adam(
            indices.map { parameters[$0].tensor }, gradients, means: indices.map { means[$0] },
            squares: indices.map { squares[$0] }, steps: indices.map { steps[$0] },
            learningRate: learningRate,
            beta1: options.beta1, beta2: options.beta2, eps: options.eps, weightDecay: weightDecay,
            decoupled: options.kind == .adamw)
    }
}
