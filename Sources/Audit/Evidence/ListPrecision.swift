/// What share of a list is expected to be wrong, for every length of it.
///
/// The list has the most suspicious samples first. All arrays: index n − 1 is the list of n.
public struct ListPrecision: Codable, Equatable, Sendable {
    public let expected: [Double]
    /// Twice the standard error of the injection and of the list itself below the least that either calibration
    /// says at the lowest noise rate.
    public let low: [Double]
    /// The same above.
    public let high: [Double]
    /// How many wrong labels are expected among all samples.
    public let wrong: Double

    /// A length of the list and what is expected of it.
    public struct Length: Codable, Equatable, Sendable {
        public let count: Int
        public let precision: Double
        public let low: Double
        public let high: Double
        /// Of the wrong labels that are expected, how many are in the list.
        public let recall: Double

        public var f1: Double {
            precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
        }
    }

    public subscript(count: Int) -> Length {
        Length(
            count: count, precision: expected[count - 1], low: low[count - 1],
            high: high[count - 1],
            recall: wrong > 0 ? min(1, expected[count - 1] * Double(count) / wrong) : 0)
    }

    /// The length at which F1 is expected to be largest; nil where no wrong label is expected.
    public var recommended: Length? {
        var best: Length?
        for n in expected.indices.map({ $0 + 1 }) {
            let length = self[n]
            if length.f1 > best?.f1 ?? 0 { best = length }
        }
        return best
    }

    /// The longest list that is expected to be wrong in at least this share; nil where none is.
    public func longest(precision: Double) -> Length? {
        expected.lastIndex { $0 >= precision }.map { self[$0 + 1] }
    }
}
