import Diagnostics
import Distillation
import Models
import Report
import Torch

/// Joint training with co-regularisation (JoCoR): Wei, Feng, Chen, An, "Combating Noisy Labels by Agreement: A
/// Joint Training Method with Co-Regularization", 2020, arXiv 2003.02752.
///
///     ℓ_i = (1 − λ)(−log p¹_{y_i} − log p²_{y_i}) + λ (KL(p¹ ‖ p²) + KL(p² ‖ p¹))
///     I   = the n samples of the batch with the smallest ℓ_i                R(e), n as for co-teaching
///     L   = (1/n) Σ_{i ∈ I} ℓ_i
///
/// p¹, p² are the probabilities of two networks for sample i. Two networks that learn from right labels come to
/// agree, so that a sample on which they do not is likely to have a wrong one. Gradients flow into both
/// networks through every term.
/// Enters: the given labels, and how many of them are wrong. Learnt: both networks.
/// One backward pass of L and one optimizer over both networks is what the authors' code has. Here each network
/// takes the gradient of the same L, the other one held fixed, and an optimizer of its own: the same numbers
/// for SGD and Adam, whose rule is one for each weight, and peers may differ. `optimizer.clip-norm` is of each
/// network for itself.
public struct JoCoROptions: Codable, Equatable, Sendable {
    /// λ, 0 to below 1: how much agreement counts. .9 is the paper's for ten classes and symmetric noise up to
    /// .5 or asymmetric noise, .65 for symmetric .8, .85 for a hundred classes [from memory]; the code's own
    /// default is .1.
    public var lambda: Double
    /// r, T_k, c and the published ramp (`compat`), which divides no mean.
    public var selection: CoTeachingOptions

    public init(lambda: Double = 0.9, selection: CoTeachingOptions = .init()) {
        self.lambda = lambda
        self.selection = selection
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(selection: try CoTeachingOptions(from: decoder))
        lambda = try values.decodeIfPresent(Double.self, forKey: .lambda) ?? lambda
        guard (0..<1).contains(lambda) else {
            throw Problem.outOfRange(
                "method.lambda", found: "\(lambda)", expected: "0 <= lambda < 1")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(lambda, forKey: .lambda)
        try selection.encode(to: encoder)
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case lambda }
}

/// Both parts of ℓ, each one value per sample [N]: what the two networks lose on the labels together, and how
/// far they are from agreeing. Equal to the last bit whichever network comes first.
public func jointLosses(
    _ one: Logits, _ other: Logits, labels: Tensor
) -> (crossEntropy: Tensor, disagreement: Tensor) {
    let (p, q) = (one.logProbabilities(), other.logProbabilities())  // [N, C]
    return (
        crossEntropy(one, labels: labels) + crossEntropy(other, labels: labels),
        kullbackLeibler(p, q) + kullbackLeibler(q, p)
    )
}

/// Two networks that learn together from the samples on which both do well and agree.
public struct JoCoR: PairMethod {
    public static let name = "jocor"
    public static let summary =
        "trains two networks that agree, on the samples with the smallest joint losses"

    public var options: JoCoROptions
    /// Exactly two, with the same labels.
    public var peers: PeersOptions

    public init(_ options: JoCoROptions = .init(), peers: PeersOptions = .init()) {
        self.options = options
        self.peers = peers
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(of: options.selection.forgetRate)
        return estimation.phases + [
            plan.peers(peers, Target(options: options, folds: estimation.networks))
        ]
    }

    /// The given labels of samples on which the networks agree.
    struct Target: PhaseTarget {
        static let name = "jocor"
        var options: JoCoROptions
        /// Networks that the rate is estimated from, if it has to be.
        var folds: [WeightSource]?
        var sources: [WeightSource] { folds ?? [] }

        func check(_ data: PreparedData) throws(Problem) {
            try options.selection.forgetRate.check(data, at: "method.forget-rate")
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let rate = try phase.known(
                options.selection.forgetRate, from: folds, at: "method.forget-rate")
            return JoCoRObjective(
                options, forgetRate: rate, samples: phase.rows, clean: phase.cleanLabels,
                device: phase.device)
        }
    }
}

public final class JoCoRObjective: Objective {
    public let options: JoCoROptions
    /// r
    public var rate: Double { known.value }
    private let known: KnownNoiseRate
    /// How often each sample was selected [samples], int64, by row of the training split.
    public let selections: Rows
    /// The clean label of each row, int64, where it is known.
    private let clean: Tensor?
    /// R(e) of the present epoch.
    private var forgetRate: Double

