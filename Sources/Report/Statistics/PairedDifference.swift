/// What one row has more than another, paired by seed, and whether that is chance.
public struct PairedDifference: Codable, Equatable, Sendable {
    /// Mean difference, in the metric's unit.
    public var mean: Double
    /// Its standard error.
    public var error: Double
    public var pairs: Int
    /// Degrees of freedom of the standard error.
    public var freedom: Int

    /// Of one row by itself; nil with fewer than two seeds or where a difference is not finite.
    public init?(_ differences: [Double]) {
        guard differences.count > 1, differences.allSatisfy(\.isFinite) else { return nil }
        let n = Double(differences.count)
        let estimate = Estimate(values: differences)
        mean = estimate.mean
        error = (estimate.sd ?? 0) / n.squareRoot()
        pairs = differences.count
        freedom = differences.count - 1
    }

    /// The differences of several rows to the same one.
    ///
    /// Three seeds tell little of a row's own variance, so it is pooled over the rows. A row whose own is
    /// larger keeps its own; where it is larger by more than chance (F test, 5 %), the row does not enter the
    /// pool and is judged with its own few degrees of freedom.
    public static func pooled(_ rows: [[Double]]) -> [PairedDifference?] {
        let own = rows.map(PairedDifference.init)
        // The row itself, and one that shares its phases, differ nowhere and say nothing.
        let known = own.indices.filter { (own[$0]?.error ?? 0) > 0 }
        func pool(_ members: [Int]) -> (variance: Double, freedom: Int) {
            let freedom = members.reduce(0) { $0 + own[$1]!.freedom }
            let squares = members.reduce(0.0) { $0 + own[$1]!.squares }
            return (freedom == 0 ? 0 : squares / Double(freedom), freedom)
        }
        let apart = known.filter { i in
            let others = pool(known.filter { $0 != i })
            guard others.variance > 0 else { return false }
            let ratio = own[i]!.squares / Double(own[i]!.freedom) / others.variance
            return upperF(ratio, above: own[i]!.freedom, below: others.freedom) < 0.05
        }
        let common = pool(known.filter { !apart.contains($0) })
        guard common.freedom > 0 else { return own }
        return own.indices.map { i in
            guard var difference = own[i], !apart.contains(i) else { return own[i] }
            difference.error = max(
                difference.error, (common.variance / Double(difference.pairs)).squareRoot())
            difference.freedom = common.freedom
            return difference
        }
    }

    /// Sum of squared deviations from the mean.
    private var squares: Double { error * error * Double(pairs * freedom) }

    /// Of Student's t test against no difference, two-sided.
    public var p: Double {
        mean == 0 ? 1 : StudentT.twoSided(mean / error, freedom: freedom)
    }

    /// In which the true difference lies with 95 %, by Student's t.
    public var interval: ClosedRange<Double> {
        let half = StudentT.critical(0.05, freedom: freedom) * error
        return mean - half...mean + half
    }

    /// p values corrected for there being many of them (Holm 1979, "A Simple Sequentially Rejective Multiple
    /// Test Procedure"): the k-th smallest of n counts n + 1 − k times, and never less than a smaller one.
    /// Unknown ones stay unknown and count for nothing.
    public static func holm(_ values: [Double?]) -> [Double?] {
        let order = values.indices.filter { values[$0] != nil }.sorted { values[$0]! < values[$1]! }
        var corrected = values
        var largest = 0.0
        for (k, i) in order.enumerated() {
            largest = max(largest, min(1, Double(order.count - k) * values[i]!))
            corrected[i] = largest
        }
        return corrected
    }
}
