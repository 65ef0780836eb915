import Neural
import Torch

/// VGG with batch norm and the three linear layers of the paper (Simonyan and Zisserman 2014, arXiv
/// 1409.1556), for small images: what the mutual-learning experiments call VGG16-BN. `VGG` is the
/// lighter form of the distillation repositories.
///
///     blocks of 3×3 convolutions, a 2×2 max-pool behind each – mean – 512 → 4096 → 4096 → classes
///
/// Keys and shapes are torchvision's `vgg16_bn`, but for `classifier.0`, which sees one pixel instead
/// of 7×7: `features.0.weight`, `features.1.running_mean`, …, `classifier.6.bias`. At 32×32 the five
/// pools leave one pixel; a pool that would leave none is left out (smaller images), and what larger
/// images leave is averaged. PyTorch's default initialisation, as the usual implementation for CIFAR
/// has it (from memory; torchvision draws from N(0, √(2/fan_out)) and N(0, 0.01)).
public final class VGGBatchNorm: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Output channels of the convolutions of each block.
        public var blocks: [[Int]]
        /// Width of the two hidden linear layers.
        public var hidden: Int
        /// Behind each of them.
        public var dropout: Double

        public init(
            channels: Int, classes: Int, blocks: [[Int]], hidden: Int = 4096, dropout: Double = 0.5
        ) {
            precondition(!blocks.isEmpty && blocks.allSatisfy { !$0.isEmpty })
            self.channels = channels
            self.classes = classes
            self.blocks = blocks
            self.hidden = hidden
            self.dropout = dropout
        }
    }

    public let configuration: Configuration
    /// `features` in the keys.
    public let body: Sequential
    public let classifier: Sequential

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        var inputs = configuration.channels
        var layers: [any Module] = []
        for block in configuration.blocks {
            for width in block {
                layers += convolutionUnit(
                    inputs, width, kernel: 3, bias: true, generator: generator)
                inputs = width
            }
            layers.append(MaxPool2d(2))
        }
        body = Sequential(layers)
        let (hidden, dropout) = (configuration.hidden, configuration.dropout)
        classifier = Sequential(
            Linear(inputs, hidden, generator: generator), Activation(.relu), Dropout(dropout),
            Linear(hidden, hidden, generator: generator), Activation(.relu), Dropout(dropout),
            Linear(hidden, configuration.classes, generator: generator))
    }

    public var head: Linear { classifier[classifier.layers.count - 1] as! Linear }

    public var keys: [String: String] { ["body": "features"] }

    /// Both hidden layers and their dropout count among the features.
    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let maps = body.layers.reduce(x) { x, layer in
            let leavesNothing = layer is MaxPool2d && min(x.shape[2], x.shape[3]) < 2
            return leavesNothing ? x : layer(x, mode: mode)
        }
        return classifier.layers.dropLast().reduce(maps.globalAverage()) { $1($0, mode: mode) }
    }

    public func fresh(generator: Generator) -> VGGBatchNorm {
        VGGBatchNorm(configuration, generator: generator)
    }
}
