import Datasets
import Diagnostics
import Distillation
import Foundation
import Neural
import Report
import Torch

/// DLT (reconstruction): Yang, Jin, Li, Wang, Miao, Geng, Zhang, "Learning from Noisy Labels via Dynamic Loss
/// Thresholding", 2021, arXiv 2104.02570. No code is public and only what the abstract says was at hand.
///
///     ℓ_i(e)  loss of sample i before epoch e = 1, 2, …                             recorded for every sample
///     L_i(e) = Σ_{j ≤ e} β^{e−j} ℓ_i(j) / Σ_{j ≤ e} β^{e−j}
///     s(e)   = clip((e − warm-up)/ramp, 0, 1),   ρ_e = r s(e),   n = ⌊(1 − ρ_e) N⌋
///     τ_e    = the n-th smallest L_i(e);   the labels of the samples up to it are trusted, the others dropped
///     L      = L_x + λ_u s(e) L_u + Σ_c (1/C) log((1/C)/p̄_c)                        MixMatch
///
/// From the paper: losses are recorded, a threshold that moves parts them, labels above it are dropped, and
/// those samples go on without labels. Ours: the average of the losses, the ramp, that the share below the
/// threshold is what a noise rate leaves, and the losses, which are DivideMix's with one network: trusted labels
/// are targets as they are, for the others it is sharpen(mean prediction of two views), made in evaluation mode.
/// The paper estimates r by how much losses fall from early to late training; here it is an option.
/// Enters: the given labels, and how many of them are wrong. Learnt: the student. Kept: the average losses.
public struct DLTOptions: Codable, Equatable, Sendable {
    /// Epochs of cross-entropy, at least 1. 10, as in DivideMix; it has to end before wrong labels are memorised.
    public var warmUp: Int
    /// r, 0 to below 1: the share of wrong labels, estimated where nothing is said.
    public var rate: NoiseRate
    /// Epochs after the warm-up in which ρ and λ_u rise from 0, at least 1. 10.
    public var ramp: Int
    /// β, 0 to below 1: how much of an average loss comes from earlier epochs. .9; 0 takes the newest losses.
    public var beta: Double
    /// A threshold for each given class, so that each keeps its share: for classes of different difficulty, and
    /// for noise that hits all alike.
    public var perClass: Bool
    /// λ_u ≥ 0: weight of the samples without labels. 25, DivideMix's for CIFAR-10; 0 for little noise.
    public var unlabelledWeight: Double
    /// T of sharpening, above 0 to 1. .5 is DivideMix's.
    public var temperature: Double
    /// α of Beta, above 0. 4 is DivideMix's.
    public var alpha: Double
    /// The two versions of a sample.
    public var views: ViewOptions

    public init(
        warmUp: Int = 10, rate: NoiseRate = .auto, ramp: Int = 10, beta: Double = 0.9,
        perClass: Bool = false, unlabelledWeight: Double = 25, temperature: Double = 0.5,
        alpha: Double = 4, views: ViewOptions = .init()
    ) {
        self.warmUp = warmUp
        self.rate = rate
        self.ramp = ramp
        self.beta = beta
        self.perClass = perClass
        self.unlabelledWeight = unlabelledWeight
        self.temperature = temperature
        self.alpha = alpha
        self.views = views
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case rate, ramp, beta, temperature, alpha, views
        case warmUp = "warm-up"
        case perClass = "per-class"
        case unlabelledWeight = "unlabelled-weight"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        warmUp = try values.count(.warmUp, or: warmUp, in: 1...100_000)
        ramp = try values.count(.ramp, or: ramp, in: 1...100_000)
        beta = try values.number(.beta, or: beta, "0 <= beta < 1") { (0..<1).contains($0) }
        rate = try values.decodeIfPresent(NoiseRate.self, forKey: .rate) ?? rate
        unlabelledWeight = try values.number(.unlabelledWeight, or: unlabelledWeight, "0 or more") {
            $0 >= 0
        }
        temperature = try values.number(.temperature, or: temperature, "above 0 and at most 1") {
            $0 > 0 && $0 <= 1
        }
        alpha = try values.number(.alpha, or: alpha, "0.001 to 1000") {
            (0.001...1000).contains($0)
        }
        perClass = try values.decodeIfPresent(Bool.self, forKey: .perClass) ?? perClass
        views = try values.decodeIfPresent(ViewOptions.self, forKey: .views) ?? views
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(warmUp, forKey: .warmUp)
        try values.encode(rate, forKey: .rate)
        try values.encode(ramp, forKey: .ramp)
        try values.encode(beta, forKey: .beta)
        try values.encode(perClass, forKey: .perClass)
        try values.encode(unlabelledWeight, forKey: .unlabelledWeight)
        try values.encode(temperature, forKey: .temperature)
        try values.encode(alpha, forKey: .alpha)
        if views != ViewOptions() { try values.encode(views, forKey: .views) }
    }

