import Datasets
import Diagnostics
import Distillation
import Neural
import Report
import Torch

/// Two networks, one after the other in each epoch: first cross-entropy, then the labels that the other network
/// trusts and guesses for the rest.
///
/// The steps of an epoch are those of network 1 over its labelled samples, then those of network 2 over its own.
final class DivideMixObjective: Objective, BatchSource {
    let options: DivideMixOptions
    let phase: PhaseContext
    /// P(label right) by each network's losses [samples], float64, by row of the training split: 1 before the
    /// first split.
    let clean: [Rows]
    /// What each network took for the label when it last saw a sample [samples], int64.
    let suggested: [Rows]
    /// The losses of the latest epochs, the newest first [memory, samples], float64.
    private let losses: [Tensor]
    private let given: [Int]
    private let usual: [BatchPlan]
    private let twice: [BatchPlan]
    private var isOtherSeed = false

    /// What each network learns in this epoch.
    private var shares: [MixMatchEpoch]
    private var isWarmUp = true
    private var epochs = 1
    private var evaluation: EvaluationSet?
    /// Whose step it is, and which of its own in this epoch.
    private var turn = (network: 0, step: 0)

    init(_ options: DivideMixOptions, _ phase: PhaseContext) throws {
        self.options = options
        self.phase = phase
        given = phase.givenLabels
        clean = (0..<2).map {
            Rows("clean.\($0)", count: phase.rows, value: 1, dtype: .float64)
        }
        let labels = Tensor(given, [given.count]).to(phase.device)
        suggested = (0..<2).map { Rows("suggested.\($0)", labels) }
        losses = (0..<2).map { _ in
            .zeros([options.lossMemory, phase.rows], dtype: .float64)
        }
        let version = phase.version(options.views)
        let seeds = (0..<2).map { PhaseSpec.seed(phase.seed, ofLearner: $0) }
        usual = try seeds.map { try phase.plan(seed: $0) }
        twice = try seeds.map { try phase.plan(seed: $0, versions: [version, version]) }
        shares = usual.map { MixMatchEpoch($0) }
    }

    var state: [NamedTensor] {
        clean.flatMap(\.state) + suggested.flatMap(\.state)
            + losses.enumerated().map { ("losses.\($0.offset)", $0.element) }
    }

    func dropRandomState() { isOtherSeed = true }

    private func seed(_ network: Int) -> UInt64 {
        let seed = PhaseSpec.seed(phase.seed, ofLearner: network)
        return isOtherSeed ? seed ^ 0xdead_beef : seed
    }

    // MARK: Epochs

    func batches(_ phase: PhaseContext) throws -> Batches { .own(self) }

    func beginEpoch(_ epoch: EpochContext) throws {
        epochs = epoch.epochs
        isWarmUp = epoch.epoch < options.warmUp
        if isWarmUp {
            shares = (0..<2).map { MixMatchEpoch(usual[$0].with(seed: seed($0))) }
        } else {
            // Where a run resumes inside the epoch, its split is in the checkpoint.
            if epoch.stepInEpoch == 0 { try split(epoch) }
            shares = (0..<2).map(share)
        }
        epoch.use(steps: shares[0].steps + shares[1].steps)
    }

    /// Both networks' splits, before any of them learns in this epoch.
    private func split(_ epoch: EpochContext) throws {
        for (k, learner) in epoch.learners.enumerated() {
            let memory = min(options.lossMemory, epoch.epoch - options.warmUp + 1)
            let set = try evaluation ?? phase.trainingSet()
            evaluation = set
            let newest = try epoch.losses(of: learner, on: set).reshaped([1, given.count])
            let older = losses[k].narrowed(0, from: 0, count: options.lossMemory - 1)
            losses[k].copy(
                from: options.lossMemory == 1 ? newest : .concatenated([newest, older.cloned()]))
            let mean = losses[k].narrowed(0, from: 0, count: memory).mean(0)
            let split = try LossSplit(
                mean.doubles(), labels: given, classes: phase.classes, options: options.split,
                previous: epoch.epoch > options.warmUp ? clean[k].all.doubles() : nil)
            for note in split.notes { epoch.note("\(learner.name): \(note)") }
            clean[k].all.copy(from: Tensor(split.clean, [given.count]))
        }
    }

    /// What a network learns: by the other one's split.
    private func share(of network: Int) -> MixMatchEpoch {
        MixMatchEpoch(
            twice[network].with(seed: seed(network)),
            isLabelled: clean[1 - network].all.doubles().map { $0 > options.split.threshold })
    }

    // MARK: Batches

    var stepsPerEpoch: Int {
        2 * MixMatchEpoch.steps(samples: given.count, batch: usual[0].batchSize)
    }

