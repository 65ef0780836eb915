import Torch

/// y = x Wᵀ + b. Input [..., inputs], output [..., outputs]; `weight` [outputs, inputs].
public final class Linear: Module, Foldable {
    public let weight: Parameter
    public let bias: Parameter?
    public var fold: Fold?

    public init(
        _ inputs: Int, _ outputs: Int, bias: Bool = true,
        initialisation: Initialisation = .standard, generator: Generator
    ) {
        (weight, self.bias) = initialisation.make(
            [outputs, inputs], outputs: outputs, bias: bias, generator: generator)
    }

    public var inputs: Int { weight.tensor.shape[1] }
    public var outputs: Int { weight.tensor.shape[0] }
    public var outputDimension: Int { 0 }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        linear(x, fold?.weight ?? weight.tensor, fold?.bias ?? bias?.tensor)
    }
}
