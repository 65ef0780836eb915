import Neural
import Torch

/// The block of MobileNetV2: 1×1 expansion, 3×3 depthwise convolution, linear 1×1 projection, and
/// the identity added where the shape stays.
public final class InvertedResidual: Module {
    public let conv: Sequential
    let addsInput: Bool

    init(_ inputs: Int, _ outputs: Int, stride: Int, expansion: Int, generator: Generator) {
        let hidden = inputs * expansion
        var layers: [any Module] = []
        if expansion != 1 {
            layers.append(unit(inputs, hidden, kernel: 1, generator: generator))
        }
        layers += [
            unit(hidden, hidden, kernel: 3, stride: stride, groups: hidden, generator: generator),
            Conv2d(
                hidden, outputs, kernel: 1, padding: 0, bias: false, initialisation: .heFanOut,
                generator: generator),
            BatchNorm2d(outputs),
        ]
        conv = Sequential(layers)
        addsInput = stride == 1 && inputs == outputs
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        let y = conv(x, mode: mode)
        return addsInput ? x + y : y
    }
}

/// Convolution, batch norm, ReLU6.
private func unit(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
    generator: Generator
) -> Sequential {
    Sequential(
        Conv2d(
            inputs, outputs, kernel: kernel, stride: stride, padding: (kernel - 1) / 2,
            groups: groups, bias: false, initialisation: .heFanOut, generator: generator),
        BatchNorm2d(outputs), Activation(.relu6))
}

/// MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381). Keys and shapes as in torchvision:
/// `features.0.0.weight`, `features.1.conv.0.0.weight`, …, `classifier.1.bias`.
///
/// The published strides shrink the image by 32. For images whose shorter side is below 128 the
/// stem keeps stride 1 (16 in all), below 64 the first wide stage too (8 in all): at 32×32 the last
/// maps are 4×4. Strides are not part of the weights, so checkpoints fit at every size.
/// Convolutions N(0, √(2/fan_out)); classifier N(0, 0.01) and zero.
public final class MobileNetV2: Classifier {
    public struct Configuration: Sendable, Equatable {
        public var channels: Int
        public var classes: Int
        /// The shorter side of the images; decides the strides.
        public var side: Int
        /// Multiplies all numbers of channels, rounded to multiples of 8; the last layer never has
        /// fewer than 1280.
        public var width: Double
        /// Before the classifier.
        public var dropout: Double
        public var stages: [Stage]
        public var lastWidth: Int

        public init(
            channels: Int, classes: Int, side: Int, width: Double = 1, dropout: Double = 0.2,
            stages: [Stage] = Stage.published, lastWidth: Int = 1280
        ) {
            self.channels = channels
            self.classes = classes
            self.side = side
            self.width = width
            self.dropout = dropout
            self.stages = stages
            self.lastWidth = lastWidth
        }
    }

    /// A run of equal blocks, as a row of the paper's table 2.
    public struct Stage: Sendable, Equatable {
        public var expansion: Int
        public var width: Int
        public var count: Int
        public var stride: Int

        public init(expansion: Int, width: Int, count: Int, stride: Int) {
            self.expansion = expansion
            self.width = width
            self.count = count
            self.stride = stride
        }

        public static let published = [
            Stage(expansion: 1, width: 16, count: 1, stride: 1),
            Stage(expansion: 6, width: 24, count: 2, stride: 2),
            Stage(expansion: 6, width: 32, count: 3, stride: 2),
            Stage(expansion: 6, width: 64, count: 4, stride: 2),
            Stage(expansion: 6, width: 96, count: 3, stride: 1),
            Stage(expansion: 6, width: 160, count: 3, stride: 2),
            Stage(expansion: 6, width: 320, count: 1, stride: 1),
        ]
    }

    public let configuration: Configuration
    /// `features` in the keys.
    public let body: Sequential
    public let classifier: Sequential

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let side = configuration.side
        let scaled = { (width: Int) in multipleOfEight(Double(width) * configuration.width) }
        var inputs = scaled(32)
        var layers: [any Module] = [
            unit(
                configuration.channels, inputs, kernel: 3, stride: side < 128 ? 1 : 2,
                generator: generator)
        ]
        for (i, stage) in configuration.stages.enumerated() {
            let outputs = scaled(stage.width)
            for j in 0..<stage.count {
                let stride = j > 0 || (i == 1 && side < 64) ? 1 : stage.stride
                layers.append(
                    InvertedResidual(
                        inputs, outputs, stride: stride, expansion: stage.expansion,
                        generator: generator))
                inputs = outputs
            }
        }
        let last = multipleOfEight(Double(configuration.lastWidth) * max(1, configuration.width))
        layers.append(unit(inputs, last, kernel: 1, generator: generator))
        body = Sequential(layers)
        classifier = Sequential(
            Dropout(configuration.dropout),
            Linear(
                last, configuration.classes, initialisation: .normal(std: 0.01),
                generator: generator))
    }

    public var head: Linear { classifier[1] as! Linear }

    public var keys: [String: String] { ["body": "features"] }

    /// The dropout in front of the classifier counts among the features.
    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        classifier[0](body(x, mode: mode).globalAverage(), mode: mode)  // [N, 1280]
    }

    public func fresh(generator: Generator) -> MobileNetV2 {
        MobileNetV2(configuration, generator: generator)
    }
}

/// The nearest multiple of 8, at least 8, and never less than nine tenths of `width`.
func multipleOfEight(_ width: Double) -> Int {
    let rounded = max(8, Int(width + 4) / 8 * 8)
    return Double(rounded) < 0.9 * width ? rounded + 8 : rounded
}
