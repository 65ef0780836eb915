import Neural
import Torch

/// A plain stack for small images, as people write their first one: no batch norm, no shortcuts.
///
///     (3×3 convolution – ReLU – 2×2 max-pool) × 3 – linear – ReLU – linear
///
/// with 32, 64 and 128 channels and 256 units. Keys and shapes are those of the digit recogniser in
/// the package `digit-recognizer-py` 0.1.0: `conv_layers.0`, `conv_layers.3`, `conv_layers.6`,
/// `fc_layers.0`, `fc_layers.2`, each with `weight` and `bias`. PyTorch's default initialisation.
///
/// Having no batch norm it gives methods that match batch-norm statistics nothing to match.
public final class DigitCNN: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        /// At least `DigitCNN.minimumSide` each.
        public var height: Int
        public var width: Int
        public var classes: Int
        /// Channels of the three convolutions.
        public var widths: [Int]
        /// Units of the hidden linear layer.
        public var hidden: Int

        public init(
            channels: Int = 1, height: Int = 28, width: Int = 28, classes: Int = 10,
            widths: [Int] = [32, 64, 128], hidden: Int = 256
        ) {
            precondition(widths.count == 3)
            self.channels = channels
            self.height = height
            self.width = width
            self.classes = classes
            self.widths = widths
            self.hidden = hidden
        }
    }

    public static let minimumSide = 8

    public let configuration: Configuration
    public let convLayers: Sequential
    public let fcLayers: Sequential

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (height, width) = (configuration.height, configuration.width)
        precondition(min(height, width) >= DigitCNN.minimumSide, "image too small")
        var inputs = configuration.channels
        var layers: [any Module] = []
        for width in configuration.widths {
            layers += [
                Conv2d(inputs, width, kernel: 3, padding: 1, generator: generator),
                Activation(.relu), MaxPool2d(2),
            ]
            inputs = width
        }
        convLayers = Sequential(layers)
        fcLayers = Sequential(
            Linear(inputs * (height / 8) * (width / 8), configuration.hidden, generator: generator),
            Activation(.relu),
            Linear(configuration.hidden, configuration.classes, generator: generator))
    }

    public var head: Linear { fcLayers[2] as! Linear }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let maps = convLayers(x, mode: mode)  // [N, 128, height / 8, width / 8]
        return fcLayers.layers.dropLast().reduce(maps.flattened(from: 1)) { $1($0, mode: mode) }
    }

    public func fresh(generator: Generator) -> DigitCNN {
        DigitCNN(configuration, generator: generator)
    }
}
