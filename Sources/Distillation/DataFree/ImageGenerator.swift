import Neural
import Torch

/// From a code [B, r] to images [B, C, H, W] in [0, 1]: the generator that the data-free methods share.
///
/// Shallow, for small images, with s₀ = ⌈side/4⌉ and base width w:
///
///     Linear(r → 2w·s₀²) – BN – up ×2 – conv 2w – BN – LeakyReLU – up ×2 – conv w – BN – LeakyReLU
///     – conv C (with bias) – sigmoid
///
/// Deep, for large ones, with s₀ = ⌈side/16⌉, five stages of 2w, 2w, w, w, w channels:
///
///     Linear(r → 2w·s₀²) – [conv – BN – LeakyReLU] – 4 × [up ×2 – conv – BN – LeakyReLU] – conv C – sigmoid
///
/// Convolutions 3×3, without bias where batch norm follows; up: nearest neighbour; LeakyReLU slope
/// 0.2; PyTorch's default initialisation. Nothing behind the sigmoid: normalisation is the teacher's
/// affair. From the released code of NAYER (paraphrased); it makes sides that are multiples of 4
/// (16). For all others the image comes out up to 3 (15) pixels too large and its middle is cut out.
public final class ImageGenerator: Module {
    public enum Depth: String, Codable, Sendable, CaseIterable { case shallow, deep }

    public struct Configuration: Equatable, Sendable {
        /// [channels, height, width]
        public var shape: [Int]
        /// r, length of the code.
        public var code: Int
        /// w; 64 in the papers.
        public var width: Int
        public var depth: Depth

        public init(shape: [Int], code: Int, width: Int, depth: Depth) {
            precondition(shape.count == 3 && shape.allSatisfy { $0 > 0 }, "images have a shape")
            self.shape = shape
            self.code = code
            self.width = width
            self.depth = depth
        }

        /// [⌈H/4⌉, ⌈W/4⌉], or by 16.
        public var stem: [Int] {
            let scale = depth == .shallow ? 4 : 16
            return shape.dropFirst().map { ($0 + scale - 1) / scale }
        }
    }

    public let configuration: Configuration
    public let l1: Linear
    /// Behind `l1`; only of the shallow one.
    public let bn1: BatchNorm?
    public let stages: [GeneratorStage]
    public let last: Conv2d

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        let w = configuration.width
        let stem = configuration.stem
        l1 = Linear(configuration.code, 2 * w * stem[0] * stem[1], generator: generator)
        let widths: [(Int, Int, Bool)]
        switch configuration.depth {
        case .shallow:
            bn1 = BatchNorm(2 * w)
            widths = [(2 * w, 2 * w, true), (2 * w, w, true)]
        case .deep:
            bn1 = nil
            widths = [
                (2 * w, 2 * w, false), (2 * w, 2 * w, true), (2 * w, w, true), (w, w, true),
                (w, w, true),
            ]
        }
        stages = widths.map { GeneratorStage($0.0, $0.1, doubles: $0.2, generator: generator) }
        last = Conv2d(w, configuration.shape[0], kernel: 3, padding: 1, generator: generator)
        toChannelsLast()
    }

    /// The first layers with fresh weights, everything else as it is: what Fast-DFKD does once.
    public func resampleStem(_ generator: Generator) {
        let fresh = ImageGenerator(configuration, generator: generator)
        l1.copyState(from: fresh.l1)
        if let bn1, let other = fresh.bn1 { bn1.copyState(from: other) }
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        let stem = configuration.stem
        var h = l1(x).reshaped([x.shape[0], 2 * configuration.width, stem[0], stem[1]])
            .channelsLast()
        if let bn1 { h = bn1(h, mode: mode) }
        for stage in stages { h = stage(h, mode: mode) }
        h = last(h)  // [B, C, 4 s₀, 4 s₀]
        for (dimension, side) in zip(2..., configuration.shape.dropFirst())
        where h.shape[dimension] != side {
            let extra = h.shape[dimension] - side
            h = h.narrowed(dimension, from: extra / 2, count: side)
        }
        // Float32 from here on, also where autocast made the convolutions bfloat16.
        return (h.dtype == .float64 ? h : h.to(.float32)).sigmoid()
    }
}

/// [Up ×2] – conv 3×3 – BN – LeakyReLU(0.2).
public final class GeneratorStage: Module {
    public let conv: Conv2d
    public let bn: BatchNorm
    private let doubles: Bool

    init(_ inputs: Int, _ outputs: Int, doubles: Bool, generator: Generator) {
        conv = Conv2d(inputs, outputs, kernel: 3, padding: 1, bias: false, generator: generator)
        bn = BatchNorm(outputs)
        self.doubles = doubles
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        bn(doubles ? conv.ofDoubled(x) : conv(x), mode: mode).leakyRelu(0.2)
    }
}

/// NAYER's generator: a noisy layer and an image generator behind it.
public final class NoisyGenerator: Module {
    public let noise: NoisyLayer
    public let body: ImageGenerator

    /// - Parameters:
    ///   - inputs: d, length of an embedding.
    ///   - samples: B, images of a batch.
    ///   - blockSize: samples that share a noisy layer: the number of classes for one of each.
    public init(
        _ configuration: ImageGenerator.Configuration, inputs: Int, samples: Int, blockSize: Int,
        generator: Generator
    ) {
        noise = NoisyLayer(
            inputs: inputs, outputs: configuration.code, samples: samples, blockSize: blockSize,
            generator: generator)
        body = ImageGenerator(configuration, generator: generator)
    }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        body(noise(x, mode: mode), mode: mode)
    }
}
