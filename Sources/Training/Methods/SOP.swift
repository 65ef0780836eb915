import Diagnostics
import Distillation
import Randomness
import Report
import Torch

/// Sparse over-parameterisation (SOP): Liu, Zhu, Qu, You, "Robust Training under Label Noise by
/// Over-parameterization", 2022, arXiv 2202.14026.
///
///     U_i = clip(u_i² y_i, 0, 1),   W_i = clip(v_i² (1 − y_i), 0, 1)          u_i a number, v_i one per class
///     q_i = max(p_i + U_i − W_i, 1e-4), divided by its sum, clipped to [1e-4, 1]    W_i a constant here
///     L   = (1/N) Σ_i ( −log q_{i,y_i} + ‖h_i + U_i − W_i − y_i‖² )
///
/// y_i is the given label and h_i the predicted class, both one-hot; p_i = softmax(z_i). U − W takes up what is
/// wrong in a label, so that the network need not. It begins at almost nothing, and as its parts are squares it
/// grows slowly where a label contradicts the network for long.
/// u and v are learnt by SGD without momentum or decay, at constant rates, only in the rows of the batch, and
/// before the network's update of the same step. u learns from both terms, v from the second one.
/// SOP+ adds a second, strong view of each sample and two terms: `consistency` · KL(p_i ‖ p′_i), with p_i a
/// constant and p′_i of the strong view, and `balance` · −(1/C) Σ_c log q̄_c of the batch's mean q̄.
/// Enters: the given labels. Learnt: the student, u and v.
/// Deviation: the strong view is this library's, not AutoAugment and cutout.
public struct SOPOptions: Codable, Equatable, Sendable {
    /// Learning rate of u, at least 0. 1 is the paper's for a hundred classes and symmetric noise, .1 for
    /// asymmetric noise.
    public var rateOfU: Double
    /// Learning rate of v, at least 0. 10 is the paper's for a hundred classes and symmetric noise, 100 for
    /// asymmetric noise.
    public var rateOfV: Double
    /// Standard deviation of u and v at first, above 0. 1e-8 is the paper's. Nothing moves at 0: the smaller, the
    /// later noise is taken up. Raise it where a run has few epochs.
    public var start: Double
    /// Weight of the consistency of two views, at least 0. SOP has 0, SOP+ .9.
    public var consistency: Double
    /// Weight of the balance of classes, at least 0. SOP has 0, SOP+ .1. It harms where classes differ in size.
    public var balance: Double
    /// The second view.
    public var views: ViewOptions

