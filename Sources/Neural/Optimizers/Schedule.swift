import Diagnostics
import Foundation

/// The learning rate over training, as a factor of the base rate: a pure function of the step, so
/// that resuming needs no state.
///
/// - Cosine: I. Loshchilov and F. Hutter, *SGDR: stochastic gradient descent with warm restarts*,
///   2017 (one cycle, no restarts).
/// - Warm-up: P. Goyal et al., *Accurate, large minibatch SGD: training ImageNet in 1 hour*, 2017.
public struct Schedule: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// 1 throughout.
        case constant
        /// Multiplied by `factor` at each milestone. The papers' choice for CIFAR networks.
        case multiStep = "multi-step"
        /// Half a cosine from 1 to `floor`. The safe default: no milestones to tune.
        case cosine
    }

    public var kind: Kind

    /// Multi-step: epochs, rising, above 0; fractions are allowed. Counted from the start of
    /// training, warm-up included.
    public var milestones: [Double]

    /// Multi-step: in (0, 1]. Default .1; .2 is gentler.
    public var factor: Double

    /// Cosine: the factor at the end, in [0, 1]. Default 0.
    public var floor: Double

    /// Epochs of linear warm-up, at least 0; fractions are allowed. Default 0. One to five help
    /// with large batches or rates.
    public var warmUp: Double

    public init(
        _ kind: Kind = .cosine, milestones: [Double] = [], factor: Double = 0.1, floor: Double = 0,
        warmUp: Double = 0
    ) {
        self.kind = kind
        self.milestones = milestones
        self.factor = factor
        self.floor = floor
        self.warmUp = warmUp
    }

    /// The factor of the base rate for step `step`, in [0, 1].
    ///
    /// Warm-up over W steps gives (step + 1)/W. Multi-step counts the milestones reached and is
    /// PyTorch's `MultiStepLR` stepped every batch; cosine starts after the warm-up and is
    /// `CosineAnnealingLR` with `T_max` the number of steps left:
    /// floor + (1 − floor)(1 + cos(π (step − W)/(S − W)))/2.
    ///
    /// - Parameters:
    ///   - step: from 0; beyond the end the last value stays.
    ///   - stepsPerEpoch: at least 1.
    ///   - epochs: length of training; S = stepsPerEpoch · epochs.
    public func rate(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
        let step = Double(step)
        let perEpoch = Double(max(1, stepsPerEpoch))
        let total = perEpoch * Double(max(1, epochs))
        let warm = min((warmUp * perEpoch).rounded(), total)
        let rise = step < warm ? (step + 1) / warm : 1
        switch kind {
        case .constant: return rise
        case .multiStep:
            // Rounded to whole steps: 0.3 epochs of 10 steps must not become 3.0000000000000004.
            let reached = milestones.count { ($0 * perEpoch).rounded() <= step }
            return rise * pow(factor, Double(reached))
        case .cosine:
            if step < warm { return rise }
            let progress = warm < total ? min(1, (step - warm) / (total - warm)) : 1
            return floor + (1 - floor) * (1 + cos(.pi * progress)) / 2
        }
    }

    /// The keys of a recipe.
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, milestones, factor, floor
        case warmUp = "warm-up"
    }

    /// Absent keys take their defaults.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try box.decodeIfPresent(Kind.self, forKey: .kind) ?? .cosine,
            milestones: try box.decodeIfPresent([Double].self, forKey: .milestones) ?? [],
            factor: try box.decodeIfPresent(Double.self, forKey: .factor) ?? 0.1,
            floor: try box.decodeIfPresent(Double.self, forKey: .floor) ?? 0,
            warmUp: try box.decodeIfPresent(Double.self, forKey: .warmUp) ?? 0)
    }

    /// Refuses values out of range, naming the key below `place`.
    public func validate(at place: Problem.Place? = nil) throws(Problem) {
        guard warmUp >= 0, warmUp.isFinite else {
            throw .outOfRange("warm-up", warmUp, "at least 0", at: place)
        }
        guard factor > 0, factor <= 1 else {
            throw .outOfRange("factor", factor, "in (0, 1]", at: place)
        }
        guard floor >= 0, floor <= 1 else {
            throw .outOfRange("floor", floor, "in [0, 1]", at: place)
        }
        guard zip([0] + milestones, milestones).allSatisfy({ $0 < $1 && $1.isFinite }) else {
            throw .milestonesNotRising(milestones, at: place)
        }
    }
}
