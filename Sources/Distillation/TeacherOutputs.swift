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

    /// - Parameter table: logits [rows of the training split, C] on plain inputs, or `nil` to ask the
    ///   teacher every time.
    public init(_ teacher: Frozen, table: Tensor? = nil) {
        self.teacher = teacher
        self.table = table
    }

    /// [N, C], float32, without gradient.
    public func logits(for batch: LabelledBatch) -> Logits {
        if let table, batch.isPlain { return Logits(table.indexed(0, by: batch.rows)) }
        return Logits(teacher(batch.inputs).to(.float32))
    }
}