    /// s, 0 to 1.
    ///
    /// - Parameter epoch: from 0, with the share of the present one that is behind.
    public func progress(at epoch: Double) -> Double {
        min(max((epoch - Double(warmUp)) / Double(ramp), 0), 1)
    }
}

/// Training on the labels below a loss that moves, and on the other samples without theirs.
public struct DLT: Method {
    public static let name = "dlt"
    public static let summary =
        "trains on labels with losses below a moving threshold, the rest without labels (DLT, reconstruction)"

    public var options: DLTOptions

    public init(_ options: DLTOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try DLTOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func check(_ recipe: Recipe) throws(Problem) {
        try recipe.check(warmUp: options.warmUp)
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(of: options.rate)
        return estimation.phases + [
            plan.phase("student", 0, Target(options: options, folds: estimation.networks))
        ]
    }

    /// Trusted labels, and guesses for the rest.
    struct Target: PhaseTarget {
        static let name = "dlt"
        var options: DLTOptions
        /// Networks that the rate is estimated from, if it has to be.
        var folds: [WeightSource]?
        var sources: [WeightSource] { folds ?? [] }
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }

        func stepsPerEpoch(samples: Int, batch: Int) -> Int {
            MixMatchEpoch.steps(samples: samples, batch: batch)
        }

        func check(_ data: PreparedData) throws(Problem) {
            try options.rate.check(data, at: "method.rate")
            try options.views.version(of: data.learning, .none)
                .check(sampleShape: data.sampleShape, name: data.learning.name)
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            try DLTObjective(
                options, rate: phase.known(options.rate, from: folds, at: "method.rate"), phase)
        }
    }
}

final class DLTObjective: Objective, BatchSource {
    let options: DLTOptions
    /// r
    var rate: Double { known.value }
    private let known: KnownNoiseRate
    let phase: PhaseContext
    /// Σ_j β^{e−j} (1 − β) ℓ_i(j) [samples], float64, by row of the training split.
    let losses: Rows
    /// 1 for the rows whose label is trusted [samples], int64.
    let trusted: Rows
    /// What was guessed last while the label was not trusted, at first the given label [samples], int64.
    let guesses: Rows
    private let given: [Int]
    private let usual: BatchPlan
    private let twice: BatchPlan
    private var share: MixMatchEpoch
    private var isWarmUp = true
    private var epochs = 1
    private var evaluation: EvaluationSet?
    private var isOtherSeed = false

    init(_ options: DLTOptions, rate: KnownNoiseRate, _ phase: PhaseContext) throws {
        self.options = options
        known = rate
        self.phase = phase
        given = phase.givenLabels
        losses = Rows("losses", count: phase.rows, dtype: .float64)
        trusted = Rows("trusted", .ones([phase.rows], dtype: .int64))
        guesses = Rows("guesses", Tensor(given, [given.count]).to(phase.device))
        let version = phase.version(options.views)
        usual = try phase.plan()
        twice = try phase.plan(versions: [version, version])
        share = MixMatchEpoch(usual)
    }

    var state: [NamedTensor] { losses.state + trusted.state + guesses.state }

