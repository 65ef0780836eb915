/// What the thresholds of a ``ConfidentJoint`` are made of, gathered in any order and in any parts.
///
/// Probabilities are added as whole multiples of 2^−63, so that sums do not depend on the order: the same
/// thresholds come of one worker and of many, of small blocks of rows and of large ones.
package struct ThresholdSums: Equatable, Sendable {
    /// Samples of each given class.
    package private(set) var given: [Int]
    private var sums: [UInt128]

    private static let unit = 0x1p63

    package init(classes: Int) {
        given = [Int](repeating: 0, count: classes)
        sums = [UInt128](repeating: 0, count: classes)
    }

    /// - Parameter probability: of the given label, 0 to less than 2.
    package mutating func add(_ probability: Double, of label: Int) {
        given[label] += 1
        sums[label] += UInt128(UInt64(probability * Self.unit))
    }

    package mutating func add(_ other: ThresholdSums) {
        for k in given.indices {
            given[k] += other.given[k]
            sums[k] += other.sums[k]
        }
    }

    /// The mean of each class, at least 2e-6; 2 for a class that was never given.
    package var thresholds: [Double] {
        zip(sums, given).map { sum, n in
            n == 0 ? 2 : max(Double(sum) / Self.unit / Double(n), 2e-6)
        }
    }
}