    func batch(epoch: Int, step: Int) throws -> (batch: TrainingBatch, labels: [Int]) {
        let network = step < shares[0].steps ? 0 : 1
        turn = (network, network == 0 ? step : step - shares[0].steps)
        let batch = shares[network].labelled.batch(epoch: epoch, step: turn.step)
        let own = phase.batch(batch, labels: phase.learners[network].labels)
        return (own, batch.indices.map { phase.learners[network].labels[$0] })
    }

    // MARK: Steps

    func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        let learner = step.learners[turn.network]
        if isWarmUp {
            let output = step.forward(batch.inputs, [learner])[0]
            try step.backward(
                learner, batch, logits: output.logits
            ) { warmUpLosses(output.logits, batch) }
        } else {
            try learn(learner, batch, step)
        }
        step.update(learner)
    }

    private func warmUpLosses(_ logits: Logits, _ batch: TrainingBatch) -> Losses {
        var terms = [Losses.Term("cross-entropy", crossEntropy(logits, labels: batch.labels))]
        if options.confidencePenalty { terms.append(.init("entropy", negativeEntropy(logits))) }
        return Losses(terms)
    }

    private func learn(_ learner: Learner, _ x: TrainingBatch, _ step: StepContext) throws {
        let u = shares[learner.index].unlabelledBatch(
            epoch: x.epoch, step: turn.step, of: epochs
        ).map { phase.batch($0, labels: phase.data.learning.labels) }
        // One generator for the whole step, so that no two forward passes have the same dropout.
        let mode = step.mode(of: learner)
        let targets = step.withPrecision {
            withoutGradient { self.targets(learner, x, u, options.compat ? mode : .eval, step) }
        }
        let progress = Double(x.epoch) + Double(turn.step) / Double(shares[learner.index].steps)
        try step.backwardMixed(
            learner, x, u, targets: targets, mode: mode,
            by: .init(alpha: options.alpha, seed: seed(learner.index), step: turn.step),
            unlabelledWeight: options.unlabelledWeight(at: progress))
    }

    /// Of all views of x and u, in the order of the inputs [rows, C].
    private func targets(
        _ learner: Learner, _ x: TrainingBatch, _ u: TrainingBatch?, _ mode: Mode,
        _ step: StepContext
    ) -> Tensor {
        let other = step.learners[1 - learner.index]
        func predictions(_ learner: Learner, _ batch: TrainingBatch, _ mode: Mode) -> [Tensor] {
            batch.views.map { Logits(learner.network($0, mode: mode)).probabilities().tensor }
        }
        let labels = x.labels.oneHot(phase.classes).to(.float32)
        let w = clean[other.index].read(x.rows.to(.cpu)).to(.float32).to(phase.device)
        let own = predictions(learner, x, mode)
        note(learner, x, own[0], step)
        let refined = refinedLabels(
            labels, clean: w, predictions: meanPrediction(own),
            temperature: options.temperature)
        suggested[learner.index].write(x.rows, refined.argmax())
        guard let u else { return .concatenated(x.views.map { _ in refined }) }
        let unlabelled = predictions(learner, u, mode)
        note(learner, u, unlabelled[0], step)
        let guessed = sharpened(
            meanPrediction(unlabelled + predictions(other, u, .eval)),
            temperature: options.temperature)
        suggested[learner.index].write(u.rows, guessed.argmax())
        return .concatenated(x.views.map { _ in refined } + u.views.map { _ in guessed })
    }

    /// The network itself learns from mixtures only.
    private func note(
        _ learner: Learner, _ batch: TrainingBatch, _ probabilities: Tensor, _ step: StepContext
    ) {
        step.note(learner, batch, Logits(probabilities.clamped(1e-30, 1).log()))
    }

    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        preconditionFailure("DivideMix's loss is of mixed samples")
    }

    // MARK: What is shown

    func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        guard !isWarmUp else { return [:] }
        var metrics: [String: Double] = [:]
        for (k, learner) in epoch.learners.enumerated() {
            let rows = trusted(by: 1 - k)
            metrics["labelled.\(learner.name)"] = Double(rows.count) / Double(given.count)
            guard let right = phase.cleanLabels else { continue }
            metrics["label-precision.\(learner.name)"] =
                Double(rows.count { given[$0] == right[$0] }) / Double(max(1, rows.count))
        }
        return metrics
    }

    /// The rows whose labels a network trusts.
    private func trusted(by network: Int) -> [Int] {
        clean[network].all.doubles().enumerated().filter { $0.element > options.split.threshold }
            .map(\.offset)
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        DivideMixSection(
            names: epoch.learners.map(\.name), given: given, right: phase.cleanLabels,
            clean: clean.map { $0.all.doubles() }, suggested: suggested.map { $0.all.ints() },
            history: try epoch.history
        ).sections
    }
}