    public init(
        rateOfU: Double = 1, rateOfV: Double = 10, start: Double = 1e-8, consistency: Double = 0,
        balance: Double = 0, views: ViewOptions = .init()
    ) {
        self.rateOfU = rateOfU
        self.rateOfV = rateOfV
        self.start = start
        self.consistency = consistency
        self.balance = balance
        self.views = views
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case start, consistency, balance, views
        case rateOfU = "learning-rate-u"
        case rateOfV = "learning-rate-v"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        rateOfU = try values.number(.rateOfU, or: rateOfU, "0 or more") { $0 >= 0 }
        rateOfV = try values.number(.rateOfV, or: rateOfV, "0 or more") { $0 >= 0 }
        start = try values.number(.start, or: start, "above 0 and at most 1") { $0 > 0 && $0 <= 1 }
        consistency = try values.number(.consistency, or: consistency, "0 or more") { $0 >= 0 }
        balance = try values.number(.balance, or: balance, "0 or more") { $0 >= 0 }
        views = try values.decodeIfPresent(ViewOptions.self, forKey: .views) ?? views
        guard consistency > 0 || views == ViewOptions() else {
            throw Problem.outOfRange(
                "method.views", found: "views with consistency 0", expected: "a consistency above 0"
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(rateOfU, forKey: .rateOfU)
        try values.encode(rateOfV, forKey: .rateOfV)
        try values.encode(start, forKey: .start)
        try values.encode(consistency, forKey: .consistency)
        try values.encode(balance, forKey: .balance)
        if views != ViewOptions() { try values.encode(views, forKey: .views) }
    }

    /// Whether a batch has two views of each sample.
    var hasTwoViews: Bool { consistency > 0 }
}

/// What is taken for wrong in each label: U [N, C], 0 but at the label, and W [N, C], 0 at the label.
///
/// - Parameters:
///   - u: [N, 1].
///   - v: [N, C].
///   - labels: one-hot [N, C].
func sparseNoise(u: Tensor, v: Tensor, labels y: Tensor) -> (label: Tensor, others: Tensor) {
    ((u * u * y).clamped(0, 1), (v * v * (1 - y)).clamped(0, 1))
}

/// Both terms of the loss, one value per sample [N], and the corrected probabilities q [N, C].
///
/// - Parameters:
///   - labels: classes [N], int64.
///   - u: [N, 1]; gradients flow to it, and to `v`.
///   - v: [N, C].
public func overParameterisedLosses(
    _ logits: Logits, labels: Tensor, u: Tensor, v: Tensor
) -> (crossEntropy: Tensor, squares: Tensor, corrected: Tensor) {
    let p = logits.probabilities().tensor  // [N, C]
    let y = labels.oneHot(p.shape[1]).to(p.dtype)  // [N, C]
    let noise = sparseNoise(u: u, v: v, labels: y)
    let raw = (p + noise.label - noise.others.detached()).clamped(1e-4, nil)
    let q = (raw / raw.sum(-1, keep: true)).clamped(1e-4, 1)  // [N, C]
    let h = p.argmax().oneHot(p.shape[1]).to(p.dtype)  // [N, C]
    let rest = h + noise.label - noise.others - y
    return (-(y * q.log()).sum(-1), (rest * rest).sum(-1), q)
}

/// −(1/C) Σ_c log q̄_c [1] with the batch's mean q̄, clipped to [1e-4, 1]: least where all classes are predicted
/// alike often.
///
/// - Parameter probabilities: [N, C].
public func classBalance(_ probabilities: Tensor) -> Tensor {
    -probabilities.mean(0).clamped(1e-4, 1).log().mean().reshaped([1])
}

/// Training on the given labels, with a part of each label that the network need not learn.
public struct SOP: Method {
    public static let name = "sop"
    public static let summary =
        "trains on the given labels less what is learnt to be wrong in each of them"

    public var options: SOPOptions

    public init(_ options: SOPOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try SOPOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(options: options))]
    }

    /// The given labels, and what is wrong in them.
    struct Target: PhaseTarget {
        static let name = "sop"
        var options: SOPOptions
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: options.hasTwoViews) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            SOPObjective(
                options, samples: phase.rows, classes: phase.classes,
                learners: phase.learners.count, seed: phase.seed, device: phase.device)
        }
    }
}

public final class SOPObjective: Objective {
    public let options: SOPOptions
    /// u of each learner [samples, 1] and v [samples, C], float32, by row of the training split: learners share
    /// nothing. Bfloat16 would lose squares of 1e-8.
    public let u: [Rows]
    public let v: [Rows]

    /// - Parameter seed: of the first u and v.
    public init(
        _ options: SOPOptions = .init(), samples: Int, classes: Int, learners: Int = 1,
        seed: UInt64, device: Device = .cpu
    ) {
        self.options = options
        func store(_ name: String, _ learner: Int, width: Int) -> Rows {
            var draw = Draw(seed: seed, .initialisation, step: width + 1, sample: learner + 1)
            let values = Tensor.zeros([samples, width])
            values.fillNormal(std: options.start, Generator(seed: draw.next()))
            return Rows("\(name).\(learner)", values.to(device))
        }
        u = (0..<learners).map { store("u", $0, width: 1) }
        v = (0..<learners).map { store("v", $0, width: classes) }
    }

    public func batches(_ phase: PhaseContext) throws -> Batches {
        guard options.hasTwoViews else { return .plan(try phase.plan()) }
        return .plan(
            try phase.plan(
                versions: [phase.usualVersion, phase.version(options.views, isStrong: true)]))
    }

