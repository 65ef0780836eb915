import Diagnostics
import Distillation
import Models
import Report
import Torch

/// Multi-stage self-distillation: Takanami, Takahashi, Sakata, "The Effect of Optimal
/// Self-Distillation in Noisy Gaussian Mixture Model", 2025, arXiv 2501.16226; for networks, Born-Again
/// Networks (Furlanello et al. 2018, arXiv 1805.04770).
///
///     stage 0:      y⁰_i = onehot(given label)
///     stage t ≥ 1:  yᵗ_i = softmax(β_t · zᵗ⁻¹_i)      soft pseudo-labels
///                   yᵗ_i = onehot(argmax zᵗ⁻¹_i)      hard ones: the limit β → ∞
///     L = −(1/N) Σ_i Σ_c yᵗ_ic log softmax(zᵗ_i)_c      or a divergence D(yᵗ_i ‖ softmax(zᵗ_i))
///
/// Every stage sees the same inputs and only the previous stage's labels: the given ones do not
/// return. Pseudo-labels are computed once, in eval mode, without augmentation, on the training
/// samples themselves (the theory rests on that self-influence). Learnt: a student per stage.
/// Deviations: more than two classes (the paper has two), and mini-batch training with early
/// stopping instead of a convex optimum with its own λ per stage.
public struct SelfDistillationOptions: Codable, Equatable, Sendable {
    public enum Labels: String, Codable, Sendable, CaseIterable { case soft, hard }
    public enum Start: String, Codable, Sendable, CaseIterable { case fresh, previous }

    /// Rounds after stage 0, 1 to 20. Most of the gain is in the first; under much noise the third
    /// can still help.
    public var stages: Int
    /// Whether a stage that gains no more than its standard error on the validation split ends the chain,
    /// which then has `stages` at most: the paper's early stopping, for data whose best number of stages is
    /// not known (`StageGain`). In a recipe `stages: auto`, with `max-stages` (3 if not given).
    public var mayDecline: Bool
    /// Soft, or hard (β = ∞).
    public var labels: Labels
    /// Inverse temperature per stage; the last one repeats. Above 1 sharpens.
    public var beta: [Double]
    /// Every stage from fresh weights, as the theory has it, or from the previous stage's.
    public var start: Start
    /// Between soft labels and student, instead of cross-entropy (whose gradient is that of KL).
    public var divergence: Divergence?

    public init(
        stages: Int = 1, mayDecline: Bool = false, labels: Labels = .soft, beta: [Double] = [1],
        start: Start = .fresh, divergence: Divergence? = nil
    ) {
        self.stages = stages
        self.mayDecline = mayDecline
        self.labels = labels
        self.beta = beta
        self.start = start
        self.divergence = divergence
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        switch try values.decodeIfPresent(Stages.self, forKey: .stages) {
        case .count(let count): stages = count
        case .auto: (stages, mayDecline) = (Self.usualMost, true)
        case nil: break
        }
        if let most = try values.decodeIfPresent(Int.self, forKey: .maxStages) {
            guard mayDecline else { throw Problem.maxStagesOfFixedOnes() }
            guard (1...20).contains(most) else {
                throw Problem.outOfRange(
                    "method.max-stages", found: "\(most)", expected: "1 to 20")
            }
            stages = most
        }
        labels = try values.decodeIfPresent(Labels.self, forKey: .labels) ?? labels
        start = try values.decodeIfPresent(Start.self, forKey: .start) ?? start
        if values.contains(.beta) {
            beta =
                try (try? values.decode([Double].self, forKey: .beta))
                ?? [values.decode(Double.self, forKey: .beta)]
        }
        divergence = try values.decodeIfPresent(Divergence.self, forKey: .divergence)
        guard (1...20).contains(stages) else {
            throw Problem.outOfRange("method.stages", found: "\(stages)", expected: "1 to 20")
        }
        guard !beta.isEmpty, beta.allSatisfy({ $0 > 0 && !$0.isNaN }) else {
            throw Problem.outOfRange(
                "method.beta", found: "\(beta)",
                expected: "one or more numbers above 0 (.inf for hard)")
        }
        if divergence != nil, labels == .hard || beta.contains(.infinity) {
            throw Problem.divergenceOfHardLabels()
        }
    }

    /// β of the labels that stage `stage` ≥ 1 learns from; infinite for hard labels.
    public func beta(forStage stage: Int) -> Double {
        labels == .hard ? .infinity : beta[min(stage - 1, beta.count - 1)]
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(mayDecline ? .auto : .count(stages) as Stages, forKey: .stages)
        if mayDecline { try values.encode(stages, forKey: .maxStages) }
        try values.encode(labels, forKey: .labels)
        try values.encode(beta, forKey: .beta)
        try values.encode(start, forKey: .start)
        try values.encodeIfPresent(divergence, forKey: .divergence)
    }

    private static let usualMost = 3

    /// A number, or `auto`.
    private enum Stages: Codable {
        case count(Int)
        case auto

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if (try? value.decode(String.self)) == "auto" {
                self = .auto
            } else {
                self = .count(try value.decode(Int.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .count(let count): try value.encode(count)
            case .auto: try value.encode("auto")
            }
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case stages, labels, beta, start, divergence
        case maxStages = "max-stages"
    }
}

/// A stage on the given labels, and stages on the previous one's predictions.
public struct SelfDistillation: Method {
    public static let name = "self-distillation"
    public static let summary = "trains stage after stage, each on the previous one's predictions"

