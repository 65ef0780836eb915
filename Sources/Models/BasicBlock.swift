import Neural
import Torch

/// The residual block of ResNet-18 and of the CIFAR ResNets (He et al. 2015, arXiv 1512.03385):
///
///     relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))
///
/// with two 3×3 convolutions. Where the shape changes, the shortcut is a 1×1 convolution and a
/// batch norm (`downsample.0`, `downsample.1`).
public final class BasicBlock: Module {
    public let conv1: Conv2d
    public let bn1: BatchNorm2d
    public let conv2: Conv2d
    public let bn2: BatchNorm2d
    public let downsample: Sequential?

    public init(_ inputs: Int, _ outputs: Int, stride: Int, generator: Generator) {
        conv1 = convolution3x3(inputs, outputs, stride: stride, generator: generator)
        bn1 = BatchNorm2d(outputs)
        conv2 = convolution3x3(outputs, outputs, stride: 1, generator: generator)
        bn2 = BatchNorm2d(outputs)
        downsample =
            stride == 1 && inputs == outputs
            ? nil
            : Sequential(
                Conv2d(
                    inputs, outputs, kernel: 1, stride: stride, padding: 0, bias: false,
                    initialisation: .heFanOut, generator: generator),
                BatchNorm2d(outputs))
    }

    public var foldablePairs: [FoldablePair] { [(conv1, bn1), (conv2, bn2)] }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        var y = bn1(conv1(x), mode: mode).relu()
        y = bn2(conv2(y), mode: mode)
        return (y + (downsample?(x, mode: mode) ?? x)).relu()
    }

    /// `count` blocks, the first of which may change shape.
    static func stage(
        _ inputs: Int, _ outputs: Int, count: Int, stride: Int, generator: Generator
    ) -> [BasicBlock] {
        (0..<count).map { i in
            BasicBlock(
                i == 0 ? inputs : outputs, outputs, stride: i == 0 ? stride : 1,
                generator: generator)
        }
    }
}

/// A 3×3 convolution without bias that keeps the side at stride 1, He-initialised.
func convolution3x3(
    _ inputs: Int, _ outputs: Int, stride: Int, generator: Generator
) -> Conv2d {
    Conv2d(
        inputs, outputs, kernel: 3, stride: stride, padding: 1, bias: false,
        initialisation: .heFanOut, generator: generator)
}
