import Datasets
import Diagnostics
import Distillation
import Torch

/// What a phase does beside taking steps on the batches of its plan: work before an epoch, samples of
/// its own, lines of its own in metrics and result. The loop knows this protocol and none that conforms
/// to it; `ObjectiveMaker` makes the one that the phase's target needs.
protocol PhaseWork: AnyObject {
    /// Samples that the phase makes itself; nil where it learns from those of the plan.
    var samples: (any SampleSource)? { get }
    /// How much of this work was ever done: rises with every piece that a checkpoint can follow.
    var pieces: Int { get }
    /// Tensors that training continues from, by their names in a checkpoint.
    var state: [(name: String, tensor: Tensor)] { get }

    /// Does what comes before the steps of `trainer.epoch` that are left; after an interruption inside an
    /// epoch it is called again.
    ///
    /// - Throws: `.interrupted` if it was stopped, after a checkpoint.
    func prepareEpoch(_ trainer: PhaseTrainer) throws
    /// Completes the metrics of an epoch, whose sums the learners still have.
    func describe(_ metrics: inout EpochMetrics, _ trainer: PhaseTrainer)
    /// Completes the result of the phase and writes files of its own.
    func finish(_ result: inout PhaseResult, _ trainer: PhaseTrainer) throws

    /// Adds where it stands to a checkpoint's record.
    func save(in record: inout CheckpointRecord)
    /// A checkpoint is on the disk: what only earlier ones needed may go.
    func didSave() throws(Problem)
    /// Continues from a checkpoint, or from nothing where there is none.
    ///
    /// - Parameter saved: the checkpoint's tensors by name.
    func resume(
        _ checkpoint: (record: CheckpointRecord, saved: [String: Tensor], path: String)?
    ) throws(Problem)
    /// Goes on with other random numbers, for the negative control of resuming.
    func dropRandomState()
}

/// Samples that a phase makes itself.
protocol SampleSource: AnyObject {
    var stepsPerEpoch: Int { get }
    /// The label that each sample was made for: all that is known of it.
    var labels: [Int] { get }
    func batch(epoch: Int, step: Int) -> Batch
    /// The batch as students see it.
    func labelled(_ batch: Batch) -> LabelledBatch
}

extension PhaseWork {
    var samples: (any SampleSource)? { nil }
    var pieces: Int { 0 }
    var state: [(name: String, tensor: Tensor)] { [] }
    func save(in record: inout CheckpointRecord) {}
    func didSave() throws(Problem) {}
    func resume(
        _ checkpoint: (record: CheckpointRecord, saved: [String: Tensor], path: String)?
    ) throws(Problem) {}
    func dropRandomState() {}
}

/// Of a phase that only takes its steps.
final class NoWork: PhaseWork {
    func prepareEpoch(_ trainer: PhaseTrainer) {}
    func describe(_ metrics: inout EpochMetrics, _ trainer: PhaseTrainer) {}
    func finish(_ result: inout PhaseResult, _ trainer: PhaseTrainer) {}
}
