import Diagnostics
import Distillation
import Neural
import Report
import Torch

/// LEND (reconstruction): Zhang, Shen, Yang, Gong, "Towards Harnessing Feature Embedding for Robust Learning
/// with Noisy Labels", 2022, arXiv 2206.13025. No code is public and only what the abstract says was at hand.
///
///     f_i: features of sample i, of length 1.   N_i: the k samples j ≠ i with the largest ⟨f_i, f_j⟩
///     A_ij = max(⟨f_i, f_j⟩, 0) / Σ_{j' ∈ N_i} max(⟨f_i, f_j'⟩, 0)   for j in N_i, 0 elsewhere
///     ȳ_i  = Σ_j A_ij onehot(y_j)                                     the diluted label
///     L    = −(1/N) Σ_i Σ_c ȳ_ic log softmax(z_i)_c
///
/// A label is trusted where no class has more of its diluted label.
/// From the paper: similarities of the features that the network has early in training; labels that are diluted
/// by those of similar samples, so that wrong ones are outvoted; a classifier that is trained on them. Ours: the
/// form of A, k, that ȳ_i leaves out y_i, when it is renewed, and training on the trusted labels instead.
/// Enters: the given labels. Learnt: the student. Kept: ȳ. A sample whose neighbours all point away from it
/// keeps its label.
public struct LENDOptions: Codable, Equatable, Sendable {
    /// What is learnt once labels are diluted.
    public enum Labels: String, Codable, Sendable, CaseIterable {
        /// ȳ of every sample.
        case diluted
        /// The given labels that are trusted, and no other sample.
        case trusted
    }

    /// Epochs of cross-entropy before labels are diluted, at least 1. 10; features have to be worth something by
    /// then, and wrong labels not to be memorised.
    public var warmUp: Int
    /// k, 1 to 1000. 10; up to 50 where half of the labels or more are wrong and classes are large.
    public var neighbours: Int
    /// Epochs after which labels are diluted anew, at least 1. 10: each time costs a pass over all samples and
    /// all their cosines.
    public var every: Int
    public var labels: Labels

    public init(
        warmUp: Int = 10, neighbours: Int = 10, every: Int = 10, labels: Labels = .diluted
    ) {
        self.warmUp = warmUp
        self.neighbours = neighbours
        self.every = every
        self.labels = labels
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case neighbours, every, labels
        case warmUp = "warm-up"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        warmUp = try values.count(.warmUp, or: warmUp, in: 1...100_000)
        neighbours = try values.count(.neighbours, or: neighbours, in: 1...1000)
        every = try values.count(.every, or: every, in: 1...100_000)
        labels = try values.decodeIfPresent(Labels.self, forKey: .labels) ?? labels
    }
}

/// ȳ [N, C], of the features' dtype, without gradient: rows that sum to 1.
///
/// - Parameters:
///   - features: [N, D], of any length; N ≥ 2.
///   - labels: given classes, N of them.
///   - count: k.
public func dilutedLabels(
    _ features: Tensor, labels: [Int], classes: Int, neighbours count: Int
) -> Tensor {
    withoutGradient {
        let nearest = NearestNeighbours(
            features, labels: labels, classes: classes, count: count, vote: .cosine)
        let (neighbours, votes) = nearest.amongThemselves()  // [N, k]
        let own = Tensor(labels, [labels.count]).to(features.device).oneHot(classes).to(votes.dtype)
        let isAlone = votes.sum(-1, keep: true).equal(0).to(votes.dtype)  // [N, 1]
        return nearest.shares(neighbours, votes) + own * isAlone  // [N, C]
    }
}

/// Training on labels that those of similar samples have diluted.
public struct LEND: Method {
    public static let name = "lend"
    public static let summary =
        "trains on labels that are diluted by those of samples with similar features (LEND, reconstruction)"

    public var options: LENDOptions

    public init(_ options: LENDOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try LENDOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func check(_ recipe: Recipe) throws(Problem) {
        try recipe.check(warmUp: options.warmUp)
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(options: options))]
    }

    /// The given labels, diluted after a while.
    struct Target: PhaseTarget {
        static let name = "lend"
        var options: LENDOptions
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            LENDObjective(
                options, labels: phase.givenLabels, classes: phase.classes, device: phase.device)
        }
    }
}

public final class LENDObjective: Objective {
    public let options: LENDOptions
    /// ȳ [samples, C], float32, by row of the training split: the given labels at first.
    public let diluted: Rows
    /// 1 for the rows whose label is trusted [samples], int64.
    public let trusted: Rows
    /// Cross-entropy with the given label when a sample was last seen [samples], float32.
    public let losses: Rows
    private let labels: [Int]
    private let classes: Int
    private var isWarmUp = true

    /// - Parameter labels: given ones, by row.
    public init(
        _ options: LENDOptions = .init(), labels: [Int], classes: Int, device: Device = .cpu
    ) {
        self.options = options
        self.labels = labels
        self.classes = classes
        let given = Tensor(labels, [labels.count]).to(device)
        diluted = Rows("diluted", given.oneHot(classes).to(.float32))
        trusted = Rows("trusted", .ones([labels.count], dtype: .int64))
        losses = Rows("losses", count: labels.count, device: device)
    }

    public var state: [NamedTensor] { diluted.state + trusted.state + losses.state }

