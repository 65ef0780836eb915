import Diagnostics
import Distillation
import Foundation
import Models
import Neural
import Report
import Torch

/// ELR+: Liu, Niles-Weed, Razavian, Fernandez-Granda, "Early-Learning Regularization Prevents Memorization of
/// Noisy Labels", 2020, arXiv 2007.00151, the variant with two networks, averaged weights and mixup.
///
///     h_i ← β h_i + (1 − β) softmax(z̄_i)              z̄: the average of the *other* network, on plain samples
///     l ~ Beta(α, α), λ = max(l, 1 − l);   x̃, ỹ, q = x, y, h mixed with those of a partner by λ
///     L = (1/N) Σ_i ( −Σ_c ỹ_ic log p̃_ic + r_s λ_r log(1 − ⟨q_i, p̂_i⟩) )     p̃ of x̃; p̂ is p̃ clipped
///     r_s = exp(−5 (1 − s/S)²) up to step S, then 1
///     average ← a_s average + (1 − a_s) weights,   a_s = .997 exp(−5 (1 − (s + 1)/S_a)²) up to step S_a
///
/// For data sets of many classes ỹ is replaced by ỹ q / Σ_c ỹ_c q_c (`refine-labels`).
/// Enters: the given labels. Learnt: both networks. Kept: h of each network, and both averages.
/// Deviations: both networks learn from the same batches, in one pass, while the authors' code trains one after
/// the other; averages run in evaluation mode and average batch statistics too (`compat`: in training mode, with
/// statistics of their own, as in their code).
public struct EarlyLearningPlusOptions: Codable, Equatable, Sendable {
    /// λ_r and β; see `early-learning`. The paper's are the same for both methods.
    public var regulariser: EarlyLearningOptions
    /// α of Beta, above 0. 1 is the paper's.
    public var alpha: Double
    /// S, steps until the regulariser has its weight, at least 0. 0 is the paper's for ten classes, 40,000 for a
    /// hundred.
    public var rampSteps: Int
    /// The decay of the averages in the end, 0 to below 1. .997 is the paper's.
    public var decay: Double
    /// S_a, steps until the averages have that decay, at least 0. 40,000 is the paper's, which leaves a short run
    /// without any averaging to speak of.
    public var decaySteps: Int
    /// Whether labels are weighed by what is remembered. Not said: for a hundred classes or more, as in the paper.
    public var refineLabels: Bool?
    /// What the published code does with the averages. For comparison only.
    public var compat: Bool

    public init(
        regulariser: EarlyLearningOptions = .init(), alpha: Double = 1, rampSteps: Int = 0,
        decay: Double = 0.997, decaySteps: Int = 40_000, refineLabels: Bool? = nil,
        compat: Bool = false
    ) {
        self.regulariser = regulariser
        self.alpha = alpha
        self.rampSteps = rampSteps
        self.decay = decay
        self.decaySteps = decaySteps
        self.refineLabels = refineLabels
        self.compat = compat
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case alpha, decay, compat
        case rampSteps = "ramp-steps"
        case decaySteps = "decay-steps"
        case refineLabels = "refine-labels"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(regulariser: try EarlyLearningOptions(from: decoder))
        alpha = try values.decodeIfPresent(Double.self, forKey: .alpha) ?? alpha
        rampSteps = try values.decodeIfPresent(Int.self, forKey: .rampSteps) ?? rampSteps
        decay = try values.decodeIfPresent(Double.self, forKey: .decay) ?? decay
        decaySteps = try values.decodeIfPresent(Int.self, forKey: .decaySteps) ?? decaySteps
        refineLabels = try values.decodeIfPresent(Bool.self, forKey: .refineLabels)
        compat = try values.decodeIfPresent(Bool.self, forKey: .compat) ?? compat
        func require(_ key: CodingKeys, _ found: Any, _ expected: String, _ isRight: Bool) throws {
            guard !isRight else { return }
            throw Problem.outOfRange(
                "method.\(key.rawValue)", found: "\(found)", expected: expected)
        }
        try require(.alpha, alpha, "0.001 to 1000", (0.001...1000).contains(alpha))
        try require(.decay, decay, "0 <= decay < 1", (0..<1).contains(decay))
        let range = 0...1_000_000_000
        try require(.rampSteps, rampSteps, "0 to 1000000000", range.contains(rampSteps))
        try require(.decaySteps, decaySteps, "0 to 1000000000", range.contains(decaySteps))
    }

    public func encode(to encoder: any Encoder) throws {
        try regulariser.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(alpha, forKey: .alpha)
        try values.encode(rampSteps, forKey: .rampSteps)
        try values.encode(decay, forKey: .decay)
        try values.encode(decaySteps, forKey: .decaySteps)
        try values.encodeIfPresent(refineLabels, forKey: .refineLabels)
        try values.encode(compat, forKey: .compat)
    }
}

/// exp(−5 (1 − s/S)²) with s held between 0 and S: from e⁻⁵ to 1. 1 for S = 0.
public func sigmoidRamp(step: Int, over length: Int) -> Double {
    guard length > 0 else { return 1 }
    let rest = 1 - Double(min(max(step, 0), length)) / Double(length)
    return exp(-5 * rest * rest)
}

/// Both terms of the loss of a mixed batch.
///
/// - Parameters:
///   - labels: ỹ [N, C], a constant.
///   - memory: q [N, C], a constant.
///   - weight: r_s λ_r.
func earlyLearningPlusLosses(
    _ logits: Logits, labels: Tensor, memory: Tensor, weight: Double
) -> Losses {
    Losses(
        .init("cross-entropy", crossEntropy(logits, Probabilities(labels))),
        .init(
            "early-learning", weight: weight, earlyLearningRegulariser(logits, targets: memory)))
}