    func dropRandomState() { isOtherSeed = true }

    private var seed: UInt64 { isOtherSeed ? phase.seed ^ 0xdead_beef : phase.seed }

    // MARK: Epochs

    func batches(_ phase: PhaseContext) throws -> Batches { .own(self) }

    func begin(_ epoch: EpochContext) throws {
        epoch.note("up to \(percent(rate)) of the labels are left out\(known.origin)")
    }

    func beginEpoch(_ epoch: EpochContext) throws {
        epochs = epoch.epochs
        isWarmUp = epoch.epoch < options.warmUp
        // Where a run resumes inside the epoch, all of it is in the checkpoint.
        if epoch.stepInEpoch == 0, epoch.epoch > 0 {
            try recordLosses(epoch)
            if !isWarmUp { split(epoch) }
        }
        share =
            isWarmUp
            ? MixMatchEpoch(usual.with(seed: seed))
            : MixMatchEpoch(
                twice.with(seed: seed), isLabelled: trusted.all.ints().map { $0 == 1 })
        epoch.use(steps: share.steps)
    }

    private func recordLosses(_ epoch: EpochContext) throws {
        let set = try evaluation ?? phase.trainingSet()
        evaluation = set
        let newest = try epoch.losses(of: epoch.learners[0], on: set)
        losses.all.copy(from: losses.all * options.beta + newest * (1 - options.beta))
    }

    /// L before an epoch [samples]: the average without its start at 0.
    private func averages(before epoch: Int) -> [Double] {
        let weight = 1 - pow(options.beta, Double(epoch))
        return losses.all.doubles().map { epoch == 0 ? 0 : $0 / weight }
    }

    private func split(_ epoch: EpochContext) {
        let split = LossThreshold(
            averages(before: epoch.epoch), labels: given,
            rate: rate * options.progress(at: Double(epoch.epoch)), perClass: options.perClass)
        for note in split.notes { epoch.note(note) }
        var isTrusted = [Int](repeating: 0, count: given.count)
        for row in split.trusted { isTrusted[row] = 1 }
        trusted.all.copy(from: Tensor(isTrusted, [isTrusted.count]))
    }

    // MARK: Batches and steps

    var stepsPerEpoch: Int {
        MixMatchEpoch.steps(samples: given.count, batch: usual.batchSize)
    }

    func batch(epoch: Int, step: Int) throws -> (batch: TrainingBatch, labels: [Int]) {
        let batch = share.labelled.batch(epoch: epoch, step: step)
        let labels = phase.data.learning.labels
        return (phase.batch(batch, labels: labels), batch.indices.map { labels[$0] })
    }

