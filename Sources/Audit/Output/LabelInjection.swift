import Randomness

/// Labels that are changed on purpose, so that it is known which ones are wrong.
///
/// A label y becomes b with a probability in proportion to T[y][b], b ≠ y, as if the given label were the true one;
/// all of it is scaled so that the expected share of changed labels is as wanted, and no class loses more than
/// half. Where the matrix has no wrong labels at all, every other class is as likely.
///
/// About 12 % is enough to learn from, and little enough that networks stay what they were: with 20 %, what was
/// learnt carried over no better, with 6 % the intervals grow. The draws depend on the seed and the sample's index alone.
public struct LabelInjection: Sendable {
    /// All labels, with the changed ones in place.
    public let labels: [Int]
    /// Changed samples, ascending.
    public let changed: [Int]
    /// P(label afterwards | label before), C × C.
    public let matrix: [[Double]]

    public static let usualShare = 0.12
    private static let mostOfClass = 0.5

    /// - Parameters:
    ///   - labels: given ones, of all samples.
    ///   - samples: whose label may change: not those of the user's test split.
    ///   - transition: T[true][given], C × C.
    ///   - share: of `samples`, above 0 and at most a half.
    public init(
        _ labels: [Int], among samples: [Int], transition: [[Double]],
        share: Double = LabelInjection.usualShare, seed: UInt64
    ) {
        precondition(share > 0 && share <= LabelInjection.mostOfClass, "share of changed labels")
        let others = LabelInjection.others(transition)
        var counts = [Double](repeating: 0, count: transition.count)
        for i in samples { counts[labels[i]] += 1 }
        let odds = others.map { $0.reduce(0, +) }
        let chances = LabelInjection.chances(
            odds, counts: counts, wanted: share * Double(samples.count))
        matrix = others.enumerated().map { a, row in
            row.enumerated().map { b, value in
                a == b ? 1 - chances[a] : odds[a] > 0 ? chances[a] * value / odds[a] : 0
            }
        }
        var (out, changed) = (labels, [Int]())
        for i in samples.sorted() {
            let y = labels[i]
            var draw = Draw(seed: seed, .injection, sample: i)
            guard draw.uniform() < chances[y] else { continue }
            out[i] = draw.index(weights: others[y])
            changed.append(i)
        }
        (self.labels, self.changed) = (out, changed)
    }

    /// The transition matrix of the round with changed labels: first `transition`, then the change.
    public func composed(with transition: [[Double]]) -> [[Double]] {
        transition.map { row in
            matrix.indices.map { b in
                row.indices.reduce(0) { $0 + row[$1] * matrix[$1][b] }
            }
        }
    }

    private static func others(_ transition: [[Double]]) -> [[Double]] {
        var rows = transition
        for a in rows.indices {
            for b in rows.indices { rows[a][b] = a == b ? 0 : max(0, rows[a][b]) }
        }
        if rows.allSatisfy({ $0.reduce(0, +) <= 1e-9 }) {
            for a in rows.indices { for b in rows.indices where a != b { rows[a][b] = 1 } }
        }
        return rows
    }

    /// min(½, s · odds) with the s that makes the expected number of changes what is wanted, or as near as can be.
    private static func chances(
        _ odds: [Double], counts: [Double], wanted: Double
    ) -> [Double] {
        func at(_ s: Double) -> [Double] { odds.map { min(mostOfClass, s * $0) } }
        func expected(_ s: Double) -> Double { zip(at(s), counts).reduce(0) { $0 + $1.0 * $1.1 } }
        var (low, high) = (0.0, 1.0)
        while expected(high) < wanted, high < 1e12 { high *= 2 }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if expected(middle) < wanted { low = middle } else { high = middle }
        }
        return at(high)
    }
}
