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

extension CoTeachingOptions {
    /// r, where it is not given: the rate of the injected noise, over all classes, before it was drawn.
    func rate(for data: PreparedData) throws(Problem) -> Double {
        if let rate = forgetRate ?? data.noise.intendedRate { return rate }
        throw .forgetRateMissing(noise: data.noise.noise.kind.rawValue)
    }
}

extension Problem {
    static func forgetRateMissing(noise: String) -> Problem {
        Problem(
            .data, "the noise rate is not known", at: .init(detail: ["method.forget-rate"]),
            found: "noise kind \(noise)", expected: "the share of labels that are wrong",
            hint: "only the rate of injected noise is taken from the recipe")
    }
}
