import Diagnostics
import Foundation
import Randomness

/// Instance-dependent noise of Xia et al. 2020 ("Part-dependent label noise", arXiv 2006.07836,
/// algorithm 2): for a sample x of clean class y,
///
///     q ~ N(r, .1²) truncated to [0, 1]
///     W_y ∈ R^{d×C}, entries N(0, 1), one matrix per clean class
///     A = xᵀ W_y,  A[y] = −∞,  P = q softmax(A),  P[y] = 1 − q,  given ~ P
extension LabelNoise {
    static let spread = 0.1
    /// Entries of one projection, 1 GiB of doubles.
    static let projectionLimit = 1 << 27

    /// P of one sample: what is left to the clean label is 1 − q, the rest goes by softmax.
    ///
    /// - Parameters:
    ///   - q: the sample's own noise rate, 0...1.
    ///   - logits: `[C]`, finite; the entry of `label` is not looked at.
    /// - Returns: `[C]`, sums to 1.
    public static func instanceProbabilities(
        q: Double, logits: [Double], label: Int
    ) -> [Double] {
        precondition(logits.indices.contains(label) && logits.count > 1, "C > 1 logits")
        var top = -Double.infinity
        for (c, logit) in logits.enumerated() where c != label { top = max(top, logit) }
        var p = logits.map { exp($0 - top) }
        p[label] = 0
        let scale = q / p.reduce(0, +)
        for c in p.indices { p[c] *= scale }
        p[label] = 1 - q
        return p
    }

    /// Mean of N(r, .1²) truncated to [0, 1]: the rate that kind `instance` will realise.
    public static func truncatedNormalMean(_ rate: Double) -> Double {
        let (alpha, beta) = (-rate / spread, (1 - rate) / spread)
        func density(_ z: Double) -> Double { exp(-z * z / 2) / (2 * Double.pi).squareRoot() }
        return rate + spread * (density(alpha) - density(beta))
            / (normalMass(below: beta) - normalMass(below: alpha))
    }

    /// Φ(z).
    static func normalMass(below z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

    /// The u-quantile of N(r, .1²) truncated to [0, 1], by bisection of the distribution function:
    /// exact to the last bits, without a table, and one uniform number per sample.
    static func truncatedNormal(_ rate: Double, _ u: Double) -> Double {
        func mass(_ q: Double) -> Double { normalMass(below: (q - rate) / spread) }
        let target = mass(0) + u * (mass(1) - mass(0))
        var (low, high) = (0.0, 1.0)
        for _ in 0..<54 {
            let middle = (low + high) / 2
            if mass(middle) < target { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// W of clean class `label` (always class 0's in the shared variant), row-major `[d, C]`.
    static func projection(seed: UInt64, label: Int, dimension: Int, classCount: Int) -> [Double] {
        var draw = Draw(seed: seed, .noise, epoch: Stream.projection.rawValue, step: label)
        return (0..<dimension * classCount).map { _ in draw.normal() }
    }

    func instanceLabels(
        _ labels: [Int], _ classCount: Int, _ features: Features, _ ids: [Int], _ seed: UInt64
    ) throws(Problem) -> [Int] {
        let d = features.dimension
        precondition(features.values.count == labels.count * d, "one row of features per label")
        let (size, overflow) = d.multipliedReportingOverflow(by: classCount)
        guard !overflow, size <= Self.projectionLimit else {
            throw .projectionTooLarge(d, classCount)
        }
        if let bad = features.values.firstIndex(where: { !$0.isFinite }) {
            throw .featureNotFinite(sample: bad / d, features.values[bad])
        }
        let shared = kind == .instanceShared
        let rate = rate ?? 0
        // Class by class, so that one projection is in memory and not C of them.
        var members = [[Int]](repeating: [], count: shared ? 1 : classCount)
        for (i, label) in labels.enumerated() { members[shared ? 0 : label].append(i) }
        var given = labels
        for (group, samples) in members.enumerated() where !samples.isEmpty {
            let w = Self.projection(seed: seed, label: group, dimension: d, classCount: classCount)
            for i in samples {
                let logits = Self.logits(features, row: i, w, classCount)  // [C]
                var draw = Draw(seed: seed, .noise, sample: ids[i])
                let q =
                    shared
                    ? Self.rejectionSampled(rate, &draw)
                    : Self.truncatedNormal(rate, draw.uniform())
                let p = Self.instanceProbabilities(q: q, logits: logits, label: labels[i])
                given[i] = draw.index(weights: p)
            }
        }
        return given
    }

    /// Normal numbers until one falls inside (0, 1), as the variant does it. At least half do for
    /// every rate in 0...1.
    private static func rejectionSampled(_ rate: Double, _ draw: inout Draw) -> Double {
        while true {
            let q = rate + spread * draw.normal()
            if q > 0, q < 1 { return q }
        }
    }

    /// xᵀW of one row, in double precision and always in the same order.
    static func logits(
        _ features: Features, row: Int, _ w: [Double], _ classCount: Int
    ) -> [Double] {
        [Double](unsafeUninitializedCapacity: classCount) { sums, count in
            sums.initialize(repeating: 0)
            count = classCount
            let d = features.dimension
            features.values.withUnsafeBufferPointer { x in
                w.withUnsafeBufferPointer { w in
                    for k in 0..<d {
                        let value = Double(x[row * d + k])
                        guard value != 0 else { continue }
                        for c in 0..<classCount { sums[c] += value * w[k * classCount + c] }
                    }
                }
            }
        }
    }
}