    func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        let learner = step.learners[0]
        if isWarmUp {
            let output = step.forward(batch.inputs)[0]
            try step.backward(
                learner, batch, logits: output.logits
            ) { Losses(.init("cross-entropy", crossEntropy(output.logits, labels: batch.labels))) }
        } else {
            try learn(learner, batch, step)
        }
        step.update(learner)
    }

    private func learn(_ learner: Learner, _ x: TrainingBatch, _ step: StepContext) throws {
        let u = share.unlabelledBatch(epoch: x.epoch, step: x.step, of: epochs)
            .map { phase.batch($0, labels: phase.data.learning.labels) }
        let targets = step.withPrecision { withoutGradient { self.targets(learner, x, u) } }
        let moment = Double(x.epoch) + Double(x.step) / Double(share.steps)
        try step.backwardMixed(
            learner, x, u, targets: targets, mode: step.mode(of: learner),
            by: .init(alpha: options.alpha, seed: seed, step: x.step),
            unlabelledWeight: options.unlabelledWeight * options.progress(at: moment))
    }

    /// Of all views of x and u, in the order of the inputs [rows, C].
    private func targets(_ learner: Learner, _ x: TrainingBatch, _ u: TrainingBatch?) -> Tensor {
        let labels = x.labels.oneHot(phase.classes).to(.float32)
        guard let u else { return .concatenated(x.views.map { _ in labels }) }
        let predictions = u.views.map {
            Logits(learner.network($0, mode: .eval)).probabilities().tensor
        }
        let guessed = sharpened(meanPrediction(predictions), temperature: options.temperature)
        guesses.write(u.rows, guessed.argmax())
        return .concatenated(x.views.map { _ in labels } + u.views.map { _ in guessed })
    }

    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        preconditionFailure("DLT's loss is of mixed samples")
    }

    // MARK: What is shown

    func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        guard !isWarmUp else { return [:] }
        let isTrusted = trusted.all.ints()
        let rows = isTrusted.indices.filter { isTrusted[$0] == 1 }
        let averages = averages(before: epoch.epoch)
        var metrics = ["labelled": Double(rows.count) / Double(max(1, given.count))]
        metrics["threshold"] = rows.map { averages[$0] }.max()
        if let clean = phase.cleanLabels {
            metrics["label-precision"] =
                Double(rows.count { given[$0] == clean[$0] }) / Double(max(1, rows.count))
        }
        return metrics
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let isTrusted = trusted.all.ints().map { $0 == 1 }
        let averages = averages(before: max(0, epoch.epoch - 1))
        let suggested = zip(isTrusted, zip(given, guesses.all.ints())).map { $0 ? $1.0 : $1.1 }
        let history = try epoch.history
        let (labelled, precision) = (
            history.compactMap { $0.metrics?["labelled"] },
            history.compactMap { $0.metrics?["label-precision"] }
        )
        let clean = phase.cleanLabels
        let hits = clean.map { clean in
            Double(zip(suggested, clean).count { $0 == $1 }) / Double(max(1, clean.count))
        }
        let auc = clean.flatMap { rankAUC(averages, zip(given, $0).map { $0 != $1 }) }
        var section = Section(
            title: "Loss threshold (DLT, reconstruction)",
            findings: [
                "In the last epoch \(percent(labelled.last ?? 1)) of the labels were trusted"
                    + (precision.last.map { "; \(percent($0)) of them are right" } ?? "")
                    + (hits.map { ". \(percent($0)) of the suggested labels are right" } ?? "")
                    + "."
            ],
            values: [
                .init("labelled", "labelled", labelled.last, .percent(1)),
                .init(
                    "label-precision", "right labels", precision.last, .percent(1),
                    largerIsBetter: true),
                .init(
                    "right-suggestions", "right suggestions", hits, .percent(1),
                    largerIsBetter: true),
                .init(
                    "wrong-label-auc", "AUC, given label wrong", auc, .percent(1),
                    largerIsBetter: true),
            ],
            note:
                "The method is a reconstruction: no code of it is public. Labelled: the share of the "
                + "training samples whose label was trusted in the last epoch; right labels: among them. "
                + "AUC: how well the average losses tell wrong labels.",
            columns: [
                .init(name: "loss", numbers: averages),
                .init(name: "suggested", cells: suggested.map(String.init)),
                .init(name: "trusted", cells: isTrusted.map { $0 ? "1" : "0" }),
            ])
        if !precision.isEmpty {
            let first = history.count - precision.count
            section.charts = [
                CurveChart(
                    title: "Right labels among the trusted ones", xLabel: "epoch",
                    yLabel: "samples (%)",
                    curves: [
                        Curve(
                            name: result.name, x: history.dropFirst(first).map { Double($0.epoch) },
                            mean: precision.map { 100 * $0 })
                    ])
            ]
        }
        return [section]
    }
}

extension DLT {
    /// It drops as many labels as are wrong, of which only an upper bound is known here.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let warmUp = max(1, min(10, facts.epochs / 4))
        guard facts.epochs > warmUp else {
            return MethodAdvice(.doesNot, because: "there is no epoch left after its warm-up")
        }
        let rate = max(0.01, (100 * min(0.8, facts.wrongAtMost)).rounded() / 100)
        return .notMeasured(
            facts, also: "that bound is taken for the rate",
            changes: ["method={name: dlt, warm-up: \(warmUp), ramp: \(warmUp), rate: \(rate)}"])
    }
}
