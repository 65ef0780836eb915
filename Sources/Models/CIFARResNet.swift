import Neural
import Torch

/// The small ResNets for 32×32 images (He et al. 2015, section 4.2): ResNet-8, 14, 20, 32, 44, 56,
/// 110 and the wide teachers 8x4 and 32x4 of the distillation literature.
///
///     conv1 – bn1 – relu – layer1 – layer2 (stride 2) – layer3 (stride 2) – mean – fc
///
/// Keys and shapes are those that the distillation repositories use. They differ from the paper in
/// the shortcuts, which are 1×1 convolutions with batch norm where the shape changes. The mean
/// covers the whole map, so any image size works. Convolutions N(0, √(2/fan_out)), `fc` PyTorch's
/// default.
public final class CIFARResNet: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Blocks per stage, (depth − 2) / 6.
        public var blocks: Int
        /// Channels after `conv1` and of the three stages.
        public var widths: [Int]

        public init(channels: Int, classes: Int, blocks: Int, widths: [Int] = [16, 16, 32, 64]) {
            precondition(widths.count == 4 && blocks > 0)
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
    public let fc: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (w, n) = (configuration.widths, configuration.blocks)
        conv1 = convolution3x3(configuration.channels, w[0], stride: 1, generator: generator)
        bn1 = BatchNorm2d(w[0])
        layer1 = BasicBlock.stage(w[0], w[1], count: n, stride: 1, generator: generator)
        layer2 = BasicBlock.stage(w[1], w[2], count: n, stride: 2, generator: generator)
        layer3 = BasicBlock.stage(w[2], w[3], count: n, stride: 2, generator: generator)
        fc = Linear(w[3], configuration.classes, generator: generator)
    }

    public var head: Linear { fc }
    public var foldablePairs: [FoldablePair] { [(conv1, bn1)] }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let stem = bn1(conv1(x), mode: mode).relu()
        let maps = (layer1 + layer2 + layer3).reduce(stem) { $1($0, mode: mode) }
        return maps.globalAverage()  // [N, widths[3]]
    }

    public func fresh(generator: Generator) -> CIFARResNet {
        CIFARResNet(configuration, generator: generator)
    }
}
