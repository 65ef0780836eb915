import Diagnostics
import Distillation
import Foundation
import Report
import Torch

/// Truncated generalised cross-entropy: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep
/// Neural Networks with Noisy Labels", 2018, arXiv 1805.07836, §3.3 and algorithm 1.
///
///     L_q(i) = (1 − p_i,y_i^q)/q,   L_k = (1 − k^q)/q              p_i = softmax(z_i), y_i the given label
///     L = (1/N) Σ_i w_i (L_q(i) − L_k)
///     w_i = 1 where L_q(i) < L_k, that is p_i,y_i > k, else 0      once every few epochs, all samples
///
/// A sample whose label the network gives at most probability k does not count until it is looked at again.
/// Enters: the given labels. Learnt: the student. Kept: w, a number per training sample, which begins at 1.
/// The network that looks is the best one on the validation split so far, in evaluation mode and without
/// augmentation; a third-party code takes the best one on the test split, which nobody may.
/// The constant −L_k makes the loss negative where nothing is left out, and changes no gradient.
/// Deviation: a class of which nothing would be left keeps the weights that it had.
public struct TruncatedLossOptions: Codable, Equatable, Sendable {
    /// q, above 0 to 1: as in `gce`.
    public var q: Double
    /// k, above 0 and below 1. .5 is the paper's; lower leaves out fewer samples.
    public var threshold: Double
    /// The epoch, from 0, before which samples are looked at first: 40 of 120 for CIFAR-10 and 80 of 150 for
    /// CIFAR-100 in the code. Nil: a third of all. Once wrong labels are memorised it is too late.
    public var start: Int?
    /// Epochs from one look to the next; 10 in the code.
    public var every: Int

    public init(q: Double = 0.7, threshold: Double = 0.5, start: Int? = nil, every: Int = 10) {
        self.q = q
        self.threshold = threshold
        self.start = start
        self.every = every
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        q = try values.decodeIfPresent(Double.self, forKey: .q) ?? q
        threshold = try values.decodeIfPresent(Double.self, forKey: .threshold) ?? threshold
        start = try values.decodeIfPresent(Int.self, forKey: .start)
        every = try values.decodeIfPresent(Int.self, forKey: .every) ?? every
        guard q > 0, q <= 1 else {
            throw Problem.outOfRange(
                "method.q", found: "\(q)", expected: "above 0 and at most 1")
        }
        guard threshold > 0, threshold < 1 else {
            throw Problem.outOfRange(
                "method.threshold", found: "\(threshold)", expected: "above 0 and below 1")
        }
        if let start, !(1...100_000).contains(start) {
            throw Problem.outOfRange("method.start", found: "\(start)", expected: "1 to 100000")
        }
        guard (1...100_000).contains(every) else {
            throw Problem.outOfRange("method.every", found: "\(every)", expected: "1 to 100000")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case q, threshold, start, every }
}

/// w_i (L_q(i) − L_k) per sample.
///
/// - Parameters:
///   - labels: classes [N], int64.
///   - weights: w [N], constants.
public func truncatedLoss(
    _ logits: Logits, labels: Tensor, weights: Tensor, q: Double, threshold k: Double
) -> LogitLoss {
    let loss = LabelLoss.generalised(q: q)(logits, labels: labels)
    return withoutGradient {
        let bound = (1 - pow(k, q)) / q  // L_k
        return LogitLoss(values: loss.values - bound, gradient: loss.gradient)
            .weighted(by: weights.to(loss.values.dtype))
    }
}

/// w of all samples, and the classes whose samples keep the weights that they had because none would be left.
///
/// - Parameters:
///   - probabilities: of each sample's given label.
///   - before: the weights so far.
func truncatedWeights(
    _ probabilities: [Double], labels: [Int], before: [Double], threshold k: Double
) -> (weights: [Double], spared: [Int]) {
    let kept = Set(labels.indices.filter { probabilities[$0] > k }.map { labels[$0] })
    let weights = labels.indices.map { i in
        kept.contains(labels[i]) ? (probabilities[i] > k ? 1.0 : 0) : before[i]
    }
    return (weights, Set(labels).subtracting(kept).sorted())
}

/// Generalised cross-entropy on the samples whose labels the network does not contradict.
public struct TruncatedLoss: Method {
    public static let name = "truncated-gce"
    public static let summary =
        "trains on the given labels that the network does not contradict (truncated GCE)"

    public var options: TruncatedLossOptions

