import Models
import Neural
import Torch

/// A frozen teacher's logits for whatever batch the student sees.
///
/// Always for the *same* inputs as the student's: computed on the augmented batch, or, where
/// batches are not augmented, looked up by row of the training split in a table computed once.
/// A table of outputs in another order than the samples is a published bug that this type excludes.
public final class TeacherOutputs {
    private let teacher: Frozen
    private let table: Tensor?
    private let change: ((Logits, Tensor) -> Logits)?

    /// - Parameter table: logits [rows of the training split, C] on plain inputs, or `nil` to ask the
    ///   teacher every time.
    /// - Parameter change: what becomes of the logits [N, C] of the samples at rows [N], for
    ///   experiments with corrupted teachers.
    public init(
        _ teacher: Frozen, table: Tensor? = nil, change: ((Logits, Tensor) -> Logits)? = nil
    ) {
        self.teacher = teacher
        self.table = table
        self.change = change
    }

    /// [N, C], float32, without gradient.
    public func logits(for batch: TrainingBatch) -> Logits {
        let logits =
            if let table, batch.isPlain { Logits(table.indexed(0, by: batch.rows)) } else {
                Logits(teacher(batch.inputs).to(.float32))
            }
        return change?(logits, batch.rows) ?? logits
    }
}
