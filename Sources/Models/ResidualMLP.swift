import Neural
import Torch

/// Two linear layers beside a way past them, m = f + s ⊙ W₂ ReLU(BN(W₁ f)), and a linear classifier on m: for
/// tables whose columns are the features of a network that is not trained.
///
/// The head of NMTune (Chen et al. 2023, arXiv 2309.17002). s is a learnt factor per column that begins at 1. Its
/// features, which are m, are as wide as its inputs. Keys `scale`, `first.weight`, `first.bias`, `norm.weight`,
/// …, `second.weight`, `second.bias`, `head.weight`, `head.bias`. PyTorch's default initialisation.
public final class ResidualMLP: Classifier {
    public struct Configuration: Sendable, Equatable {
        /// Values per sample, after flattening.
        public var inputs: Int
        /// Of the layer inside.
        public var hidden: Int
        public var classes: Int

        /// - Parameter hidden: four times the inputs if nil.
        public init(inputs: Int, hidden: Int? = nil, classes: Int) {
            self.inputs = inputs
            self.hidden = hidden ?? 4 * inputs
            self.classes = classes
        }
    }

    public let configuration: Configuration
    /// s
    let scale: Parameter
    let first: Linear
    let norm: BatchNorm
    let second: Linear
    public let head: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (inputs, hidden) = (configuration.inputs, configuration.hidden)
        first = Linear(inputs, hidden, generator: generator)
        norm = BatchNorm(hidden)
        second = Linear(hidden, inputs, generator: generator)
        scale = Parameter(.ones([inputs]))
        head = Linear(inputs, configuration.classes, generator: generator)
    }

    public var foldablePairs: [FoldablePair] { [(first, norm)] }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let f = x.flattened(from: 1)  // [N, D]
        let inner = second(norm(first(f), mode: mode).relu())  // [N, D]
        return f + inner * scale.tensor
    }

    public func fresh(generator: Generator) -> ResidualMLP {
        ResidualMLP(configuration, generator: generator)
    }
}
