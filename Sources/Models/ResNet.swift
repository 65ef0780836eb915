import Neural
import Torch

/// ResNet-18 and ResNet-34 (He et al. 2015, arXiv 1512.03385) with the stem for small images: a 3×3
/// convolution of stride 1 and no pooling. Keys as in torchvision; `conv1.weight` is 3×3 instead
/// of 7×7, everything else has torchvision's shapes.
///
/// The mean covers the whole map, so any image size works. Convolutions N(0, √(2/fan_out)), `fc`
/// PyTorch's default.
public final class ResNet: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Blocks of the four stages: [2, 2, 2, 2] for ResNet-18, [3, 4, 6, 3] for ResNet-34.
        public var blocks: [Int]
        /// Channels of the four stages; the stem has as many as the first.
        public var widths: [Int]

        public init(
            channels: Int, classes: Int, blocks: [Int], widths: [Int] = [64, 128, 256, 512]
        ) {
            precondition(blocks.count == 4 && widths.count == 4)
            self.channels = channels
            self.classes = classes
            self.blocks = blocks
            self.widths = widths
        }
    }

    public let configuration: Configuration
    public let conv1: Conv2d
    public let bn1: BatchNorm2d
    public let layer1: [BasicBlock]
    public let layer2: [BasicBlock]
    public let layer3: [BasicBlock]
    public let layer4: [BasicBlock]
    public let fc: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (w, n) = (configuration.widths, configuration.blocks)
        conv1 = convolution3x3(configuration.channels, w[0], stride: 1, generator: generator)
        bn1 = BatchNorm2d(w[0])
        layer1 = BasicBlock.stage(w[0], w[0], count: n[0], stride: 1, generator: generator)
        layer2 = BasicBlock.stage(w[0], w[1], count: n[1], stride: 2, generator: generator)
        layer3 = BasicBlock.stage(w[1], w[2], count: n[2], stride: 2, generator: generator)
        layer4 = BasicBlock.stage(w[2], w[3], count: n[3], stride: 2, generator: generator)
        fc = Linear(w[3], configuration.classes, generator: generator)
    }

    public var head: Linear { fc }
    public var foldablePairs: [FoldablePair] { [(conv1, bn1)] }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let stem = bn1(conv1(x), mode: mode).relu()
        let maps = (layer1 + layer2 + layer3 + layer4).reduce(stem) { $1($0, mode: mode) }
        return maps.globalAverage()  // [N, widths[3]]
    }

    public func fresh(generator: Generator) -> ResNet {
        ResNet(configuration, generator: generator)
    }
}
