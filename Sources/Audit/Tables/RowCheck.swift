import Datasets
import Diagnostics

/// Whether rows are probabilities: finite, none below 0 or above 1, their sum near 1.
///
/// Float32 and rounded decimals are forgiven: 1e-6 above 1 for a value, .01 for a sum and the rounding of
/// four decimals per class on top.
struct RowCheck {
    private let sumTolerance: Double

    static let above = 1 + 1e-6

    init(classes: Int) { sumTolerance = 0.01 + 5e-5 * Double(classes) }

    /// The first row that is not, counted from the first of `rows`; nil if all are.
    func firstBad(_ rows: ProbabilityTable.Rows, _ classes: Int) -> Int? {
        let sums = 1 - sumTolerance...1 + sumTolerance
        return switch rows {
        case .floats(let values):
            RowLimits.firstOutside(values, classes, largest: Self.above, sums: sums)
        case .doubles(let values):
            RowLimits.firstOutside(values, classes, largest: Self.above, sums: sums)
        }
    }

    /// What is wrong with a row that is not one of probabilities.
    func problem(_ table: ProbabilityTable, row: Int) -> Problem {
        let values = table.row(row)
        if let k = values.firstIndex(where: { !$0.isFinite }) {
            return .probability(table.name, row, k, values[k], hint: nil)
        }
        let looksLike =
            values.allSatisfy { $0 <= 0 }
            ? "these look like logarithms of probabilities: give their exponentials"
            : "these look like logits: give their softmax"
        if let k = values.firstIndex(where: { $0 < 0 || $0 > Self.above }) {
            return .probability(table.name, row, k, values[k], hint: looksLike)
        }
        return .probabilitySum(table.name, row, values.reduce(0, +), classes: values.count)
    }
}
