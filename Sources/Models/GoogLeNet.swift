import Neural
import Torch

/// The inception block (Szegedy et al. 2014, arXiv 1409.4842) with batch norm: four branches side by
/// side, their maps one behind the other. The 5×5 convolution of the paper is two 3×3 ones.
public final class Inception: Module {
    /// Output channels of the convolutions of one block, as a row of the paper's table 1.
    public struct Widths: Sendable, Equatable {
        public var one: Int
        public var threeReduced: Int
        public var three: Int
        public var fiveReduced: Int
        public var five: Int
        public var pool: Int

        public init(
            _ one: Int, _ threeReduced: Int, _ three: Int, _ fiveReduced: Int, _ five: Int,
            _ pool: Int
        ) {
            self.one = one
            self.threeReduced = threeReduced
            self.three = three
            self.fiveReduced = fiveReduced
            self.five = five
            self.pool = pool
        }

        public var sum: Int { one + three + five + pool }

        func scaled(_ scale: (Int) -> Int) -> Widths {
            Widths(
                scale(one), scale(threeReduced), scale(three), scale(fiveReduced), scale(five),
                scale(pool))
        }
    }

    public let b1: Sequential
    public let b2: Sequential
    public let b3: Sequential
    public let b4: Sequential

    init(_ inputs: Int, _ widths: Widths, generator: Generator) {
        let unit = { convolutionUnit($0, $1, kernel: $2, bias: true, generator: generator) }
        b1 = Sequential(unit(inputs, widths.one, 1))
        b2 = Sequential(
            unit(inputs, widths.threeReduced, 1) + unit(widths.threeReduced, widths.three, 3))
        b3 = Sequential(
            unit(inputs, widths.fiveReduced, 1) + unit(widths.fiveReduced, widths.five, 3)
                + unit(widths.five, widths.five, 3))
        let pool: [any Module] = [MaxPool2d(3, stride: 1, padding: 1)]
        b4 = Sequential(pool + unit(inputs, widths.pool, 1))
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        .concatenated([b1, b2, b3, b4].map { $0(x, mode: mode) }, 1)
    }
}

/// Convolution that keeps the side, batch norm, ReLU; PyTorch's default initialisation.
func convolutionUnit(
    _ inputs: Int, _ outputs: Int, kernel: Int, bias: Bool, generator: Generator
) -> [any Module] {
    [
        Conv2d(
            inputs, outputs, kernel: kernel, padding: kernel / 2, bias: bias, generator: generator),
        BatchNorm2d(outputs), Activation(.relu),
    ]
}

/// GoogLeNet (Szegedy et al. 2014, arXiv 1409.4842) in the form that is usual for small images, and
/// that the mutual-learning experiments use: batch norm everywhere, no auxiliary classifiers.
///
///     prelayer (three 3×3 convolutions: 64, 64, 192) – pool – a3 b3 – pool – a4 b4 c4 d4 e4 – pool –
///     a5 b5 – mean – dropout 0.4 – linear
///
/// Pools are 3×3 of stride 2 and padding 1, so any image size works. The convolutions of the stem
/// have no bias, those of the blocks have one. Names, biases and PyTorch's default initialisation are
/// those of the usual PyTorch implementation for CIFAR, written down from memory.
public final class GoogLeNet: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// Output channels of the three convolutions of the stem.
        public var stem: [Int]
        /// Of a3, b3, a4, b4, c4, d4, e4, a5, b5.
        public var blocks: [Inception.Widths]
        /// Before the classifier.
        public var dropout: Double

        public init(
            channels: Int, classes: Int, stem: [Int] = [64, 64, 192],
            blocks: [Inception.Widths] = Configuration.published, dropout: Double = 0.4
        ) {
            precondition(stem.count == 3 && blocks.count == 9)
            self.channels = channels
            self.classes = classes
            self.stem = stem
            self.blocks = blocks
            self.dropout = dropout
        }

        public static let published: [Inception.Widths] = [
            .init(64, 96, 128, 16, 32, 32), .init(128, 128, 192, 32, 96, 64),
            .init(192, 96, 208, 16, 48, 64), .init(160, 112, 224, 24, 64, 64),
            .init(128, 128, 256, 24, 64, 64), .init(112, 144, 288, 32, 64, 64),
            .init(256, 160, 320, 32, 128, 128), .init(256, 160, 320, 32, 128, 128),
            .init(384, 192, 384, 48, 128, 128),
        ]
    }

    public static let minimumSide = 8

    public let configuration: Configuration
    public let prelayer: Sequential
    public let a3: Inception
    public let b3: Inception
    public let a4: Inception
    public let b4: Inception
    public let c4: Inception
    public let d4: Inception
    public let e4: Inception
    public let a5: Inception
    public let b5: Inception
    public let linear: Linear
    let dropout: Dropout

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        var inputs = configuration.channels
        prelayer = Sequential(
            configuration.stem.flatMap { width in
                defer { inputs = width }
                return convolutionUnit(
                    inputs, width, kernel: 3, bias: false, generator: generator)
            })
        let blocks = configuration.blocks.map { widths in
            defer { inputs = widths.sum }
            return Inception(inputs, widths, generator: generator)
        }
        (a3, b3) = (blocks[0], blocks[1])
        (a4, b4, c4, d4, e4) = (blocks[2], blocks[3], blocks[4], blocks[5], blocks[6])
        (a5, b5) = (blocks[7], blocks[8])
        linear = Linear(inputs, configuration.classes, generator: generator)
        dropout = Dropout(configuration.dropout)
    }

    public var head: Linear { linear }

    /// The dropout in front of the classifier counts among the features.
    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        let pool = MaxPool2d(3, stride: 2, padding: 1)
        let run = { (blocks: [Inception], x: Tensor) in blocks.reduce(x) { $1($0, mode: mode) } }
        var x = pool(prelayer(x, mode: mode))
        x = pool(run([a3, b3], x))
        x = pool(run([a4, b4, c4, d4, e4], x))
        return dropout(run([a5, b5], x).globalAverage(), mode: mode)  // [N, 1024]
    }

    public func fresh(generator: Generator) -> GoogLeNet {
        GoogLeNet(configuration, generator: generator)
    }
}
