import Foundation

extension NeighbourGraph {
    /// Samples that lie far from all others.
    public struct Outliers: Equatable, Sendable {
        /// exp(−d/median d), d the mean distance to the neighbours: 0 for a far sample, 1 for a near one.
        public let scores: [Double]
        /// Rows whose d is above the third quartile by more than 1.7 interquartile ranges, ascending.
        public let issues: [Int]
    }

    /// Samples that are nearly the same as others.
    public struct NearDuplicates: Equatable, Sendable {
        /// 1 − exp(−d/median d), d the distance to the nearest neighbour: 0 for a duplicate.
        public let scores: [Double]
        /// Of each row those that it is nearly the same as, ascending; symmetric.
        public let sets: [[Int]]

        /// Rows with such others, ascending.
        public var issues: [Int] { sets.indices.filter { !sets[$0].isEmpty } }

        /// Rows that have such others with another label, ascending.
        public func conflicting(_ labels: [Int]) -> [Int] {
            issues.filter { row in sets[row].contains { labels[$0] != labels[row] } }
        }
    }

    public func outliers() -> Outliers {
        let means = (0..<count).map { distances(of: $0).reduce(0, +) / Double(k) }
        let sorted = means.sorted()
        let median = Self.quantile(sorted, 0.5)
        let (low, high) = (Self.quantile(sorted, 0.25), Self.quantile(sorted, 0.75))
        // 1.7 interquartile ranges, as a score of .37037 is 1/(1 + 1.7).
        let limit = high + (1 / 0.37037 - 1) * (high - low)
        return Outliers(
            scores: means.map { Self.isZero($0) ? 1 : exp(-$0 / max(median, Self.tiny)) },
            issues: means.indices.filter { means[$0] > limit })
    }

    /// - Parameter limit: nearer than this share of the median distance to the nearest neighbour.
    public func nearDuplicates(limit: Double = 0.13) -> NearDuplicates {
        let nearest = (0..<count).map { distances[$0 * k] }
        let median = Self.quantile(nearest.sorted(), 0.5)
        var sets = [Set<Int>](repeating: [], count: count)
        for row in 0..<count {
            for (other, distance) in zip(neighbours(of: row), distances(of: row))
            where distance < limit * median || distance == 0 {
                sets[row].insert(other)
                sets[other].insert(row)
            }
        }
        return NearDuplicates(
            scores: nearest.map { Self.isZero($0) ? 0 : 1 - exp(-$0 / max(median, Self.tiny)) },
            sets: sets.map { $0.sorted() })
    }

    /// Share of the neighbours that have the label of the sample, 0 to 1.
    public func labelAgreement(_ labels: [Int]) -> [Double] {
        precondition(labels.count == count)
        return (0..<count).map { row in
            let equal = neighbours(of: row).count { labels[$0] == labels[row] }
            return Double(equal) / Double(k)
        }
    }

    /// What a sample is worth to its neighbours: Jia et al., "Efficient Task-Specific Data Valuation for Nearest
    /// Neighbor Algorithms", 2019, arXiv 1908.08619, each sample predicted by its k neighbours. From 0 to 1;
    /// below .5 it does harm.
    ///
    /// A neighbour counts +1/k if it has the label of the sample and the last neighbour has not, −1/k the other way
    /// round; the mean over all samples is halved and moved by ½. Samples farther than k are worth nothing.
    public func valuation(_ labels: [Int]) -> [Double] {
        precondition(labels.count == count)
        var worth = [Int](repeating: 0, count: count)
        for row in 0..<count {
            let own = neighbours(of: row)
            let last = labels[own.last!] == labels[row] ? 1 : 0
            for other in own { worth[other] += (labels[other] == labels[row] ? 1 : 0) - last }
        }
        return worth.map { 0.5 * (Double($0) / Double(k) / Double(count) + 1) }
    }

    private static let tiny = 1e-100

    /// Distances of identical samples, but for rounding.
    private static func isZero(_ distance: Double) -> Bool { distance < 1e-12 }

    /// By linear interpolation between the sorted values.
    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
