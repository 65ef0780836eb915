import Diagnostics
import Distillation
import Report
import Torch

/// Early-learning regularisation (ELR): Liu, Niles-Weed, Razavian, Fernandez-Granda, "Early-Learning
/// Regularization Prevents Memorization of Noisy Labels", 2020, arXiv 2007.00151.
///
///     t_i ← β t_i + (1 − β) p̂_i / Σ_c p̂_ic           p̂_i = softmax(z_i), clipped to [1e-4, 1 − 1e-4]
///     L = (1/N) Σ_i ( −log softmax(z_i)_{y_i} + λ log(1 − ⟨t_i, p̂_i⟩) )
///
/// A network fits right labels before wrong ones. t_i remembers what it predicted for sample i so far, and
/// the second term rewards it for predicting that still. Where the label contradicts t_i, the two gradients
/// work against each other and the label is not memorised.
/// Enters: the given labels. Learnt: the student. Kept: t, one row per training sample, which begins at 0
/// and takes in the present prediction before the loss of the same step, where it is a constant.
/// The second term is at most 0 and falls as the network grows sure: a total below zero is healthy.
/// No deviation from the authors' code. ELR+, with two networks, their averages and mixup, is
/// `early-learning-plus`.
public struct EarlyLearningOptions: Codable, Equatable, Sendable {
    /// λ ≥ 0. 3 is the paper's for ten classes and symmetric noise, 1 for asymmetric noise, 7 for a hundred
    /// classes. 0 is cross-entropy; too much and the network keeps what it believed after the first epochs.
    public var lambda: Double
    /// 0 ≤ β < 1, how much of t_i an epoch keeps. .7 is the paper's for ten classes and symmetric noise, .9
    /// otherwise. The higher, the further back the memory of the early predictions goes.
    public var beta: Double

    public init(lambda: Double = 3, beta: Double = 0.7) {
        self.lambda = lambda
        self.beta = beta
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        lambda = try values.decodeIfPresent(Double.self, forKey: .lambda) ?? lambda
        beta = try values.decodeIfPresent(Double.self, forKey: .beta) ?? beta
        guard lambda >= 0, lambda.isFinite else {
            throw Problem.outOfRange(
                "method.lambda", found: "\(lambda)", expected: "lambda >= 0")
        }
        guard (0..<1).contains(beta) else {
            throw Problem.outOfRange(
                "method.beta", found: "\(beta)", expected: "0 <= beta < 1")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case lambda, beta }
}

/// β t + (1 − β) p̂ / Σ_c p̂_c: the memory of each sample after one more prediction. Not recorded.
///
/// - Parameter targets: t before it [N, C]; the result has its dtype.
public func earlyLearningTargets(_ targets: Tensor, _ logits: Logits, beta: Double) -> Tensor {
    withoutGradient {
        let p = clippedProbabilities(logits)  // [N, C]
        let share = p / p.sum(-1, keep: true)  // [N, C]
        return targets * beta + share.to(targets.dtype) * (1 - beta)  // [N, C]
    }
}

/// log(1 − ⟨t, p̂⟩) per sample [N]: 0 where nothing is remembered, and the lower, the more the prediction is
/// what is remembered.
///
/// - Parameter targets: t [N, C], a constant.
public func earlyLearningRegulariser(_ logits: Logits, targets: Tensor) -> Tensor {
    let agreement = (targets.detached() * clippedProbabilities(logits)).sum(-1)  // [N]
    return (-agreement).log1p()  // [N]
}

/// Kept off 0 and 1: the logarithm stays finite. Float32 unless the logits are float64.
private func clippedProbabilities(_ logits: Logits) -> Tensor {
    logits.probabilities().tensor.clamped(1e-4, 1 - 1e-4)  // [N, C]
}

/// Training on the given labels, held to what the network predicted before it memorised them.
public struct EarlyLearning: Method {
    public static let name = "early-learning"
    public static let summary =
        "trains on the given labels and on the network's own earlier predictions (ELR)"

    public var options: EarlyLearningOptions

    public init(_ options: EarlyLearningOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws {
        options = try EarlyLearningOptions(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(options: options))]
    }