    /// - Parameters:
    ///   - samples: of the training split.
    ///   - clean: their clean labels, by row, where they are known.
    public init(
        _ options: JoCoROptions = .init(), forgetRate rate: KnownNoiseRate, samples: Int,
        clean: [Int]? = nil, device: Device = .cpu
    ) {
        self.options = options
        known = rate
        selections = Rows("selections", count: samples, dtype: .int64, device: device)
        self.clean = clean.map { Tensor($0, [$0.count]).to(device) }
        forgetRate = options.selection.forgetRate(epoch: 0, of: rate.value)
    }

    public func begin(_ epoch: EpochContext) throws {
        epoch.note("up to \(percent(rate)) of each batch is left out\(known.origin)")
    }

    public func beginEpoch(_ epoch: EpochContext) throws { move(to: epoch.epoch) }

    /// Sets R to that of an epoch.
    public func move(to epoch: Int) {
        forgetRate = options.selection.forgetRate(epoch: epoch, of: rate)
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        precondition(outputs.count == 2, "JoCoR is of two networks")
        let parts = jointLosses(
            outputs[learner].logits, outputs[1 - learner].logits.detached, labels: batch.labels)
        let lambda = options.lambda
        let all = withoutGradient {
            parts.crossEntropy * (1 - lambda) + parts.disagreement * lambda  // [N]
        }
        let keep = keptSamples(of: batch.labels.count, forgetRate: forgetRate)
        let positions = smallestLosses(keep, of: all.doubles(), ids: batch.rows.ints())
        // Rising, so that a batch of which all is kept is summed in its own order.
        let selected = Tensor(positions.sorted(), [keep]).to(all.device)  // [n]
        if learner == 0 {
            selections.add(
                batch.rows.indexed(0, by: selected),
                .ones([keep], dtype: .int64, device: selected.device))
        }
        return Losses(
            [
                .init(
                    "cross-entropy", weight: 1 - lambda,
                    parts.crossEntropy.indexed(0, by: selected)),
                .init("disagreement", weight: lambda, parts.disagreement.indexed(0, by: selected)),
            ],
            metrics: withoutGradient {
                selectionMetrics("batch-loss", all, selected, batch, clean: clean)
            })
    }

    public var state: [NamedTensor] { selections.state }

    /// How often each sample was selected, and how many of the selected labels were right.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        let times = selections.all.ints()
        let given = epoch.phase.givenLabels
        let wrong = epoch.phase.cleanLabels.map { zip(given, $0).map { $0 != $1 } }
        let precision = history.map { $0.learners?[0].metrics?["label-precision"] ?? .nan }
        var section = Section(
            title: "JoCoR",
            values: [
                .init(
                    "label-precision", "right labels", wrong == nil ? nil : precision.last,
                    .percent(1), largerIsBetter: true),
                .init(
                    "wrong-label-auc", "AUC, given label wrong",
                    wrong.flatMap { rankAUC(times.map { -Double($0) }, $0) }, .percent(1),
                    largerIsBetter: true),
            ],
            note:
                "Right labels: among the samples that were learnt from in the last epoch. AUC: how well it "
                + "tells wrong labels that a sample was seldom selected.",
            columns: [.init(name: "selected", cells: times.map(String.init))])
        guard let wrong, let last = precision.last else { return [section] }
        let right = Double(wrong.count { !$0 }) / Double(max(1, wrong.count))
        section.findings = [
            "\(percent(right)) of the given labels are right; of those that were learnt from in the last "
                + "epoch, \(percent(last))."
        ]
        section.charts = [
            CurveChart(
                title: "Right labels among the selected samples", xLabel: "epoch",
                yLabel: "samples (%)",
                curves: [
                    Curve(
                        name: "both networks", x: history.map { Double($0.epoch) },
                        mean: precision.map { 100 * $0 })
                ])
        ]
        return [section]
    }
}

extension JoCoR {
    /// It leaves out as many samples as have wrong labels, of which only an upper bound is known here.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let rate = max(0.01, (100 * min(0.8, facts.wrongAtMost)).rounded() / 100)
        return .notMeasured(
            facts, also: "that bound is taken for the forget rate",
            changes: ["method={name: jocor, forget-rate: \(rate)}"])
    }
}

extension JoCoR {
    public static let presets =
        MethodPreset.forgetRates(
            { $0 == "symmetric-0.8" ? ", lambda: 0.65" : ", lambda: 0.9" },
            source:
                "CIFAR-10; the paper's values, from memory; of asymmetric noise half of its rate is wrong"
        )
        + [
            MethodPreset(
                "cifar-100", "lambda: 0.85", source: "CIFAR-100; the paper's value, from memory")
        ]
}
