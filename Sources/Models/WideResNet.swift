import Neural
import Torch

/// The pre-activation block of a wide residual network:
///
///     conv2(dropout(relu(bn2(conv1(relu(bn1(x))))))) + shortcut
///
/// Where the number of channels changes, the shortcut is a 1×1 convolution (`convShortcut`) of
/// relu(bn1(x)); elsewhere it is x itself.
public final class WideBlock: Module {
    public let bn1: BatchNorm2d
    public let conv1: Conv2d
    public let bn2: BatchNorm2d
    public let conv2: Conv2d
    public let convShortcut: Conv2d?
    let dropout: Dropout

    init(_ inputs: Int, _ outputs: Int, stride: Int, dropout: Double, generator: Generator) {
        bn1 = BatchNorm2d(inputs)
        conv1 = convolution3x3(inputs, outputs, stride: stride, generator: generator)
        bn2 = BatchNorm2d(outputs)
        conv2 = convolution3x3(outputs, outputs, stride: 1, generator: generator)
        convShortcut =
            inputs == outputs
            ? nil
            : Conv2d(
                inputs, outputs, kernel: 1, stride: stride, padding: 0, bias: false,
                initialisation: .heFanOut, generator: generator)
        self.dropout = Dropout(dropout)
    }

    /// Camel case in the usual implementation.
    public var keys: [String: String] { ["convShortcut": "convShortcut"] }

    /// `bn1` stands behind a sum, so only `bn2` can be folded.
    public var foldablePairs: [FoldablePair] { [(conv1, bn2)] }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        let entry = bn1(x, mode: mode).relu()
        var y = bn2(conv1(entry), mode: mode).relu()
        y = conv2(dropout(y, mode: mode))
        return y + (convShortcut?(entry) ?? x)
    }
}

/// A stage of a wide residual network; exists for the level `layer` in the keys.
public final class WideStage: Module {
    public let layer: [WideBlock]

    init(
        _ inputs: Int, _ outputs: Int, count: Int, stride: Int, dropout: Double,
        generator: Generator
    ) {
        layer = (0..<count).map { i in
            WideBlock(
                i == 0 ? inputs : outputs, outputs, stride: i == 0 ? stride : 1, dropout: dropout,
                generator: generator)
        }
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        layer.reduce(x) { $1($0, mode: mode) }
    }
}

/// WideResNet-d-k (Zagoruyko and Komodakis 2016, arXiv 1605.07146): (d − 4) / 6 blocks per stage,
/// widths 16k, 32k, 64k.
///
///     conv1 – block1 – block2 (stride 2) – block3 (stride 2) – bn1 – relu – mean – fc
///
/// Keys `conv1.weight`, `block1.layer.0.bn1.weight`, …, `fc.bias` as in the usual PyTorch port.
/// The mean covers the whole map, so any image size works. Convolutions N(0, √(2/fan_out)),
/// `fc.weight` PyTorch's default, `fc.bias` zero.
public final class WideResNet: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Blocks per stage.
        public var blocks: Int
        /// Channels after `conv1` and of the three stages.
        public var widths: [Int]
        /// Between the two convolutions of a block; 0 turns it off.
        public var dropout: Double

        public init(
            channels: Int, classes: Int, blocks: Int, widths: [Int], dropout: Double = 0
        ) {
            precondition(widths.count == 4 && blocks > 0)
            self.channels = channels
            self.classes = classes
            self.blocks = blocks
            self.widths = widths
            self.dropout = dropout
        }

        /// - Parameters:
        ///   - depth: d = 6n + 4.
        ///   - factor: k.
        public init(
            channels: Int, classes: Int, depth: Int, factor: Int, dropout: Double = 0
        ) {
            precondition(depth >= 10 && depth % 6 == 4, "depth \(depth) is not 6n + 4")
            self.init(
                channels: channels, classes: classes, blocks: (depth - 4) / 6,
                widths: [16, 16 * factor, 32 * factor, 64 * factor], dropout: dropout)
        }
    }

    public let configuration: Configuration
    public let conv1: Conv2d
    public let block1: WideStage
    public let block2: WideStage
    public let block3: WideStage
    public let bn1: BatchNorm2d
    public let fc: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let (w, n, p) = (configuration.widths, configuration.blocks, configuration.dropout)
        conv1 = convolution3x3(configuration.channels, w[0], stride: 1, generator: generator)
        block1 = WideStage(w[0], w[1], count: n, stride: 1, dropout: p, generator: generator)
        block2 = WideStage(w[1], w[2], count: n, stride: 2, dropout: p, generator: generator)
        block3 = WideStage(w[2], w[3], count: n, stride: 2, dropout: p, generator: generator)
        bn1 = BatchNorm2d(w[3])
        fc = Linear(
            w[3], configuration.classes,
            initialisation: Initialisation(weight: .uniformFanIn, bias: .zero),
            generator: generator)
    }

    public var head: Linear { fc }

    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        var x = block1(conv1(x), mode: mode)
        x = block2(x, mode: mode)
        x = bn1(block3(x, mode: mode), mode: mode).relu()
        return x.globalAverage()  // [N, widths[3]]
    }

    public func fresh(generator: Generator) -> WideResNet {
        WideResNet(configuration, generator: generator)
    }
}
