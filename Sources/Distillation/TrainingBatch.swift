import Torch

/// One mini-batch as an objective sees it.
public struct TrainingBatch {
    /// Views of the samples, each [N, …], normalised and augmented; one where a plan asks for no more.
    public let views: [Tensor]
    /// Given labels [N], int64.
    public let labels: Tensor
    /// Rows of the training split [N], int64: what per-sample tables are indexed by.
    public let rows: Tensor
    /// Whether the inputs are as `rows` would always give them (no augmentation).
    public let isPlain: Bool
    /// From 0.
    public let epoch: Int
    /// Of the epoch, from 0.
    public let step: Int

    public init(
        views: [Tensor], labels: Tensor, rows: Tensor, isPlain: Bool, epoch: Int = 0, step: Int = 0
    ) {
        precondition(!views.isEmpty, "a batch without inputs")
        self.views = views
        self.labels = labels
        self.rows = rows
        self.isPlain = isPlain
        self.epoch = epoch
        self.step = step
    }

    public init(
        inputs: Tensor, labels: Tensor, rows: Tensor, isPlain: Bool, epoch: Int = 0, step: Int = 0
    ) {
        self.init(
            views: [inputs], labels: labels, rows: rows, isPlain: isPlain, epoch: epoch, step: step)
    }

    /// The first view [N, …].
    public var inputs: Tensor { views[0] }

    /// The same samples with other labels [N], int64.
    public func relabelled(_ labels: Tensor) -> TrainingBatch {
        TrainingBatch(
            views: views, labels: labels, rows: rows, isPlain: isPlain, epoch: epoch, step: step)
    }
}

/// What a student's forward pass of a batch gives.
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
