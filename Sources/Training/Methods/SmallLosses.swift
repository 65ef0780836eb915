import Diagnostics
import Distillation
import Torch

// Selection by small losses: what the methods that leave out a share of each batch have in common.

/// How many of `batch` samples are kept: ⌊(1 − R) B⌋, at least 1.
func keptSamples(of batch: Int, forgetRate: Double) -> Int {
    // Rounding must not cost a sample: (1 − .8) · 10 is 1.9999999999999996.
    max(1, Int(((1 - forgetRate) * Double(batch) + 1e-9).rounded(.down)))
}

/// Positions of the `count` smallest losses, the smallest first; of equal ones the smaller identity first.
/// What is not a number comes last.
///
/// - Parameters:
///   - losses: one per sample of a batch.
///   - ids: what the samples are called wherever they stand in a batch, such as rows.
func smallestLosses(_ count: Int, of losses: [Double], ids: [Int]) -> [Int] {
    func key(_ i: Int) -> (Double, Int) { (losses[i].isNaN ? .infinity : losses[i], ids[i]) }
    return Array(losses.indices.sorted { key($0) < key($1) }.prefix(count))
}

/// What is logged of a selection: the loss on the whole batch, so that one that is not finite is found although
/// nobody selects it; the share of the batch that is left out; the share of right labels among those that are
/// not.
///
/// - Parameters:
///   - name: of the loss.
///   - losses: of all samples [N].
///   - selected: positions in the batch [n], int64.
///   - clean: the clean label of each row, int64, where it is known.
func selectionMetrics(
    _ name: String, _ losses: Tensor, _ selected: Tensor, _ batch: TrainingBatch, clean: Tensor?
) -> [Losses.Term] {
    let left = 1 - Double(selected.count) / Double(losses.count)
    let all: [Losses.Term] = [
        .init(name, losses.detached()),
        .init("forgotten", Tensor.full(losses.shape, left, dtype: .float64)),
    ]
    guard let clean else { return all }
    let isRight = clean.indexed(0, by: batch.rows).equal(batch.labels)  // [N]
    return all + [.init("label-precision", isRight.indexed(0, by: selected).to(.float64))]
}

/// The samples with the smallest losses, so many that a share of all is left out: those up to a threshold.
struct LossThreshold: Equatable {
    /// Rising; two at least, where there are two.
    private(set) var trusted: [Int]
    /// The largest loss of them.
    let threshold: Double
    /// What went another way than usual: sentences without an end.
    private(set) var notes: [String] = []

    /// - Parameters:
    ///   - losses: finite, by row. Among equal ones the first rows are trusted.
    ///   - labels: given class of each row.
    ///   - rate: the share that is left out, 0 to below 1.
    ///   - perClass: of each given class, or of all.
    init(_ losses: [Double], labels: [Int], rate: Double, perClass: Bool = false) {
        let rows = Array(losses.indices)
        func smallest(_ rows: [Int], atLeast least: Int) -> [Int] {
            let kept = max(keptSamples(of: rows.count, forgetRate: rate), min(least, rows.count))
            return smallestLosses(kept, of: rows.map { losses[$0] }, ids: rows).map { rows[$0] }
        }
        if rate > 0, losses.max() == losses.min() {
            trusted = rows
            notes = ["all losses are equal: all labels count as right"]
        } else if perClass {
            let classes = Dictionary(grouping: rows) { labels[$0] }
            trusted = classes.values.flatMap { smallest($0, atLeast: 1) }.sorted()
            // One class that is small.
            if trusted.count < 2 { trusted = smallest(rows, atLeast: 2).sorted() }
        } else {
            trusted = smallest(rows, atLeast: 2).sorted()
        }
        threshold = trusted.map { losses[$0] }.max() ?? 0
        let lost = Set(labels).count - Set(trusted.map { labels[$0] }).count
        if lost > 0 { notes.append("no label is trusted of \(lost) given classes") }
    }
}