    /// The given labels, and the memory of the student's own predictions.
    struct Target: PhaseTarget {
        static let name = "early-learning"
        var options: EarlyLearningOptions
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            EarlyLearningObjective(
                options, samples: phase.rows, classes: phase.classes,
                learners: phase.learners.count, device: phase.device)
        }
    }
}

public final class EarlyLearningObjective: Objective {
    public let options: EarlyLearningOptions
    /// t of each learner [samples, C], float32, by row of the training split: learners share nothing.
    public let targets: [Rows]

    public init(
        _ options: EarlyLearningOptions = .init(), samples: Int, classes: Int, learners: Int = 1,
        device: Device = .cpu
    ) {
        self.options = options
        targets = (0..<learners).map {
            Rows("targets.\($0)", count: samples, width: classes, device: device)
        }
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let logits = outputs[learner].logits
        let memory = targets[learner]
        let t = earlyLearningTargets(memory.read(batch.rows), logits, beta: options.beta)
        memory.write(batch.rows, t)
        return Losses(
            .init("cross-entropy", crossEntropy(logits, labels: batch.labels)),
            .init(
                "early-learning", weight: options.lambda,
                earlyLearningRegulariser(logits, targets: t)))
    }

    public var state: [NamedTensor] { targets.flatMap(\.state) }

    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        [EarlyLearning.section(of: targets, epoch)]
    }
}

extension EarlyLearning {
    /// The label that each sample's memory suggests, and how much of the memory the given one has.
    ///
    /// - Parameter memories: of each network.
    static func section(of memories: [Rows], _ epoch: EpochContext) -> Section {
        let clean = epoch.phase.cleanLabels
        var section = Section(
            title: "Early learning", subject: "network",
            note:
                "The suggested label is the class that the network's memory of a sample holds most of. "
                + "AUC: how well a small share of the given label in it tells wrong labels.")
        for (learner, memory) in zip(epoch.learners, memories.map(\.all)) {
            let given = epoch.phase.data.split.train.map { learner.labels[$0] }
            let suggested = memory.argmax().ints()
            let share = memory.gathered(1, Tensor(given, [given.count, 1]).to(memory.device))
                .doubles()
            let others = Double(zip(suggested, given).count { $0 != $1 }) / Double(given.count)
            let right = epoch.phase.cleanAgreement(memory)
            let auc = clean.flatMap { rankAUC(share.map { -$0 }, zip(given, $0).map { $0 != $1 }) }
            section.findings.append(
                "\(learner.name) suggests another label than the given one for \(percent(others)) of "
                    + "the training samples"
                    + (right.map { "; \(percent($0)) of its suggestions are right" } ?? "") + ".")
            section.values += [
                .init("other-labels", "other labels", of: learner.name, others, .percent(1)),
                .init(
                    "right-suggestions", "right suggestions", of: learner.name, right, .percent(1),
                    largerIsBetter: true),
                .init(
                    "wrong-label-auc", "AUC, given label wrong", of: learner.name, auc, .percent(1),
                    largerIsBetter: true),
            ]
            let prefix = memories.count > 1 ? "\(learner.name)-" : ""
            section.columns += [
                .init(name: prefix + "suggested", cells: suggested.map(String.init)),
                .init(name: prefix + "target-of-given", numbers: share),
            ]
        }
        return section
    }

    /// It keeps a network from memorising; where nothing wrong is memorised it has nothing to do.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .againstWrongLabels(
            facts, falling: .helps, changes: ["method={name: early-learning}"])
    }
}

extension EarlyLearning {
    public static let presets = [
        MethodPreset(
            "symmetric", "lambda: 3, beta: 0.7",
            source:
                "CIFAR-10, symmetric noise; the authors' code (ResNet-34, learning rate .02, weight decay 1e-3)"
        ),
        MethodPreset(
            "asymmetric", "lambda: 1, beta: 0.9",
            source: "CIFAR-10, asymmetric noise; the authors' code"),
        MethodPreset(
            "cifar-100", "lambda: 7, beta: 0.9", source: "CIFAR-100, any noise; the authors' code"),
        MethodPreset(
            "clothing1m", "lambda: 3, beta: 0.7",
            source: "Clothing1M; the authors' code (learning rate .002, 15 epochs)"),
    ]
}
