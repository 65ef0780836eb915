import Diagnostics
import Distillation
import Foundation
import Models
import Report
import Torch

/// Co-teaching: Han, Yao, Yu, Niu, Xu, Hu, Tsang, Sugiyama, "Co-teaching: Robust Training of Deep Neural
/// Networks with Extremely Noisy Labels", 2018, arXiv 1804.06872.
///
///     ℓ_ki = −log softmax(z_ki)_{y_i}                                        network k = 1, 2; sample i
///     R(e) = r · min(e^c / T_k, 1),   n = ⌊(1 − R(e)) B⌋, at least 1         epoch e from 0; batch of B
///     I_k  = the n samples of the batch with the smallest ℓ_ki
///     L_1  = (1/n) Σ_{i ∈ I_2} ℓ_1i,   L_2 = (1/n) Σ_{i ∈ I_1} ℓ_2i
///
/// Each network learns from the samples that the other finds easy: those with right labels, as long as
/// wrong ones are not memorised. Both select with their weights from before any update of the step.
/// Enters: the given labels, and how many of them are wrong. Learnt: both networks.
/// Deviations: among equal losses the sample that comes first in the training split is selected; `compat`
/// is what the published code does instead of the formulas above.
public struct CoTeachingOptions: Codable, Equatable, Sendable {
    /// r, 0 to below 1: the share of each batch that is left out in the end. The share of wrong labels is the
    /// paper's choice, and is estimated where nothing is said.
    public var forgetRate: NoiseRate
    /// T_k ≥ 1, epochs until r is reached. 10 is the paper's; fewer where labels are memorised sooner.
    public var ramp: Int
    /// c > 0. 1 is the paper's; above 1 r is reached sooner, below 1 later. Quoted from memory.
    public var exponent: Double
    /// What the published code computes: each L divided by n once more, which with SGD makes the learning
    /// rate n times smaller, and R(e) = r^c (e + 1)/(T_k − 1) while e + 1 < T_k, then r. For comparison only.
    public var compat: Bool

    public init(
        forgetRate: NoiseRate = .auto, ramp: Int = 10, exponent: Double = 1, compat: Bool = false
    ) {
        self.forgetRate = forgetRate
        self.ramp = ramp
        self.exponent = exponent
        self.compat = compat
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        forgetRate =
            try values.decodeIfPresent(NoiseRate.self, forKey: .forgetRate) ?? forgetRate
        ramp = try values.decodeIfPresent(Int.self, forKey: .ramp) ?? ramp
        exponent = try values.decodeIfPresent(Double.self, forKey: .exponent) ?? exponent
        compat = try values.decodeIfPresent(Bool.self, forKey: .compat) ?? compat
        guard (1...100_000).contains(ramp) else {
            throw Problem.outOfRange("method.ramp", found: "\(ramp)", expected: "1 to 100000")
        }
        guard exponent > 0, exponent.isFinite else {
            throw Problem.outOfRange(
                "method.exponent", found: "\(exponent)", expected: "exponent > 0")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ramp, exponent, compat
        case forgetRate = "forget-rate"
    }

    /// R(e).
    ///
    /// - Parameters:
    ///   - epoch: from 0.
    ///   - rate: r.
    public func forgetRate(epoch: Int, of rate: Double) -> Double {
        guard compat else { return rate * min(pow(Double(epoch), exponent) / Double(ramp), 1) }
        // The published code only measures in its epoch 0 and trains from 1 on.
        return publishedForgetRate(epoch: epoch + 1, of: rate)
    }

    /// As in the published code: T_k numbers from 0 to r^c in equal steps, then r.
    func publishedForgetRate(epoch: Int, of rate: Double) -> Double {
        epoch < ramp ? pow(rate, exponent) * Double(epoch) / Double(max(1, ramp - 1)) : rate
    }
}

/// One network's losses on those samples that another one finds easiest.
///
/// - Parameters:
///   - own: losses of the network that learns [N].
///   - others: losses of the network that selects [N].
///   - rows: identities of the samples [N], int64.
/// - Returns: one value per selected sample [n], and the samples' positions in the batch, rising, int64 [n].
public func coTeachingLoss(
    _ own: Tensor, selectedBy others: Tensor, rows: Tensor, keep count: Int
) -> (values: Tensor, selected: Tensor) {
    let positions = smallestLosses(count, of: others.doubles(), ids: rows.ints())
    // Rising, so that a batch of which all is kept is summed in its own order.
    let selected = Tensor(positions.sorted(), [positions.count]).to(own.device)  // [n]
    return (own.indexed(0, by: selected), selected)  // [n]
}

/// Two networks, each of which chooses the samples that the other one learns from.
public struct CoTeaching: Method {
    public static let name = "co-teaching"
    public static let summary =
        "trains two networks, each on the samples with the smallest losses of the other"

