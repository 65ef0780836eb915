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
/// Enters: given labels, frozen teachers, validation samples. Learnt: the student, and by a virtual step
/// of its last layer the weights per sample. Deviations: the step is normalised (β̂), the mean
/// factor is that of the whole group, a guard stops virtual steps that overshoot; none of the released
/// code's defects is copied (Documentation/adaptive-mixing.md lists them).
public struct AdaptiveMixingOptions: Codable, Equatable, Sendable {
    /// T > 0 of every teacher's loss. 4 in the papers.
    public var temperature: Double
    /// How parameters make weights. Convex clamp in the first paper; box for independent weights.
    public var rule: MixingRule
    /// The weights before the first meta pass: a teacher's share from 0 to 1 (.9 in the later code), or
    /// `uniform` (the first version). A low share keeps the early label alignment telling.
    public var initialWeight: MixingStart
    /// Epochs with fixed weights before the first meta pass, at least 0. 10 in the papers.
    public var warmUp: Int
    /// L: a meta pass before every so many epochs, at least 1. 10 in the papers.
    public var metaInterval: Int
    /// Mini-batches that share one meta step, 1 to 64. 2 to 4 in the code.
    public var batchesPerGroup: Int
    /// R, how often a meta step is repeated for a group, 1 to 100.
    public var metaRepeats: Int
    /// β̂ above 0, in units that do not depend on batch size and learning rate and, with
    /// `metaStepScale` auto, on the network either.
    public var metaStepSize: Double
    /// Whether the step depends on the length of the features, as in the papers.
    public var metaStepScale: MetaStepScale
    /// What β̂ = 1 moves a weight by at the median alignment of the first group, with `metaStepScale` auto.
    /// Chosen on validation over three tasks (Documentation/results/adaptive-mixing.md).
    public static let typicalStep = 0.1
    /// η of the virtual step with `metaStepScale` auto, where features have length 1 and the student's own
    /// learning rate says nothing. Chosen with it.
    public static let virtualRate = 1.0
    /// Validation samples per group, at least 1; all if there are fewer. 1000 for CIFAR in the code.
    public var validationBatch: Int
    /// Whether validation samples are drawn evenly over the classes.
    public var balancedValidation: Bool
    public var virtualStep: MetaStepOptions.Point
    /// Relative rise of the validation loss that a virtual step may cause, at least 0.
    public var tolerance: Double

    public init(
        temperature: Double = 4, rule: MixingRule = .convexClamp,
        initialWeight: MixingStart = .share(0.9), warmUp: Int = 10, metaInterval: Int = 10,
        batchesPerGroup: Int = 3,
        metaRepeats: Int = 5, metaStepSize: Double = 1,
        metaStepScale: MetaStepScale = .auto, validationBatch: Int = 1000,
        balancedValidation: Bool = false,
        virtualStep: MetaStepOptions.Point = .exact, tolerance: Double = 0.1
    ) {
        self.temperature = temperature
        self.rule = rule
        self.initialWeight = initialWeight
        self.warmUp = warmUp
        self.metaInterval = metaInterval
        self.batchesPerGroup = batchesPerGroup
        self.metaRepeats = metaRepeats
        self.metaStepSize = metaStepSize
        self.metaStepScale = metaStepScale
        self.validationBatch = validationBatch
        self.balancedValidation = balancedValidation
        self.virtualStep = virtualStep
        self.tolerance = tolerance
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        temperature = try values.decodeIfPresent(Double.self, forKey: .temperature) ?? temperature
        rule = try values.decodeIfPresent(MixingRule.self, forKey: .rule) ?? rule
        initialWeight =
            try values.decodeIfPresent(MixingStart.self, forKey: .initialWeight) ?? initialWeight
        warmUp = try values.decodeIfPresent(Int.self, forKey: .warmUp) ?? warmUp
        metaInterval = try values.decodeIfPresent(Int.self, forKey: .metaInterval) ?? metaInterval
        batchesPerGroup =
            try values.decodeIfPresent(Int.self, forKey: .batchesPerGroup) ?? batchesPerGroup
        metaRepeats = try values.decodeIfPresent(Int.self, forKey: .metaRepeats) ?? metaRepeats
        metaStepSize =
            try values.decodeIfPresent(Double.self, forKey: .metaStepSize) ?? metaStepSize
        metaStepScale =
            try values.decodeIfPresent(MetaStepScale.self, forKey: .metaStepScale)
            ?? metaStepScale
        validationBatch =
            try values.decodeIfPresent(Int.self, forKey: .validationBatch) ?? validationBatch
        balancedValidation =
            try values.decodeIfPresent(Bool.self, forKey: .balancedValidation) ?? balancedValidation
        virtualStep =
            try values.decodeIfPresent(MetaStepOptions.Point.self, forKey: .virtualStep)
            ?? virtualStep
        tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? tolerance
        try check()
    }

    private func check() throws(Problem) {
        for (key, value) in [("temperature", temperature), ("meta-step-size", metaStepSize)]
        where !(value > 0 && value.isFinite) {
            throw .outOfRange("method.\(key)", found: "\(value)", expected: "\(key) > 0")
        }
        if case .share(let share) = initialWeight, !(0...1).contains(share) {
            throw .outOfRange(
                "method.initial-weight", found: "\(share)",
                expected: "a share from 0 to 1, or uniform")
        }
        if !(tolerance >= 0) {
            throw .outOfRange("method.tolerance", found: "\(tolerance)", expected: "tolerance >= 0")
        }
        for (key, value, range) in [
            ("warm-up", warmUp, 0...100_000), ("meta-interval", metaInterval, 1...100_000),
            ("batches-per-group", batchesPerGroup, 1...64), ("meta-repeats", metaRepeats, 1...100),
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
        epoch >= max(warmUp, metaInterval) && epoch % metaInterval == 0
    }

    public var metaStep: MetaStepOptions {
        MetaStepOptions(
            rule: rule, step: metaStepSize, repeats: metaRepeats, point: virtualStep,
            guard: MixingGuard(tolerance: tolerance))
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case temperature, rule, tolerance
        case initialWeight = "initial-weight"
        case metaInterval = "meta-interval"
        case batchesPerGroup = "batches-per-group"
        case metaRepeats = "meta-repeats"
        case metaStepSize = "meta-step-size"
        case metaStepScale = "meta-step-scale"
        case balancedValidation = "balanced-validation"
        case warmUp = "warm-up"
        case validationBatch = "validation-batch"
        case virtualStep = "virtual-step"
    }
}
