import Torch

/// The largest value of each window; input [N, C, H, W]. The stride is the kernel unless given.
public final class MaxPool2d: Module {
    public let kernel: Int
    public let stride: Int
    public let padding: Int
    public let ceilMode: Bool

    public init(_ kernel: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
        self.ceilMode = ceilMode
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        maxPool2d(
            x, kernel: kernel, stride: stride, padding: padding, ceil: ceilMode)
    }
}

/// The largest value of each window; input [N, C, L].
public final class MaxPool1d: Module {
    public let kernel: Int
    public let stride: Int
    public let padding: Int

    public init(_ kernel: Int, stride: Int? = nil, padding: Int = 0) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        maxPool1d(x, kernel: kernel, stride: stride, padding: padding)
    }
}

/// The mean of each window, padding counted in; input [N, C, H, W].
public final class AvgPool2d: Module {
    public let kernel: Int
    public let stride: Int
    public let padding: Int

    public init(_ kernel: Int, stride: Int? = nil, padding: Int = 0) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        avgPool2d(x, kernel: kernel, stride: stride, padding: padding)
    }
}

/// Means over a grid of windows that covers the image, whatever its size: [N, C, H, W] to
/// [N, C, size.0, size.1].
public final class AdaptiveAvgPool2d: Module {
    public let size: (Int, Int)

    public init(_ size: (Int, Int) = (1, 1)) { self.size = size }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        adaptiveAvgPool2d(x, height: size.0, width: size.1)
    }
}

/// Repeats each pixel `scale` times in both directions.
public final class Upsample: Module {
    public let scale: Int

    public init(_ scale: Int) { self.scale = scale }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        let shape = x.shape
        return upsampleNearest2d(x, height: shape[2] * scale, width: shape[3] * scale)
    }
}

/// [N, ...] to [N, product of the rest].
public final class Flatten: Module {
    public init() {}

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor { x.flattened(from: 1) }
}

extension Tensor {
    /// The mean over the pixels: [N, C, H, W] to [N, C].
    public func globalAverage() -> Tensor {
        adaptiveAvgPool2d(self, height: 1, width: 1).flattened(from: 1)
    }
}