    public var options: CoTeachingOptions
    /// Exactly two.
    public var peers: PeersOptions

    public init(_ options: CoTeachingOptions = .init(), peers: PeersOptions = .init()) {
        self.options = options
        self.peers = peers
    }

    public init(from decoder: any Decoder) throws {
        options = try CoTeachingOptions(from: decoder)
        peers = try PeersOptions(from: decoder)
        guard peers.each.count == 2 else {
            throw Problem.outOfRange(
                "method.peers", found: "\(peers.each.count)", expected: "2 peers")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        try options.encode(to: encoder)
        try peers.encode(to: encoder)
    }

    public func students(_ recipe: Recipe) -> [ModelSpec] {
        peers.models(in: recipe)
    }

    public func check(_ recipe: Recipe) throws(Problem) { try recipe.check(peers) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(of: options.forgetRate)
        let target = Target(options: options, folds: estimation.networks)
        // The first phase of the method itself, whatever is trained to estimate the rate.
        return estimation.phases + [plan.peers(peers, target)]
    }

    /// The given labels that the other network finds easy.
    struct Target: PhaseTarget {
        static let name = "co-teaching"
        var options: CoTeachingOptions
        /// Networks that the rate is estimated from, if it has to be.
        var folds: [WeightSource]?
        var sources: [WeightSource] { folds ?? [] }

        func check(_ data: PreparedData) throws(Problem) {
            try options.forgetRate.check(data, at: "method.forget-rate")
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let rate = try phase.known(options.forgetRate, from: folds, at: "method.forget-rate")
            return CoTeachingObjective(
                options, forgetRate: rate, samples: phase.rows, clean: phase.cleanLabels,
                device: phase.device)
        }
    }
}

public final class CoTeachingObjective: Objective {
    public let options: CoTeachingOptions
    /// r
    public var rate: Double { known.value }
    private let known: KnownNoiseRate
    /// How often each network selected each sample [samples], int64, by row of the training split.
    public let selections: [Rows]
    /// The clean label of each row [rows], int64, where it is known.
    private let clean: Tensor?
    /// R(e) of the present epoch.
    private var forgetRate: Double

    /// - Parameters:
    ///   - samples: of the training split.
    ///   - clean: their clean labels, by row, where they are known.
    public init(
        _ options: CoTeachingOptions = .init(), forgetRate rate: KnownNoiseRate, samples: Int,
        clean: [Int]? = nil, device: Device = .cpu
    ) {
        self.options = options
        known = rate
        selections = (0..<2).map {
            Rows("selections.\($0)", count: samples, dtype: .int64, device: device)
        }
        self.clean = clean.map { Tensor($0, [$0.count]).to(device) }
        forgetRate = options.forgetRate(epoch: 0, of: rate.value)
    }

    public func begin(_ epoch: EpochContext) throws {
        epoch.note("up to \(percent(rate)) of each batch is left out\(known.origin)")
    }

    public func beginEpoch(_ epoch: EpochContext) throws { move(to: epoch.epoch) }

