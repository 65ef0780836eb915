import Neural
import Torch

/// Linear layers with ReLU between them; for tables, and as the smallest network on images.
///
/// Keys `layers.0.weight`, `layers.0.bias`, …; the last layer is the head. PyTorch's default
/// initialisation. Without hidden layers it is multinomial logistic regression, and its features
/// are the inputs themselves.
public final class MLP: Classifier {
    public struct Configuration: Sendable, Equatable {
        /// Values per sample, after flattening.
        public var inputs: Int
        public var hidden: [Int]
        public var classes: Int
        /// After each hidden activation; 0 turns it off.
        public var dropout: Double

        public init(inputs: Int, hidden: [Int] = [256, 256], classes: Int, dropout: Double = 0) {
            self.inputs = inputs
            self.hidden = hidden
            self.classes = classes
            self.dropout = dropout
        }
    }

    public let configuration: Configuration
    public let layers: [Linear]
    let dropout: Dropout

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let inputs = [configuration.inputs] + configuration.hidden
        let outputs = configuration.hidden + [configuration.classes]
        layers = zip(inputs, outputs).map { Linear($0, $1, generator: generator) }
        dropout = Dropout(configuration.dropout)
    }

    public var head: Linear { layers[layers.count - 1] }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        layers.dropLast().reduce(x.flattened(from: 1)) { x, layer in
            dropout(layer(x).relu(), mode: mode)
        }
    }

    public func fresh(generator: Generator) -> MLP { MLP(configuration, generator: generator) }
}
