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
        switch rows {
        case .floats(let values): first(values, classes)
        case .doubles(let values): first(values, classes)
        }
    }

    private func first<T: BinaryFloatingPoint & SIMDScalar>(
        _ values: UnsafeBufferPointer<T>, _ classes: Int
    ) -> Int? {
        guard let start = values.baseAddress else { return nil }
        let (low, high) = (T(1 - sumTolerance), T(1 + sumTolerance))
        for i in 0..<values.count / classes {
            let (sum, least, largest) = Self.facts(start + i * classes, classes)
            // What is not a number makes the sum one that is not either.
            guard sum >= low, sum <= high, least >= 0, largest <= T(Self.above) else { return i }
        }
        return nil
    }

    @inline(__always)
    private static func facts<T: BinaryFloatingPoint & SIMDScalar>(
        _ row: UnsafePointer<T>, _ count: Int
    ) -> (sum: T, least: T, largest: T) {
        typealias Lanes = SIMD8<T>
        var (sum, least, largest) = (T(0), T(0), T(0))
        var k = 0
        if count >= 8 {
            var (sums, low, high) = (Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0))
            let values = UnsafeRawPointer(row)
            while k + 8 <= count {
                let x = values.loadUnaligned(
                    fromByteOffset: k * MemoryLayout<T>.stride, as: Lanes.self)
                sums += x
                low.replace(with: x, where: x .< low)
                high.replace(with: x, where: x .> high)
                k += 8
            }
            sum = sums.sum()
            least = low.min()
            largest = high.max()
        }
        while k < count {
            sum += row[k]
            least = row[k] < least ? row[k] : least
            largest = row[k] > largest ? row[k] : largest
            k += 1
        }
        return (sum, least, largest)
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
