import Torch

/// The distribution of a layer's first weights and biases.
///
/// With fan_in = weight.shape[1] · kernel elements and fan_out = weight.shape[0] · kernel elements,
/// as PyTorch counts them (also for grouped and transposed convolutions).
public struct Initialisation: Sendable {
    public enum Weight: Sendable {
        /// U(±1/√fan_in): what PyTorch's layers do when nothing is said (`kaiming_uniform_` with
        /// a = √5, which comes to this).
        case uniformFanIn
        /// N(0, √(2/fan_out)): He et al. 2015 (arXiv 1502.01852), the variant of the residual nets.
        case heFanOut
        case normal(std: Double)
    }

    public enum Bias: Sendable {
        /// U(±1/√fan_in) of the layer's weight.
        case uniformFanIn
        case zero
    }

    public var weight: Weight
    public var bias: Bias

    public init(weight: Weight, bias: Bias) {
        self.weight = weight
        self.bias = bias
    }

    /// PyTorch's default for linear layers and convolutions.
    public static let standard = Initialisation(weight: .uniformFanIn, bias: .uniformFanIn)
    /// The convolutions of residual networks; a bias, if there is one, starts at zero.
    public static let heFanOut = Initialisation(weight: .heFanOut, bias: .zero)

    public static func normal(std: Double) -> Initialisation {
        Initialisation(weight: .normal(std: std), bias: .zero)
    }

    /// A weight of `shape` and, if asked for, a bias of `outputs` values. Draws the weight first.
    func make(
        _ shape: [Int], outputs: Int, bias hasBias: Bool, generator: Generator
    ) -> (weight: Parameter, bias: Parameter?) {
        guard generator.makesValues else {
            return (
                Parameter(.shapeOnly(shape)), hasBias ? Parameter(.shapeOnly([outputs])) : nil
            )
        }
        let kernel = shape.dropFirst(2).reduce(1, *)
        let fanIn = Double(shape[1] * kernel)
        let fanOut = Double(shape[0] * kernel)
        let weight = Tensor.empty(shape)
        switch self.weight {
        case .uniformFanIn:
            weight.fillUniform(-1 / fanIn.squareRoot(), 1 / fanIn.squareRoot(), generator)
        case .heFanOut: weight.fillNormal(mean: 0, std: (2 / fanOut).squareRoot(), generator)
        case .normal(let std): weight.fillNormal(mean: 0, std: std, generator)
        }
        guard hasBias else { return (Parameter(weight), nil) }
        let bias = Tensor.zeros([outputs])
        if case .uniformFanIn = self.bias {
            bias.fillUniform(-1 / fanIn.squareRoot(), 1 / fanIn.squareRoot(), generator)
        }
        return (Parameter(weight), Parameter(bias))
    }
}