    /// Sets R to that of an epoch.
    public func move(to epoch: Int) { forgetRate = options.forgetRate(epoch: epoch, of: rate) }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        precondition(outputs.count == 2, "co-teaching is of two networks")
        let own = crossEntropy(outputs[learner].logits, labels: batch.labels)  // [N]
        let others = withoutGradient {
            crossEntropy(outputs[1 - learner].logits, labels: batch.labels)  // [N]
        }
        let keep = keptSamples(of: batch.labels.count, forgetRate: forgetRate)
        let (values, selected) = coTeachingLoss(
            own, selectedBy: others, rows: batch.rows, keep: keep)
        selections[1 - learner].add(
            batch.rows.indexed(0, by: selected),
            .ones([keep], dtype: .int64, device: selected.device))
        return Losses(
            [.init("cross-entropy", weight: options.compat ? 1 / Double(keep) : 1, values)],
            metrics: withoutGradient {
                selectionMetrics("batch-cross-entropy", own, selected, batch, clean: clean)
            })
    }

    public var state: [NamedTensor] { selections.flatMap(\.state) }

    /// How often each network selected each sample, and how many of the selected labels were right.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        let x = history.map { Double($0.epoch) }
        var section = Section(
            title: "Co-teaching", subject: "network",
            note:
                "Right labels: among the samples that the network learnt from in the last epoch. AUC: how "
                + "well it tells wrong labels that the network seldom selected a sample.")
        /// Which of a learner's labels are wrong, by row, where that is known.
        func wrong(_ learner: Learner) -> [Bool]? {
            epoch.phase.cleanLabels.map { clean in
                zip(epoch.phase.data.split.train, clean).map { learner.labels[$0] != $1 }
            }
        }
        var curves: [Curve] = []
        for (k, learner) in epoch.learners.enumerated() {
            let times = selections[k].all.ints()
            // What it selects are labels of the other one.
            let auc = wrong(epoch.learners[1 - k]).flatMap {
                rankAUC(times.map { -Double($0) }, $0)
            }
            let precision = history.map { $0.learners?[k].metrics?["label-precision"] ?? .nan }
            section.values += [
                .init(
                    "label-precision", "right labels", of: learner.name, precision.last ?? .nan,
                    .percent(1), largerIsBetter: true),
                .init(
                    "wrong-label-auc", "AUC, given label wrong", of: learner.name, auc, .percent(1),
                    largerIsBetter: true),
            ]
            section.columns.append(
                .init(name: "selected-by-\(learner.name)", cells: times.map(String.init)))
            guard let isWrong = wrong(learner), let last = precision.last else { continue }
            let right = Double(isWrong.count { !$0 }) / Double(isWrong.count)
            section.findings.append(
                "\(percent(right)) of the labels that \(learner.name) was given are right; of those that it "
                    + "learnt from in the last epoch, \(percent(last)).")
            curves.append(Curve(name: learner.name, x: x, mean: precision.map { 100 * $0 }))
        }
        if !curves.isEmpty {
            section.charts = [
                CurveChart(
                    title: "Right labels among the selected samples", xLabel: "epoch",
                    yLabel: "samples (%)", curves: curves)
            ]
        }
        return [section]
    }
}

extension CoTeaching {
    /// It leaves out as many samples as have wrong labels, of which only an upper bound is known here.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let rate = (100 * min(0.8, facts.wrongAtMost)).rounded() / 100
        guard !facts.isNearlyClean else {
            return MethodAdvice(
                .doesNot, because: facts.noisePhrase,
                changes: ["method={name: co-teaching, forget-rate: \(max(0.01, rate))}"])
        }
        return MethodAdvice(
            facts.falls ? .helps : .open,
            because:
                "\(facts.falls ? facts.fallPhrase : facts.noisePhrase); that bound is taken for "
                + "the forget rate",
            changes: ["method={name: co-teaching, forget-rate: \(rate)}"])
    }
}

extension CoTeaching {
    public static let presets = MethodPreset.forgetRates(
        source: "the authors' code; of asymmetric noise half of its rate is wrong")
}

extension MethodPreset {
    /// The share that small-loss selection leaves out in the end, for the usual noises.
    static func forgetRates(_ more: (String) -> String = { _ in "" }, source: String)
        -> [MethodPreset]
    {
        [
            ("symmetric-0.2", 0.2), ("symmetric-0.5", 0.5), ("symmetric-0.8", 0.8),
            ("asymmetric-0.4", 0.2), ("pairflip-0.45", 0.45),
        ].map { name, rate in
            MethodPreset(name, "forget-rate: \(rate)" + more(name), source: source)
        }
    }
}
