import Diagnostics
import Torch

/// An exponential moving average of a network's weights, kept beside it:
///
///     average ← d · average + (1 − d) · weight,   d = ramp ? min(decay, (1 + t)/(10 + t)) : decay
///
/// after t earlier updates. The average often generalises better than the last weights, above all
/// under label noise. It starts as a copy of the weights.
///
/// Floating-point buffers (running means and variances) are averaged like the weights, so that
/// they belong to the averaged network; integer buffers (batch counts) are copied.
///
/// Papers: B. T. Polyak and A. B. Juditsky, *Acceleration of stochastic approximation by
/// averaging*, 1992; A. Tarvainen and H. Valpola, *Mean teachers are better role models*, 2017. The
/// ramp is that of TensorFlow's `ExponentialMovingAverage`.
public final class ExponentialMovingAverage {
    /// The average's memory is about 1/(1 − decay) updates; in [0, 1). Keep it well below the
    /// number of steps of the run: .99 to .999 for short runs, .9999 for very long ones.
    public let decay: Double
    /// Follow fast at first. Without it the random start stays in the average for long.
    public let ramp: Bool
    /// t
    public private(set) var updates = 0

    private let sources: [(name: String, tensor: Tensor)]
    private let shadows: [Tensor]

    /// - Parameter tensors: parameters and buffers of the network that trains.
    public init(
        of tensors: [(name: String, tensor: Tensor)], decay: Double = 0.999, ramp: Bool = true
    ) {
        precondition(decay >= 0 && decay < 1, "decay must be in [0, 1)")
        self.decay = decay
        self.ramp = ramp
        sources = tensors
        shadows = tensors.map { $0.tensor.detached().cloned() }
    }

    /// The decay after t updates.
    public static func decay(after t: Int, limit: Double, ramp: Bool) -> Double {
        ramp ? min(limit, Double(1 + t) / Double(10 + t)) : limit
    }

    /// Moves the average towards the weights: call it after each optimizer step.
    public func update() {
        let averaged = shadows.indices.filter { shadows[$0].dtype.isFloatingPoint }
        Updates.lerp(
            averaged.map { shadows[$0] }, toward: averaged.map { sources[$0].tensor },
            by: 1 - ExponentialMovingAverage.decay(after: updates, limit: decay, ramp: ramp))
        for i in shadows.indices where !shadows[i].dtype.isFloatingPoint {
            shadows[i].copy(from: sources[i].tensor)
        }
        updates += 1
    }

    /// Copies the average into another network of the same architecture; the one that trains is
    /// never touched.
    public func apply(to tensors: [(name: String, tensor: Tensor)]) {
        precondition(
            tensors.map(\.name) == sources.map(\.name), "the average is of another architecture")
        for (shadow, target) in zip(shadows, tensors) { target.tensor.copy(from: shadow) }
    }

    /// What a checkpoint must hold: `<tensor>.average`, and t under `updates` (int64 [1]).
    public var state: [(name: String, tensor: Tensor)] {
        zip(sources, shadows).map { ($0.name + ".ema", $1) }
            + [("updates", Tensor([updates], [1]))]
    }

    /// Takes over saved state, all or nothing.
    public func load(state saved: [String: Tensor], source: String? = nil) throws(Problem) {
        let count = saved["updates"]?.ints().first ?? 0
        guard count >= 0 else {
            throw .savedStateDiffers(
                "the moving average of weights", "updates", found: "\(count)",
                expected: "at least 0",
                source: source)
        }
        try restore(state, from: saved, owner: "the moving average of weights", source: source)
        updates = count
    }
}