    /// One forward pass of both views, so that batch statistics are those of both.
    public func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        try step.train(
            self, batch,
            inputs: batch.views.count > 1 ? .concatenated(batch.views) : batch.inputs)
    }

    /// - Parameter outputs: of the batch's samples, and where there are two views of the second ones behind them.
    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let (logits, strong) = halves(outputs[learner].logits, count: batch.labels.count)
        let (u, v) = (u[learner].read(batch.rows), v[learner].read(batch.rows))
        u.requiresGrad = true
        v.requiresGrad = true
        let parts = overParameterisedLosses(logits, labels: batch.labels, u: u, v: v)
        var terms = [
            Losses.Term("cross-entropy", parts.crossEntropy), .init("squares", parts.squares),
        ]
        if let strong, options.consistency > 0 {
            terms.append(
                .init(
                    "consistency", weight: options.consistency,
                    kullbackLeibler(
                        logits.detached.logProbabilities(), strong.logProbabilities())))
        }
        if options.balance > 0 {
            terms.append(
                .init("balance", weight: options.balance, classBalance(parts.corrected)))
        }
        let losses = Losses(terms)
        // The loss keeps the u and v that it was computed with: what is written is for the next step.
        let gradients = Tensor.gradients(of: losses.total, with: [u, v], retainGraph: true)
        withoutGradient {
            self.u[learner].write(batch.rows, u - gradients[0] * options.rateOfU)
            self.v[learner].write(batch.rows, v - gradients[1] * options.rateOfV)
        }
        return losses
    }

    private func halves(_ logits: Logits, count: Int) -> (Logits, Logits?) {
        let all = logits.tensor
        guard all.shape[0] > count else { return (logits, nil) }
        return (
            Logits(all.narrowed(0, from: 0, count: count)),
            Logits(all.narrowed(0, from: count, count: count))
        )
    }

    public var state: [NamedTensor] { (u + v).flatMap(\.state) }

    /// What was taken for wrong in each label, and the label that is left without it.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let clean = epoch.phase.cleanLabels
        var section = Section(
            title: "Label noise that was learnt", subject: "network",
            note:
                "U: how much of the given label is taken for wrong, 0 to 1. AUC: how well it tells wrong "
                + "labels.")
        for (k, learner) in epoch.learners.enumerated() {
            let given = epoch.phase.data.split.train.map { learner.labels[$0] }
            let classes = epoch.phase.classes
            let y = Tensor(given, [given.count]).to(u[k].device).oneHot(classes).to(.float32)
            let noise = sparseNoise(u: u[k].all, v: v[k].all, labels: y)
            let share = noise.label.sum(-1).doubles()
            let left = y - noise.label + noise.others
            let suggested = left.argmax().ints()
            let others = Double(zip(suggested, given).count { $0 != $1 }) / Double(given.count)
            let right = epoch.phase.cleanAgreement(left)
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
                    "wrong-label-auc", "AUC, given label wrong", of: learner.name,
                    clean.flatMap { rankAUC(share, zip(given, $0).map { $0 != $1 }) }, .percent(1),
                    largerIsBetter: true),
            ]
            let prefix = u.count > 1 ? "\(learner.name)-" : ""
            section.columns += [
                .init(name: prefix + "label-noise", numbers: share),
                .init(name: prefix + "suggested", cells: suggested.map(String.init)),
            ]
        }
        return [section]
    }
}

extension SOP {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .notMeasured(facts, changes: ["method={name: sop}"])
    }
}

extension SOP {
    public static let presets = [
        MethodPreset(
            "cifar-100-symmetric", "learning-rate-u: 1, learning-rate-v: 10",
            source: "CIFAR-100, symmetric noise; the authors' readme"),
        MethodPreset(
            "cifar-100-asymmetric", "learning-rate-u: 0.1, learning-rate-v: 100",
            source: "CIFAR-100, asymmetric noise; the authors' readme"),
    ]
}
