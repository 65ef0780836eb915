import Datasets
import Diagnostics
import Distillation
import Foundation
import Neural
import Report
import Torch

/// Where a phase stands before, between and after the steps of an epoch: what an objective's own work is
/// given.
public struct EpochContext {
    let trainer: PhaseTrainer

    public var phase: PhaseContext { trainer.context }
    public var learners: [Learner] { trainer.learners }
    /// From 0.
    public var epoch: Int { trainer.epoch }
    public var epochs: Int { trainer.spec.training.epochs }
    /// Steps of this epoch that are taken; above 0 before it only where a run resumes inside it.
    public var stepInEpoch: Int { trainer.stepInEpoch }
    public var stepsPerEpoch: Int { trainer.stepsPerEpoch }

    /// The epochs of this phase that are behind, read back from `metrics.jsonl`, so that they are the same
    /// after an interruption.
    public var history: [EpochMetrics] {
        get throws { epoch == 0 ? [] : try EpochMetrics.read(trainer.lines.path) }
    }

    /// The learning rate of the next step.
    public func learningRate(of learner: Learner) -> Double { trainer.learningRate(of: learner) }

    /// A batch of the training split as an objective sees it.
    public func labelled(_ batch: Batch, for learner: Learner) -> TrainingBatch {
        trainer.labelled(batch, for: learner)
    }

    /// The rows of a batch's samples.
    public func rows(of batch: Batch) -> [Int] { batch.indices.map { trainer.rowOfMember[$0] } }

    /// Whether training is to stop: ask between pieces of work that takes long, and then call `stop`.
    public var shouldStop: () -> Bool { trainer.environment.shouldStop }

    /// Leaves a checkpoint and ends training here. All state has to be as a run can continue from.
    public func stop() throws -> Never {
        throw Problem.interrupted(checkpoint: try trainer.saveCheckpoint())
    }

    /// A piece of work is done (`Objective.pieces` counts them): a checkpoint may follow it.
    ///
    /// - Parameter note: what a log says of it.
    public func didPiece(_ note: String? = nil) throws {
        self.note(note)
        try trainer.saveIfDue(trainer.objective.pieces)
    }

    /// Tells whoever watches; nil only that work goes on.
    public func note(_ text: String?) {
        trainer.environment.observe(.note(trainer.spec, text))
    }

    /// A number of this phase's work that is not finite.
    public func notFinite(_ term: String) -> Problem {
        .notFinite(
            term: term, phase: trainer.spec.name, epoch: epoch, step: trainer.step,
            checkpoint: lastCheckpoint)
    }

    public var lastCheckpoint: String? { trainer.lastCheckpoint }

    /// Constants that were learnt in this phase count from here on.
    public func use(_ normalisation: Normalisation) {
        trainer.context.data.normalisation = normalisation
    }

    /// Measures with another evaluator from here on.
    public func use(_ evaluator: any PhaseEvaluator) { trainer.evaluator = evaluator }

    /// Takes the steps of this epoch on some samples of the training split only.
    ///
    /// - Parameter members: indices of the data set; call it at every `beginEpoch` of such an epoch.
    public func use(members: [Int]) throws { try trainer.use(members: members) }

    /// Ends this epoch after so many steps, of an objective that makes its own batches.
    ///
    /// - Parameter steps: 1 to `stepsPerEpoch`; call it at every `beginEpoch` of such an epoch.
    public func use(steps: Int) { trainer.use(steps: steps) }
}

/// What a step of an objective's own is given.
public struct StepContext {
    let trainer: PhaseTrainer
    /// The given labels of the batch's samples, by learner, and the clean ones where they are known.
    let given: (Learner) -> [Int]
    let clean: [Int]?
    let isOwn: Bool

    public var learners: [Learner] { trainer.learners }
    public var phase: PhaseContext { trainer.context }

    /// Training mode with this step's draw of dropout.
    public func mode(of learner: Learner) -> Mode { .train(trainer.dropoutGenerator(learner)) }

    /// Runs `body` in the precision of the phase.
    public func withPrecision<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Torch.withPrecision(trainer.spec.compute.precision, on: trainer.device, body)
    }

    /// One forward pass of each learner in training mode.
    public func forward(_ inputs: Tensor, _ learners: [Learner]? = nil) -> [StudentOutput] {
        withPrecision { (learners ?? self.learners).map { $0.output(inputs, mode(of: $0)) } }
    }

    /// The batch with the labels that a learner was given.
    public func batch(_ batch: TrainingBatch, for learner: Learner) -> TrainingBatch {
        guard !isOwn, learner.index > 0 else { return batch }
        let labels = given(learner)
        return batch.relabelled(Tensor(labels, [labels.count]).to(trainer.device))
    }

    /// Leaves the gradients of a learner's losses in its parameters, and counts them in the epoch's sums.
    ///
    /// - Parameters:
    ///   - logits: of the batch's samples as they are [N, C]; nil where the loss is not about classes, and
    ///     where the network saw mixtures of samples.
    ///   - losses: made in the precision of the phase.
    /// - Throws: if a term is not finite; before the update, so that weights that a bad step has
    ///   corrupted are never saved.
    public func backward(
        _ learner: Learner, _ batch: TrainingBatch, logits: Logits?, _ losses: () -> Losses
    ) throws {
        let (losses, total) = withPrecision {
            let losses = phase.weighted(losses(), batch)
            return (losses, losses.total)
        }
        var norm: Double?
        if learners.count > 1, trainer.stepInEpoch == 0 {
            let gradients = Tensor.gradients(
                of: losses.terms[0].values.mean(), with: learner.network.parameters.map(\.tensor),
                retainGraph: true)
            norm = Updates.clipNorm(gradients, to: .infinity)
        }
        total.backward()
        let means = losses.means()
        let classes = logits?.detached.predictions.ints()
        if let bad = means.firstIndex(where: { !$0.isFinite }) {
            let terms = losses.terms + losses.metrics
            throw Problem.notFinite(
                term: terms[bad].name, phase: trainer.spec.name, epoch: trainer.epoch,
                step: trainer.step + 1, checkpoint: trainer.lastCheckpoint)
        }
        learner.record.sums.add(losses, means, samples: batch.labels.count, gradientNorm: norm)
        if let logits, let classes {
            note(learner, batch, logits, predictions: classes)
            learner.record.sums.add(predictions: classes, given: given(learner), clean: clean)
        }
    }

    /// Records how a network predicts samples of the training split, where this is asked for. `backward` does
    /// it for logits that it is given; a step whose losses are of mixtures calls it with what it knows of the
    /// samples themselves.
    ///
    /// - Parameters:
    ///   - batch: with rows of the training split, and the labels that the learner was given.
    ///   - logits: of the batch's samples [N, C].
    public func note(
        _ learner: Learner, _ batch: TrainingBatch, _ logits: Logits, predictions: [Int]? = nil
    ) {
        trainer.dynamics?.note(
            logits, predictions: predictions ?? logits.detached.predictions.ints(),
            rows: batch.rows.ints(), labels: batch.labels, epoch: trainer.epoch,
            learner: learner.index)
    }

    /// Applies the gradients of this step to a learner's parameters and forgets them.
    public func update(_ learner: Learner) {
        learner.update(learningRate: trainer.learningRate(of: learner))
    }
}

extension EpochContext {
    /// Says how good a teacher is.
    func note(teacher scores: PhaseResult.Scores?) {
        guard let scores else { return }
        note(
            "its teacher has accuracy \(percent(scores.test.accuracy)) on the test split, "
                + "\(percent(scores.validation.accuracy)) on validation")
    }
}
