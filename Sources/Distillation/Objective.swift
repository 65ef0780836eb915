import Torch

/// One mini-batch as an objective sees it.
public struct LabelledBatch {
    /// Inputs [N, …], normalised and augmented.
    public let inputs: Tensor
    /// Given labels [N], int64.
    public let labels: Tensor
    /// Rows of the training split [N], int64: what per-sample tables are indexed by.
    public let rows: Tensor
    /// Whether the inputs are as `rows` would always give them (no augmentation).
    public let isPlain: Bool

    public init(inputs: Tensor, labels: Tensor, rows: Tensor, isPlain: Bool) {
        self.inputs = inputs
        self.labels = labels
        self.rows = rows
        self.isPlain = isPlain
    }

    /// The same samples with other labels [N], int64.
    public func relabelled(_ labels: Tensor) -> LabelledBatch {
        LabelledBatch(inputs: inputs, labels: labels, rows: rows, isPlain: isPlain)
    }
}

/// What the student said about a batch.
public struct StudentOutput {
    /// Penultimate features [N, D].
    public let features: Tensor
    /// [N, C]
    public let logits: Logits

    public init(features: Tensor, logits: Logits) {
        self.features = features
        self.logits = logits
    }
}

/// What a student is trained towards: the named loss terms of a batch.
///
/// A method of Limbeck is one or more training phases, each with an objective. An objective owns
/// whatever must outlive a step (weights per sample, averages …) and hands it to the checkpoint
/// through `state`; it knows nothing of devices, files and logging.
public protocol Objective: AnyObject {
    func losses(_ output: StudentOutput, _ batch: LabelledBatch) -> Losses
    /// Called before each step, with its number in the epoch, for what is drawn anew each time.
    func prepare(epoch: Int, step: Int)
    /// Tensors that a checkpoint must hold, in a fixed order; restored in place.
    var state: [(name: String, tensor: Tensor)] { get }
}

extension Objective {
    public func prepare(epoch: Int, step: Int) {}
    public var state: [(name: String, tensor: Tensor)] { [] }
}
