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
        let (own, shift) = (fold?.weight ?? weight.tensor, fold?.bias ?? bias?.tensor)
        if stride > 1, kernel == 1, padding == (0, 0) {
            return OperatorRecorder.asOne(
                "convolution", [x, own] + [shift].compactMap(\.self),
                [
                    "stride": .ints([stride, stride]), "padding": .ints([0, 0]),
                    "dilation": .ints([1, 1]), "groups": .int(groups),
                ]
            ) {
                convolution(
                    avgPool2d(x, kernel: 1, stride: stride), own, shift, stride: [1, 1],
                    padding: [0, 0], dilation: [1, 1], groups: groups)
            }
        }
        return convolution(
            x, own, shift, stride: [stride, stride], padding: [padding.0, padding.1],
            dilation: [dilation, dilation], groups: groups)
    }
}

extension Conv2d {
    /// `self` of the image with every pixel doubled in both directions (nearest neighbour), for a 3×3
    /// convolution with stride 1 and padding 1: [N, C, H, W] to [N, outputs, 2H, 2W].
    ///
    /// Each output pixel sees 2×2 of the original ones, with the weights that fall on the same pixel
    /// added up. That is a transposed convolution with stride 2 and the kernel M W Mᵀ (4×4) over the
    /// small image: 16 products in place of 36 per pixel, channel and output, and equal up to rounding.
    public func ofDoubled(_ x: Tensor) -> Tensor {
        precondition(
            kernel == 3 && stride == 1 && padding == (1, 1) && dilation == 1 && groups == 1
                && fold == nil, "only a plain 3×3 convolution can be moved before the doubling")
        let (outputs, inputs) = (weight.tensor.shape[0], weight.tensor.shape[1])
        let pairs = Tensor(Conv2d.doubling, [9, 16]).to(x.device).to(weight.tensor.dtype)
        let wide = weight.tensor.permuted([1, 0, 2, 3]).reshaped([inputs * outputs, 9])
            .matmul(pairs)
        return convTranspose2d(
            x, wide.reshaped([inputs, outputs, 4, 4]).channelsLast(), bias?.tensor, stride: 2,
            padding: 1)
    }

    /// (M ⊗ M)ᵀ with Mᵢⱼ = 1 where i + j is 2 or 3: tap j of the kernel reaches output 2p − 1 + i from
    /// the two copies of pixel p.
    private static let doubling: [Float] = {
        let m: [[Float]] = (0..<4).map { i in (0..<3).map { (2...3).contains(i + $0) ? 1 : 0 } }
        return (0..<144).map { n in
            let (tap, place) = n.quotientAndRemainder(dividingBy: 16)
            return m[place / 4][tap / 3] * m[place % 4][tap % 3]
        }
    }()
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
