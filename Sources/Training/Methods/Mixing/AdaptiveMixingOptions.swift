import Diagnostics
import Distillation

/// Adaptive loss mixing: Sivasubramanian, Shenoy, Prathosh, Ramakrishnan, "Adaptive Mixing of
/// Auxiliary Losses in Supervised Learning", 2022, arXiv 2202.03250 (first version: ALM-KD; AAAI 2023,
/// with Maheshwari: AMAL).
///
///     ℓ_0(i) = CE(z_i, y_i),   ℓ_m(i) = T² KL( softmax(t_i^m/T) ‖ softmax(z_i/T) ),  m = 1…M
///     one teacher:   L_i = (1−λ_i) ℓ_0 + λ_i ℓ_1                              (convex rules)
///     M teachers:    L_i = (1 − max_m λ_im) ℓ_0 + Σ_m λ_im ℓ_m                (convex rules)
///     K losses:      L_i = Σ_k w_ik ℓ_k,  w_ik ∈ [0, 2]                       (box)
///     outer:         min_w (1/V) Σ_j CE( f_θ*(w)(x_j), y_j )  over validation samples
///
/// Enters: given labels, frozen teachers, validation samples. Learnt: the student, and by a look-ahead
/// of its last layer the weights per sample. Deviations: the step is normalised (β̂), the mean
/// factor is that of the whole group, a guard stops look-aheads that overshoot; none of the released
/// code's defects is copied (Documentation/adaptive-mixing.md lists them).
public struct AdaptiveMixingOptions: Codable, Equatable, Sendable {
    /// T > 0 of every teacher's loss. 4 in the papers.
    public var temperature: Double
    /// How parameters make weights. Convex clamp in the first paper; box for independent weights.
    public var rule: MixingRule
    /// Weights before the first meta pass: a teacher's share from 0 to 1 (.9 in the later code), or
    /// `uniform` (the first version). A low share keeps the early label alignment telling.
    public var start: MixingStart
    /// Epochs with fixed weights before the first meta pass, at least 0. 10 in the papers.
    public var warmUp: Int
    /// L: a meta pass before every so many epochs, at least 1. 10 in the papers.
    public var every: Int
    /// Mini-batches that make a group, 1 to 64. 2 to 4 in the code.
    public var group: Int
    /// R, 1 to 100.
    public var repeats: Int
    /// β̂ above 0.
    public var step: Double
    /// Validation samples per group, at least 1; all if there are fewer. 1000 for CIFAR in the code.
    public var validationBatch: Int
    /// Draw validation samples evenly over the classes.
    public var balanced: Bool
    public var lookahead: MetaStepOptions.Point
    /// Relative rise of the validation loss that a look-ahead may cause, at least 0.
    public var tolerance: Double

    public init(
        temperature: Double = 4, rule: MixingRule = .convexClamp,
        start: MixingStart = .share(0.9), warmUp: Int = 10, every: Int = 10, group: Int = 3,
        repeats: Int = 5, step: Double = 1, validationBatch: Int = 1000, balanced: Bool = false,
        lookahead: MetaStepOptions.Point = .exact, tolerance: Double = 0.1
    ) {
        self.temperature = temperature
        self.rule = rule
        self.start = start
        self.warmUp = warmUp
        self.every = every
        self.group = group
        self.repeats = repeats
        self.step = step
        self.validationBatch = validationBatch
        self.balanced = balanced
        self.lookahead = lookahead
        self.tolerance = tolerance
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        temperature = try values.decodeIfPresent(Double.self, forKey: .temperature) ?? temperature
        rule = try values.decodeIfPresent(MixingRule.self, forKey: .rule) ?? rule
        start = try values.decodeIfPresent(MixingStart.self, forKey: .start) ?? start
        warmUp = try values.decodeIfPresent(Int.self, forKey: .warmUp) ?? warmUp
        every = try values.decodeIfPresent(Int.self, forKey: .every) ?? every
        group = try values.decodeIfPresent(Int.self, forKey: .group) ?? group
        repeats = try values.decodeIfPresent(Int.self, forKey: .repeats) ?? repeats
        step = try values.decodeIfPresent(Double.self, forKey: .step) ?? step
        validationBatch =
            try values.decodeIfPresent(Int.self, forKey: .validationBatch) ?? validationBatch
        balanced = try values.decodeIfPresent(Bool.self, forKey: .balanced) ?? balanced
        lookahead =
            try values.decodeIfPresent(MetaStepOptions.Point.self, forKey: .lookahead) ?? lookahead
        tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? tolerance
        try check()
    }

    private func check() throws(Problem) {
        for (key, value) in [("temperature", temperature), ("step", step)]
        where !(value > 0 && value.isFinite) {
            throw .outOfRange("method.\(key)", found: "\(value)", expected: "\(key) > 0")
        }
        if case .share(let share) = start, !(0...1).contains(share) {
            throw .outOfRange(
                "method.start", found: "\(share)", expected: "a share from 0 to 1, or uniform")
        }
        if !(tolerance >= 0) {
            throw .outOfRange("method.tolerance", found: "\(tolerance)", expected: "tolerance >= 0")
        }
        for (key, value, range) in [
            ("warm-up", warmUp, 0...100_000), ("every", every, 1...100_000),
            ("group", group, 1...64), ("repeats", repeats, 1...100),
            ("validation-batch", validationBatch, 1...1_000_000),
        ] where !range.contains(value) {
            throw .outOfRange(
                "method.\(key)", found: "\(value)",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// Whether a meta pass comes before this epoch (from 0): every L epochs from L on, once the
    /// warm-up is over.
    public func isMetaEpoch(_ epoch: Int) -> Bool {
        epoch >= max(warmUp, every) && epoch % every == 0
    }

    public var metaStep: MetaStepOptions {
        MetaStepOptions(
            rule: rule, step: step, repeats: repeats, point: lookahead,
            guard: MixingGuard(tolerance: tolerance))
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case temperature, rule, start, every, group, repeats, step, balanced, tolerance
        case warmUp = "warm-up"
        case validationBatch = "validation-batch"
        case lookahead = "look-ahead"
    }
}
