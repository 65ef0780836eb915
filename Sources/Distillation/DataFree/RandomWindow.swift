import Neural
import Randomness
import Torch

/// Random crop and flip of image tensors, per sample and differentiable, and the normalisation behind
/// it: what stands between a generator and the teacher, and between the pool and the student.
///
/// The border of a crop is black: padding comes before normalisation. Off, nothing is drawn.
public struct RandomWindow: Equatable, Sendable {
    /// Pixels of black border on every side; 0: no crop.
    public var padding: Int
    public var flip: Bool

    public init(padding: Int = 0, flip: Bool = false) {
        self.padding = padding
        self.flip = flip
    }

    public var isOn: Bool { padding > 0 || flip }

    /// (down, right, flipped) for each of `count` images, int64 [count, 3].
    public func changes(_ count: Int, _ draw: inout Draw) -> Tensor {
        var rows: [Int] = []
        rows.reserveCapacity(3 * count)
        for _ in 0..<count {
            rows.append(draw.below(2 * padding + 1) - padding)
            rows.append(draw.below(2 * padding + 1) - padding)
            // Always drawn, so that switching the flip on does not move the crops.
            let flipped = draw.below(2)
            rows.append(flip ? flipped : 0)
        }
        return Tensor(rows, [count, 3])
    }

    /// - Parameter images: [B, C, H, W].
    public func callAsFunction(_ images: Tensor, _ draw: inout Draw) -> Tensor {
        guard isOn else { return images }
        return images.windowed(changes(images.shape[0], &draw).to(images.device))
    }
}

/// A shift of whole batches around their borders: every image is rolled by the same random number of
/// pixels, up to `share` of its sides, and all of them are mirrored or none. Differentiable.
struct RollingShift {
    /// In [0, 1).
    let share: Double
    let flip: Bool

    /// - Parameter images: [B, C, H, W].
    func callAsFunction(_ images: Tensor, _ draw: inout Draw) -> Tensor {
        var rolled = images
        for side in [2, 3] {
            let (length, limit) = (images.shape[side], Int(share * Double(images.shape[side])))
            let shift = (draw.below(2 * limit + 1) - limit + length) % length
            if shift == 0 { continue }
            rolled = Tensor.concatenated(
                [
                    rolled.narrowed(side, from: length - shift, count: shift),
                    rolled.narrowed(side, from: 0, count: length - shift),
                ], side)
        }
        return draw.below(2) == 1 && flip ? rolled.flipped([3]) : rolled
    }
}

/// (x − mean) / std per channel, for images in [0, 1]; known, or learnt beside the generator.
///
/// Using the training set's constants leaks a little of the data. Learning them instead is what the
/// same authors do in LANDER (2024): from 0.5 and 0.2, by Adam at rate 0.01 (from its public code).
public final class InputNormalisation: Module {
    /// [1, C, 1, 1]
    public let mean: Parameter
    public let std: Parameter
    public let isLearnt: Bool

    /// - Parameters:
    ///   - mean: one per channel; the start where they are learnt.
    public init(mean: [Float], std: [Float], isLearnt: Bool = false) {
        precondition(mean.count == std.count, "as many means as stds")
        self.mean = Parameter(Tensor(mean, [1, mean.count, 1, 1]))
        self.std = Parameter(Tensor(std, [1, mean.count, 1, 1]))
        self.isLearnt = isLearnt
        for (_, tensor) in parameters { tensor.requiresGrad = isLearnt }
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        (x - mean.tensor) / std.tensor
    }

    /// The constants as they are.
    public var values: (mean: [Float], std: [Float]) {
        (mean.tensor.floats(), std.tensor.floats())
    }
}
