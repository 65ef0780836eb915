import Torch

/// Convolution over images [N, C, H, W]; `weight` [outputs, inputs / groups, kernel, kernel].
public final class Conv2d: Module, Foldable {
    public let weight: Parameter
    public let bias: Parameter?
    public let kernel: Int
    public let stride: Int
    public let padding: (Int, Int)
    public let dilation: Int
    public let groups: Int
    public var fold: Fold?

    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: (Int, Int) = (0, 0),
        dilation: Int = 1, groups: Int = 1, bias: Bool = true,
        initialisation: Initialisation = .standard, generator: Generator
    ) {
        (weight, self.bias) = initialisation.make(
            [outputs, inputs / groups, kernel, kernel], outputs: outputs, bias: bias,
            generator: generator)
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
    }

    public convenience init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true,
        initialisation: Initialisation = .standard, generator: Generator
    ) {
        self.init(
            inputs, outputs, kernel: kernel, stride: stride, padding: (padding, padding),
            dilation: dilation, groups: groups, bias: bias, initialisation: initialisation,
            generator: generator)
    }

    public var outputDimension: Int { 0 }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        // A strided 1×1 convolution sees every stride-th pixel only. They are picked first, because
        // oneDNN's gradient of the weight writes out of bounds for few channels in channels-last
        // layout (LibTorch 2.13.0, AVX-512; PyTorch crashes alike). A 1×1 mean picks exactly.
        if stride > 1, kernel == 1, padding == (0, 0) {
            return convolution(
                avgPool2d(x, kernel: 1, stride: stride), fold?.weight ?? weight.tensor,
                fold?.bias ?? bias?.tensor, stride: [1, 1], padding: [0, 0], dilation: [1, 1],
                groups: groups)
        }
        return convolution(
            x, fold?.weight ?? weight.tensor, fold?.bias ?? bias?.tensor,
            stride: [stride, stride], padding: [padding.0, padding.1],
            dilation: [dilation, dilation], groups: groups)
    }
}

/// Convolution over sequences [N, C, L]; `weight` [outputs, inputs / groups, kernel].
public final class Conv1d: Module, Foldable {
    public let weight: Parameter
    public let bias: Parameter?
    public let stride: Int
    public let padding: Int
    public let dilation: Int
    public let groups: Int
    public var fold: Fold?

    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        dilation: Int = 1, groups: Int = 1, bias: Bool = true,
        initialisation: Initialisation = .standard, generator: Generator
    ) {
        (weight, self.bias) = initialisation.make(
            [outputs, inputs / groups, kernel], outputs: outputs, bias: bias, generator: generator)
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
    }

    public var outputDimension: Int { 0 }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        conv1d(
            x, fold?.weight ?? weight.tensor, fold?.bias ?? bias?.tensor, stride: stride,
            padding: padding, dilation: dilation, groups: groups)
    }
}

/// Transposed convolution over images: the gradient of `Conv2d` with respect to its input.
/// `weight` [inputs, outputs / groups, kernel, kernel]; output side
/// (side − 1) · stride − 2 · padding + kernel + outputPadding.
public final class ConvTranspose2d: Module {
    public let weight: Parameter
    public let bias: Parameter?
    public let stride: Int
    public let padding: Int
    public let outputPadding: Int
    public let groups: Int

    public init(
        _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        outputPadding: Int = 0, groups: Int = 1, bias: Bool = true,
        initialisation: Initialisation = .standard, generator: Generator
    ) {
        (weight, self.bias) = initialisation.make(
            [inputs, outputs / groups, kernel, kernel], outputs: outputs, bias: bias,
            generator: generator)
        self.stride = stride
        self.padding = padding
        self.outputPadding = outputPadding
        self.groups = groups
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        convTranspose2d(
            x, weight.tensor, bias?.tensor, stride: stride, padding: padding,
            outputPadding: outputPadding, groups: groups)
    }
}
