import Neural
import Torch

/// VGG with batch norm for small images (Simonyan and Zisserman 2014, arXiv 1409.1556), in the form
/// of the distillation repositories: five blocks of 3×3 convolutions, a mean over the map, one
/// linear layer.
///
///     block0 – pool – block1 – pool – block2 – pool – block3 – (pool) – block4 – mean – classifier
///
/// The pool behind `block3` is there only for images of at least 64 pixels. Within a block the keys
/// count convolution, batch norm and ReLU in turn: `block2.0` convolution, `block2.1` batch norm,
/// `block2.3` convolution, … The ReLU that ends a block stands outside it. Convolutions have biases
/// (zero at first) and N(0, √(2/fan_out)); `classifier` N(0, 0.01) and zero.
public final class VGG: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Output channels of the convolutions of each of the five blocks.
        public var blocks: [[Int]]

        public init(channels: Int, classes: Int, blocks: [[Int]]) {
            precondition(blocks.count == 5 && blocks.allSatisfy { !$0.isEmpty })
            self.channels = channels
            self.classes = classes
            self.blocks = blocks
        }

        /// Channels by depth: 8, 11, 13 or 16.
        static let depths: [Int: [[Int]]] = [
            8: [[64], [128], [256], [512], [512]],
            11: [[64], [128], [256, 256], [512, 512], [512, 512]],
            13: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
            16: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
        ]
    }

    public static let minimumSide = 8

    public let configuration: Configuration
    public let block0: Sequential
    public let block1: Sequential
    public let block2: Sequential
    public let block3: Sequential
    public let block4: Sequential
    public let classifier: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        var inputs = configuration.channels
        let blocks = configuration.blocks.map { widths in
            var layers: [any Module] = []
            for width in widths {
                layers += [
                    Conv2d(
                        inputs, width, kernel: 3, padding: 1, initialisation: .heFanOut,
                        generator: generator),
                    BatchNorm2d(width), Activation(.relu),
                ]
                inputs = width
            }
            return Sequential(layers.dropLast())
        }
        (block0, block1, block2) = (blocks[0], blocks[1], blocks[2])
        (block3, block4) = (blocks[3], blocks[4])
        classifier = Linear(
            inputs, configuration.classes, initialisation: .normal(std: 0.01),
            generator: generator)
    }

    public var head: Linear { classifier }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let pool = MaxPool2d(2)
        let isLarge = min(x.shape[2], x.shape[3]) >= 64
        var x = pool(block0(x, mode: mode).relu())
        x = pool(block1(x, mode: mode).relu())
        x = pool(block2(x, mode: mode).relu())
        x = block3(x, mode: mode).relu()
        if isLarge { x = pool(x) }
        return block4(x, mode: mode).relu().globalAverage()  // [N, last width]
    }

    public func fresh(generator: Generator) -> VGG { VGG(configuration, generator: generator) }
}