    public func beginEpoch(_ epoch: EpochContext) throws {
        let since = epoch.epoch - options.warmUp
        isWarmUp = since < 0
        guard !isWarmUp else { return }
        // Where a run resumes inside the epoch, the labels are in the checkpoint.
        if epoch.stepInEpoch == 0, since % options.every == 0 {
            let learner = epoch.learners[0]
            do {
                let features = try epoch.phase.trainingOutputs {
                    learner.network.features($0, mode: .eval)
                }
                for note in try Engine.checked({ dilute(by: features) }) { epoch.note(note) }
            } catch is OutputsNotFinite {
                throw epoch.notFinite("features of a training sample of \(learner.name)")
            }
        }
        guard options.labels == .trusted else { return }
        let members = epoch.phase.data.split.train
        try epoch.use(
            members: trusted.all.ints().enumerated().filter { $0.element == 1 }.map {
                members[$0.offset]
            })
    }

    /// Dilutes the given labels anew.
    ///
    /// - Parameter features: of all training samples, by row [samples, D].
    /// - Returns: what went another way than usual, sentences without an end.
    func dilute(by features: Tensor) -> [String] {
        guard labels.count > 1 else { return ["one sample has no neighbours: its label is kept"] }
        diluted.all.copy(
            from: dilutedLabels(
                features, labels: labels, classes: classes, neighbours: options.neighbours
            ).to(.float32))
        let isTrusted = zip(suggestions, labels).map { $0 == $1 ? 1 : 0 }
        let count = isTrusted.reduce(0, +)
        guard count > 1 else {
            return ["\(count) labels would be trusted: those trusted before are kept"]
        }
        trusted.all.copy(from: Tensor(isTrusted, [isTrusted.count]))
        let kept = zip(labels, isTrusted).filter { $0.1 == 1 }.map(\.0)
        let lost = Set(labels).count - Set(kept).count
        return lost > 0 ? ["no label is trusted of \(lost) given classes"] : []
    }

    /// The class that each diluted label has most of; of equal ones the given one, then the first.
    private var suggestions: [Int] {
        let most = diluted.all.topK(1).values.floats()
        return zip(zip(labels, shareOfGiven), zip(diluted.all.argmax().ints(), most)).map {
            $0.1 == $1.1 ? $0.0 : $1.0
        }
    }

    private var shareOfGiven: [Float] {
        let given = Tensor(labels, [labels.count, 1]).to(diluted.device)
        return diluted.all.gathered(1, given).floats()
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let logits = outputs[learner].logits
        let given = crossEntropy(logits, labels: batch.labels)  // [N]
        losses.write(batch.rows, given.detached().to(.float32))
        guard !isWarmUp, options.labels == .diluted else {
            return Losses(.init("cross-entropy", given))
        }
        let targets = Probabilities(diluted.read(batch.rows))
        return Losses(
            [.init("cross-entropy", crossEntropy(logits, targets))],
            metrics: [.init("given-cross-entropy", given.detached())])
    }

    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        guard !isWarmUp else { return [:] }
        let rows = trusted.all.ints().enumerated().filter { $0.element == 1 }.map(\.offset)
        var metrics = ["trusted": Double(rows.count) / Double(max(1, labels.count))]
        if let clean = epoch.phase.cleanLabels {
            metrics["label-precision"] =
                Double(rows.count { labels[$0] == clean[$0] }) / Double(max(1, rows.count))
            metrics["right-suggestions"] =
                Double(zip(suggestions, clean).count { $0 == $1 }) / Double(max(1, labels.count))
        }
        return metrics
    }

    /// What the neighbours suggest, and which labels they bear out.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let clean = epoch.phase.cleanLabels
        let isTrusted = trusted.all.ints()
        let share = shareOfGiven.map(Double.init)
        let auc = clean.flatMap { rankAUC(share.map { -$0 }, zip(labels, $0).map { $0 != $1 }) }
        let metrics = try epoch.history.last?.metrics ?? [:]
        return [
            Section(
                title: "Diluted labels (LEND, reconstruction)",
                findings: [
                    "The neighbours bear out \(percent(metrics["trusted"] ?? 1)) of the given labels"
                        + (metrics["label-precision"].map { "; \(percent($0)) of those are right" }
                            ?? "")
                        + (metrics["right-suggestions"].map {
                            ". The class that they suggest is right for \(percent($0)) of the "
                                + "training samples"
                        } ?? "") + "."
                ],
                values: [
                    .init("trusted", "trusted", metrics["trusted"], .percent(1)),
                    .init(
                        "label-precision", "right labels", metrics["label-precision"],
                        .percent(1), largerIsBetter: true),
                    .init(
                        "right-suggestions", "right suggestions", metrics["right-suggestions"],
                        .percent(1), largerIsBetter: true),
                    .init(
                        "wrong-label-auc", "AUC, given label wrong", auc, .percent(1),
                        largerIsBetter: true),
                ],
                note:
                    "The method is a reconstruction: no code of it is public. Trusted: given labels that are "
                    + "the class that the neighbours have most of; right labels: among them. AUC: how well a "
                    + "small share of the given label among the neighbours tells wrong labels.",
                columns: [
                    .init(name: "loss", numbers: losses.all.doubles()),
                    .init(name: "suggested", cells: suggestions.map(String.init)),
                    .init(name: "trusted", cells: isTrusted.map(String.init)),
                    .init(name: "share-of-given", numbers: share),
                ])
        ]
    }
}

extension LEND {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let warmUp = max(1, min(10, facts.epochs / 4))
        guard facts.epochs > warmUp else {
            return MethodAdvice(.doesNot, because: "there is no epoch left after its warm-up")
        }
        return .notMeasured(
            facts, changes: ["method={name: lend, warm-up: \(warmUp), every: \(warmUp)}"])
    }
}
