import Datasets
import Diagnostics
import Distillation
import Neural
import Report
import Torch

/// A tensor that training continues from, by its name in a checkpoint.
public typealias NamedTensor = (name: String, tensor: Tensor)

/// What the students of a phase are trained towards.
///
/// Only `losses` has to be written. Everything else has a default that suits a method whose students
/// take one forward pass of each batch of the training split and are measured on the validation and test
/// splits. An objective owns whatever must outlive a step (values per sample, averages, parameters of its
/// own) and hands it to the checkpoint through `state` and `record`; it knows nothing of the loop.
///
/// Random numbers come from `Draw(seed:…)` with the phase's seed, the epoch, the step and the sample, never
/// from a generator that goes on from step to step: an interrupted run then continues to the same bytes.
public protocol Objective: AnyObject {
    /// The loss terms of one learner, one value per sample each.
    ///
    /// - Parameters:
    ///   - learner: whose losses, from 0.
    ///   - outputs: of every learner for the same inputs, in order. Detach every output but the
    ///     learner's own.
    ///   - batch: with the labels that this learner was given.
    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses

    /// What a learner sees of those that stand before it in the same step.
    var updateOrder: UpdateOrder { get }
    /// Tensors that are trained beside that learner's network, by its optimizer; they are in `state` too.
    func parameters(of learner: Int) -> [NamedTensor]
    /// Tensors that a checkpoint must hold, in a fixed order; restored in place.
    var state: [NamedTensor] { get }

    /// Where batches come from: the plan of the training split, or a source of the objective's own.
    func batches(_ phase: PhaseContext) throws -> Batches
    /// What measures the networks at the end of each epoch.
    func evaluator(_ phase: PhaseContext) throws -> any PhaseEvaluator

    /// Work before the first epoch; called again where a run resumes, so it has to know what is done.
    func begin(_ epoch: EpochContext) throws
    /// Work before the steps of an epoch, with networks, data, draws and the stop flag; called again
    /// where a run resumes inside the epoch (`epoch.stepInEpoch > 0`).
    func beginEpoch(_ epoch: EpochContext) throws
    /// One step: forward passes, losses, backward passes, updates. Write it where the default, which
    /// does this for every learner, is not enough.
    func step(_ batch: TrainingBatch, _ step: StepContext) throws
    /// Metrics of the epoch that ends, by names such as `weight.teacher.mean`. They join those of the
    /// losses in `metrics.jsonl`.
    func endEpoch(_ epoch: EpochContext) throws -> [String: Double]
    /// Writes files of its own into the phase's folder, once training is at its end.
    func finish(_ epoch: EpochContext) throws
    /// What there is to show of the phase, after `finish`. Make it of the objective's state and of
    /// `epoch.history` alone, so that a run that was interrupted ends with the same bytes.
    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section]

    /// How many pieces of work besides steps were ever done: rises with every piece that a checkpoint can
    /// follow.
    var pieces: Int { get }
    /// What a checkpoint must hold besides tensors; nil for nothing.
    func record() throws -> JSON?
    /// Continues from a checkpoint, whose tensors are restored already, or begins anew.
    ///
    /// - Parameters:
    ///   - record: what `record` gave; nil where there is no checkpoint.
    ///   - checkpoint: its folder, for messages.
    /// - Throws: for a record that this objective cannot have written.
    func restore(_ record: JSON?, from checkpoint: String?) throws(Problem)
    /// A checkpoint is on the disk: what only earlier ones needed may go.
    func didSave() throws(Problem)
    /// Goes on with other random numbers: the negative control of the test that resuming is exact.
    func dropRandomState()
}

extension Objective {
    public var updateOrder: UpdateOrder { .simultaneous }
    public func parameters(of learner: Int) -> [NamedTensor] { [] }
    public var state: [NamedTensor] { [] }
    public func batches(_ phase: PhaseContext) throws -> Batches { .plan(try phase.plan()) }
    public func evaluator(_ phase: PhaseContext) throws -> any PhaseEvaluator {
        try phase.splitEvaluator()
    }
    public func begin(_ epoch: EpochContext) throws {}
    public func beginEpoch(_ epoch: EpochContext) throws {}
    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] { [:] }
    public func finish(_ epoch: EpochContext) throws {}
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] { [] }
    public var pieces: Int { 0 }
    public func record() throws -> JSON? { nil }
    public func restore(_ record: JSON?, from checkpoint: String?) throws(Problem) {
        guard record == nil else {
            throw .checkpointDamaged(checkpoint ?? "", "a record where none is kept")
        }
    }
    public func didSave() throws(Problem) {}
    public func dropRandomState() {}

    public func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        try step.train(self, batch, inputs: batch.inputs)
    }
}

extension StepContext {
    /// The usual step: a forward pass, the objective's losses, a backward pass and an update of every learner.
    ///
    /// - Parameter inputs: of the forward pass; the first ones are those of the batch's samples, in order, and
    ///   tell how well its labels are met.
    public func train(
        _ objective: some Objective, _ batch: TrainingBatch, inputs: Tensor
    ) throws {
        var outputs = forward(inputs)
        var waiting: [Learner] = []
        let count = batch.labels.count
        for learner in learners {
            let own = self.batch(batch, for: learner)
            let logits = outputs[learner.index].logits.detached.tensor
            try backward(
                learner, own, logits: Logits(logits.narrowed(0, from: 0, count: count))
            ) { objective.losses(of: learner.index, outputs, own) }
            guard objective.updateOrder == .recomputed, learners.count > 1 else {
                waiting.append(learner)
                continue
            }
            update(learner)
            if learner !== learners.last {
                outputs[learner.index] = withoutGradient { forward(inputs, [learner])[0] }
            }
        }
        waiting.forEach(update)
    }
}

/// What a learner sees of those that stand before it in the same step.
public enum UpdateOrder: String, Codable, Sendable, CaseIterable {
    /// Everybody's outputs from before any update of the step: one forward pass each.
    case simultaneous
    /// Outputs after their update, computed once more: one forward pass more for all but the last.
    case recomputed
}

/// Where the batches of a phase come from.
public enum Batches {
    /// Batches of the training split, made ahead on a thread of their own.
    case plan(BatchPlan)
    /// Samples that the objective makes itself.
    case own(any BatchSource)
}

/// Samples that an objective makes itself.
public protocol BatchSource: AnyObject {
    var stepsPerEpoch: Int { get }
    /// The batch of a step, on the phase's device, and the labels that its samples were made for.
    func batch(epoch: Int, step: Int) throws -> (batch: TrainingBatch, labels: [Int])
}