    public init(_ options: TruncatedLossOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws {
        options = try TruncatedLossOptions(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func check(_ recipe: Recipe) throws(Problem) {
        guard let start = options.start, start >= recipe.training.epochs else { return }
        throw .outOfRange(
            "method.start", found: "\(start)",
            expected: "below training.epochs, \(recipe.training.epochs)")
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let start = options.start ?? max(1, plan.recipe.training.epochs / 3)
        return [plan.phase("student", 0, Target(options: options, start: start))]
    }

    /// The given labels that the network's best weights so far do not contradict.
    struct Target: PhaseTarget {
        static let name = "truncated-gce"
        var options: TruncatedLossOptions
        var start: Int
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            TruncatedLossObjective(
                options, start: start, samples: phase.rows, device: phase.device)
        }
    }
}

public final class TruncatedLossObjective: Objective {
    public let options: TruncatedLossOptions
    private let start: Int
    /// w [samples], float32, by row of the training split.
    public let weights: Rows

    /// - Parameter start: the epoch, from 0, before which samples are looked at first; at least 1.
    public init(
        _ options: TruncatedLossOptions = .init(), start: Int, samples: Int, device: Device = .cpu
    ) {
        self.options = options
        self.start = start
        weights = Rows("weights", count: samples, value: 1, device: device)
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let logits = outputs[learner].logits
        let loss = truncatedLoss(
            logits, labels: batch.labels, weights: weights.read(batch.rows), q: options.q,
            threshold: options.threshold)
        return Losses(.init("truncated-gce", loss.attached(to: logits)))
    }

    public var state: [NamedTensor] { weights.state }

    /// Where a run resumes inside an epoch, its weights are in the checkpoint.
    public func beginEpoch(_ epoch: EpochContext) throws {
        let late = epoch.epoch - start
        guard epoch.stepInEpoch == 0, late >= 0, late % options.every == 0 else { return }
        let (labels, probabilities) = try seen(epoch)
        let own = given(probabilities, labels)
        let (values, spared) = truncatedWeights(
            own, labels: labels, before: weights.all.doubles(), threshold: options.threshold)
        weights.all.copy(
            from: Tensor(values, [values.count]).to(.float32).to(weights.device))
        let left = values.count { $0 == 0 }
        epoch.note(
            "\(left) of \(values.count) samples are left out"
                + (spared.isEmpty
                    ? "" : "; \(spared.count) classes keep their weights, as nothing would be left")
        )
    }

    /// The given labels, and what the best weights so far make of each sample [samples, C], by row.
    private func seen(_ epoch: EpochContext) throws -> (labels: [Int], probabilities: Tensor) {
        let learner = epoch.learners[0]
        let best = learner.best(ema: false)
        let logits = try epoch.phase.trainingOutputs { best($0, mode: .eval) }
        return (
            epoch.phase.data.split.train.map { learner.labels[$0] },
            Logits(logits).probabilities().tensor
        )
    }

    private func given(_ probabilities: Tensor, _ labels: [Int]) -> [Double] {
        let index = Tensor(labels, [labels.count, 1]).to(probabilities.device)
        return probabilities.gathered(1, index).doubles()
    }

    /// Share of the samples that count, and of right labels among them.
    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        let values = weights.all.doubles()
        let kept = values.indices.filter { values[$0] > 0 }
        var metrics = ["kept": Double(kept.count) / Double(max(1, values.count))]
        if let clean = epoch.phase.cleanLabels, !kept.isEmpty {
            let labels = epoch.phase.data.split.train.map { epoch.learners[0].labels[$0] }
            metrics["label-precision"] =
                Double(kept.count { clean[$0] == labels[$0] }) / Double(kept.count)
        }
        return metrics
    }

    /// Which samples count, and what the selected network says of all of them.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        let (labels, probabilities) = try seen(epoch)
        let own = given(probabilities, labels)
        func last(_ name: String) -> Double? { history.last?.metrics?[name] }
        var section = Section(
            title: "Truncated loss",
            note:
                "Right labels: among the samples that count. AUC: how well a low probability of the given "
                + "label, by the selected weights, tells wrong labels.")
        if let kept = last("kept") {
            section.findings = [
                "In the last epoch \(percent(kept)) of the training samples counted"
                    + (last("label-precision").map { "; \(percent($0)) of their labels are right" }
                        ?? "") + "."
            ]
        }
        let wrong = epoch.phase.cleanLabels.map { zip(labels, $0).map { $0 != $1 } }
        section.values = [
            .init("kept", "samples that count", last("kept"), .percent(1)),
            .init(
                "label-precision", "right labels", last("label-precision"), .percent(1),
                largerIsBetter: true),
            .init(
                "wrong-label-auc", "AUC, given label wrong",
                wrong.flatMap { rankAUC(own.map { -$0 }, $0) }, .percent(1), largerIsBetter: true),
        ]
        section.columns = [
            .init(name: "weight", cells: weights.all.doubles().map { $0 > 0 ? "1" : "0" }),
            .init(name: "suggested", cells: probabilities.argmax().ints().map(String.init)),
            .init(name: "probability-of-given", numbers: own),
        ]
        let x = history.map { Double($0.epoch) }
        let curves = [
            ("samples that count", "kept"), ("right labels among them", "label-precision"),
        ]
        .map { title, name in
            Curve(name: title, x: x, mean: history.map { 100 * ($0.metrics?[name] ?? .nan) })
        }
        section.charts = [
            CurveChart(
                title: "Samples that count", xLabel: "epoch", yLabel: "samples (%)",
                curves: curves.filter { $0.mean.contains(where: \.isFinite) })
        ]
        return [section]
    }
}

extension TruncatedLoss {
    /// It leaves out labels; where nothing wrong is memorised it loses right ones.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .againstWrongLabels(
            facts, falling: .open,
            changes: ["method={name: truncated-gce, every: \(max(1, facts.epochs / 6))}"])
    }
}