/// ỹ q / Σ_c ỹ_c q_c: of the mixed labels, those that are remembered.
func rememberedLabels(_ labels: Tensor, _ memory: Tensor) -> Tensor {
    let product = labels * memory  // [N, C]
    return product / (product.sum(-1, keep: true) + 1e-12)
}

/// Two networks, each held to what the average of the other one predicted before.
public struct EarlyLearningPlus: PairMethod {
    public static let name = "early-learning-plus"
    public static let summary =
        "trains two networks on mixed samples and on the earlier predictions of each other (ELR+)"

    public var options: EarlyLearningPlusOptions
    /// Exactly two, with the same labels.
    public var peers: PeersOptions

    public init(_ options: EarlyLearningPlusOptions = .init(), peers: PeersOptions = .init()) {
        self.options = options
        self.peers = peers
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.peers(peers, Target(options: options))]
    }

    /// The given labels, mixed, and the memory of the other network's average.
    struct Target: PhaseTarget {
        static let name = "early-learning-plus"
        var options: EarlyLearningPlusOptions
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            EarlyLearningPlusObjective(options, phase)
        }
    }
}

final class EarlyLearningPlusObjective: Objective {
    let options: EarlyLearningPlusOptions
    private let phase: PhaseContext
    /// h of each network [samples, C], float32, by row of the training split.
    let memories: [Rows]
    /// Each network with its averaged weights.
    let averages: [any Classifier]
    private let refinesLabels: Bool
    private var stepsPerEpoch = 1
    private var isOtherSeed = false

    init(_ options: EarlyLearningPlusOptions, _ phase: PhaseContext) {
        self.options = options
        self.phase = phase
        refinesLabels = options.refineLabels ?? (phase.classes >= 100)
        memories = phase.learners.indices.map {
            Rows("memory.\($0)", count: phase.rows, width: phase.classes, device: phase.device)
        }
        averages = phase.learners.map { learner in
            let copy = learner.network.replica()
            for (_, parameter) in copy.parameters { parameter.requiresGrad = false }
            copy.move(to: phase.device)
            if phase.data.learning.isImages { copy.toChannelsLast() }
            return copy
        }
    }

    var state: [NamedTensor] {
        memories.flatMap(\.state)
            + averages.enumerated().flatMap { k, network in
                network.state.map { ("average.\(k).\($0.name)", $0.tensor) }
            }
    }

    func dropRandomState() { isOtherSeed = true }

    func beginEpoch(_ epoch: EpochContext) throws { stepsPerEpoch = epoch.stepsPerEpoch }

    func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        let number = batch.epoch * stepsPerEpoch + batch.step
        for learner in step.learners { try learn(learner, batch, number, step) }
        for learner in step.learners {
            step.update(learner)
            average(learner, after: number)
        }
    }

    private func learn(
        _ learner: Learner, _ batch: TrainingBatch, _ number: Int, _ step: StepContext
    ) throws {
        let k = learner.index
        let mode = step.mode(of: learner)
        let seed = PhaseSpec.seed(phase.seed, ofLearner: k)
        let mixing = SampleMixing(
            rows: batch.labels.count, alpha: options.alpha,
            seed: isOtherSeed ? seed ^ 0xdead_beef : seed, epoch: batch.epoch, step: batch.step)
        let (labels, memory) = step.withPrecision {
            withoutGradient {
                // The network itself sees mixtures only.
                let other = averages[1 - k](batch.inputs, mode: options.compat ? mode : .eval)
                step.note(learner, batch, Logits(other))
                let beta = options.regulariser.beta
                let h =
                    memories[k].read(batch.rows) * beta
                    + Logits(other).probabilities().tensor * (1 - beta)
                memories[k].write(batch.rows, h)
                let q = mixing(h)
                let y = mixing(batch.labels.oneHot(phase.classes).to(.float32))
                return (refinesLabels ? rememberedLabels(y, q) : y, q)
            }
        }
        let logits = step.withPrecision {
            mixing.logits(
                learner.network, batch.inputs, mode: mode, isText: phase.data.learning.isText)
        }
        try step.backward(learner, batch, logits: nil) {
            earlyLearningPlusLosses(
                logits, labels: labels, memory: memory,
                weight: options.regulariser.lambda
                    * sigmoidRamp(step: number, over: options.rampSteps))
        }
    }

    /// Moves an average towards its network. In `compat` batch statistics stay the average's own.
    private func average(_ learner: Learner, after step: Int) {
        let decay = options.decay * sigmoidRamp(step: step + 1, over: options.decaySteps)
        let (own, network) = (averages[learner.index], learner.network)
        let pairs =
            options.compat
            ? Array(zip(own.parameters, network.parameters)) : Array(zip(own.state, network.state))
        let moved = pairs.filter { $0.0.tensor.dtype.isFloatingPoint }
        withoutGradient {
            Updates.lerp(
                moved.map(\.0.tensor), toward: moved.map { $0.1.tensor.detached() }, by: 1 - decay)
            for (copy, source) in pairs where !copy.tensor.dtype.isFloatingPoint {
                copy.tensor.copy(from: source.tensor)
            }
        }
    }

    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        preconditionFailure("the loss of ELR+ is of mixed samples")
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        [EarlyLearning.section(of: memories, epoch)]
    }
}

extension EarlyLearningPlus {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .notMeasured(facts, changes: ["method={name: early-learning-plus, decay-steps: 0}"])
    }
}

extension EarlyLearningPlus {
    public static let presets =
        EarlyLearning.presets.filter { $0.name != "cifar-100" } + [
            MethodPreset(
                "cifar-100", "lambda: 7, beta: 0.9, ramp-steps: 40000",
                source: "CIFAR-100, any noise; the authors' code")
        ]
}