    public var options: SelfDistillationOptions
    /// Which weights of a stage teach the next.
    public var weights: TeacherWeights
    /// What stage 0 is: cross-entropy on the given labels if nil.
    public var teacher: TeacherOptions?

    public init(
        _ options: SelfDistillationOptions = .init(), weights: TeacherWeights = .selected,
        teacher: TeacherOptions? = nil
    ) {
        self.options = options
        self.weights = weights
        self.teacher = teacher
    }

    public init(stages: Int) { self.init(.init(stages: stages)) }

    private enum Keys: String, CodingKey { case weights, teacher }

    public init(from decoder: any Decoder) throws {
        options = try SelfDistillationOptions(from: decoder)
        let values = try decoder.container(keyedBy: Keys.self)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
        teacher = try values.decodeIfPresent(TeacherOptions.self, forKey: .teacher)
    }

    public func encode(to encoder: any Encoder) throws {
        try options.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(weights, forKey: .weights)
        try values.encodeIfPresent(teacher, forKey: .teacher)
    }

    public var asksFor: [TeacherWeights] { [weights] + (teacher?.asksFor ?? []) }
    public var files: [String] { teacher?.files ?? [] }
    public func resolve(_ recipe: inout Recipe) { teacher?.method?.base.resolve(&recipe) }

    public func check(_ recipe: Recipe) throws(Problem) {
        try teacher?.check(recipe, at: "method.teacher")
        // A phase that a declined stage passes on is one of this chain.
        if options.mayDecline, teacher?.file != nil {
            throw .outOfRange(
                "method.stages", found: "auto behind a teacher from a file",
                expected: "a number, or a teacher that is trained here")
        }
        if options.start == .previous, let model = teacher?.model, model != recipe.model {
            throw .outOfRange(
                "method.start",
                found: "previous behind a teacher of another network (\(model.name))",
                expected: "one network for both, or start: fresh")
        }
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        var (chain, source) = try plan.teacher(
            teacher ?? TeacherOptions(weights: weights), name: "stage-0", isGuided: teacher == nil)
        let before = max(1, chain.count)
        for stage in 1...options.stages {
            if stage > 1 { source = .phase(key: chain.last!.key, weights) }
            let target = Target(
                beta: .init(options.beta(forStage: stage)), teacher: source,
                divergence: options.divergence, mayBeDeclined: options.mayDecline ? true : nil)
            chain.append(
                plan.phase(
                    "stage-\(stage)", before - 1 + stage, target,
                    start: options.start == .previous ? source : nil))
        }
        return chain
    }

    /// Soft or (β = ∞) hard labels of an earlier phase, by cross-entropy or a divergence.
    struct Target: PhaseTarget {
        /// JSON has no infinity.
        enum Beta: Encodable, Sendable {
            case soft(Double)
            case hard

            init(_ beta: Double) { self = beta.isInfinite ? .hard : .soft(beta) }
            var value: Double { if case .soft(let beta) = self { beta } else { .infinity } }
        }

        static let name = "pseudo-labels"
        var beta: Beta
        var teacher: WeightSource
        var divergence: Divergence?
        /// Nil where the stage is kept whatever comes out.
        var mayBeDeclined: Bool?
        var sources: [WeightSource] { [teacher] }
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }
        var mustGainOn: WeightSource? { mayBeDeclined == true ? teacher : nil }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let frozen = try phase.frozen(teacher)
            let logits = try phase.trainingLogits(frozen)
            let objective =
                divergence.map {
                    PseudoLabelObjective(
                        Logits(logits).logProbabilities(temperature: 1 / beta.value), $0)
                } ?? PseudoLabelObjective(pseudoLabels(Logits(logits), beta: beta.value))
            objective.teacherScores = try phase.scores(frozen)
            objective.rightLabels = phase.cleanAgreement(logits)
            return objective
        }
    }
}

/// Training towards a fixed table of labels, one row per row of the training split.
public final class PseudoLabelObjective: TeacherLed {
    private let table: Tensor
    private let divergence: Divergence?
    /// For the record: the teacher's, and the share of its labels that are right, where that is known.
    public internal(set) var teacherScores: PhaseResult.Scores?
    public internal(set) var rightLabels: Double?

    /// With cross-entropy.
    ///
    /// - Parameter table: [rows of the training split, C].
    public init(_ table: Probabilities) {
        self.table = table.tensor
        divergence = nil
    }

    /// With a divergence.
    ///
    /// - Parameter table: [rows of the training split, C]; finite, so no hard labels.
    public init(_ table: LogProbabilities, _ divergence: Divergence) {
        self.table = table.tensor
        self.divergence = divergence
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let output = outputs[learner]
        let rows = table.indexed(0, by: batch.rows)  // [N, C]
        guard let divergence else {
            return Losses(.init("pseudo-label", crossEntropy(output.logits, Probabilities(rows))))
        }
        let loss = divergence(peer: LogProbabilities(rows), own: output.logits.logProbabilities())
        return Losses(.init("pseudo-label", loss.attached(to: output.logits)))
    }
}

extension SelfDistillation {
    /// Stages denoise labels; without noise there is nothing to gain from them, and with noise the selected
    /// epoch of one network often has it all: Documentation/when-does-it-help.md.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .againstWrongLabels(
            facts, falling: .open, changes: ["method={name: self-distillation, stages: 1}"])
    }
}
