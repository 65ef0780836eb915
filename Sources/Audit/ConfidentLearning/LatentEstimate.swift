/// What a calibrated joint says of true classes and of how their labels came about.
public struct LatentEstimate: Equatable, Sendable {
    /// P(true class), the sum is 1.
    public let prior: [Double]
    /// P(given | true) as [given][true]; columns sum to 1, or are 0 for a class that nothing is of.
    public let noiseMatrix: [[Double]]
    /// P(true | given) as [true][given]; columns sum to 1, or are 0 for a class that was never given.
    public let inverseNoiseMatrix: [[Double]]

    /// How the prior is found from both matrices and the shares of given labels p_s.
    public enum Method: String, CaseIterable, Codable, Sendable {
        /// inverse[k][k] / noise[k][k] · p_s(k)
        case counts
        /// The solution of noise · prior = p_s.
        case equations
        /// Sums of the joint's columns.
        case marginal
        /// inverse · p_s
        case marginalOfGiven = "marginal-of-given"
    }

    /// - Parameters:
    ///   - counts: [given][true], as ``ConfidentJoint/calibratedCounts``.
    ///   - converged: makes the three agree with one another, by 3 x 5 substitutions.
    /// - Returns: nil where the equations have no single solution.
    public init?(counts: [[Int]], method: Method = .counts, converged: Bool = false) {
        let joint = counts.map { $0.map(Double.init) }
        let given = joint.map { $0.reduce(0, +) }
        let total = max(given.reduce(0, +), Self.tiny)
        let shares = given.map { $0 / total }
        var noise = Self.columnsNormalised(joint)
        var inverse = Self.columnsNormalised(Self.transposed(joint))
        var prior: [Double]
        switch method {
        case .counts: prior = Self.prior(noise, inverse, shares)
        case .equations:
            guard let solution = Self.solution(noise, shares) else { return nil }
            prior = Self.clipped(solution, at: 1e-6)
        case .marginal:
            let sums = Self.transposed(joint).map { $0.reduce(0, +) / total }
            prior = Self.clipped(sums, at: 1e-6)
        case .marginalOfGiven:
            prior = Self.clipped(
                inverse.map { zip($0, shares).reduce(0) { $0 + $1.0 * $1.1 } }, at: 1e-6)
        }
        noise = Self.clippedRates(noise)
        inverse = Self.clippedRates(inverse)
        if converged {
            for _ in 0..<3 {
                for _ in 0..<5 {
                    let joint = noise.map { row in zip(row, prior).map { $0 * $1 } }
                    let sums = joint.map { max($0.reduce(0, +), Self.tiny) }
                    inverse = Self.transposed(
                        zip(joint, sums).map { row, sum in row.map { $0 / sum } })
                    prior = Self.prior(noise, inverse, shares)
                }
                let joint = inverse.map { row in zip(row, shares).map { $0 * $1 } }
                let sums = joint.map { max($0.reduce(0, +), Self.tiny) }
                noise = Self.transposed(
                    zip(joint, sums).map { row, sum in row.map { $0 / sum } })
            }
            prior = Self.clipped(prior, at: 1e-5)
            noise = Self.clippedRates(noise)
            inverse = Self.clippedRates(inverse)
        }
        (self.prior, noiseMatrix, inverseNoiseMatrix) = (prior, noise, inverse)
    }

    private static let tiny = 1e-100

    private static func prior(
        _ noise: [[Double]], _ inverse: [[Double]], _ shares: [Double]
    ) -> [Double] {
        clipped(
            shares.indices.map { inverse[$0][$0] / max(noise[$0][$0], tiny) * shares[$0] },
            at: 1e-6)
    }

    private static func clipped(_ values: [Double], at least: Double) -> [Double] {
        let values = values.map { min(1, max(least, $0)) }
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
    }

    /// Rates off the diagonal are at most .9999.
    private static func clippedRates(_ matrix: [[Double]]) -> [[Double]] {
        columnsNormalised(
            matrix.enumerated().map { a, row in
                row.enumerated().map { b, value in a == b ? value : min(0.9999, max(0, value)) }
            })
    }

    private static func columnsNormalised(_ matrix: [[Double]]) -> [[Double]] {
        let sums = matrix.indices.map { b in matrix.reduce(0) { $0 + $1[b] } }
        return matrix.map { row in row.indices.map { row[$0] / max(sums[$0], tiny) } }
    }

    private static func transposed(_ matrix: [[Double]]) -> [[Double]] {
        matrix.indices.map { a in matrix.map { $0[a] } }
    }

    /// x with matrix · x = values, by elimination with the largest pivot; nil for a singular matrix.
    private static func solution(_ matrix: [[Double]], _ values: [Double]) -> [Double]? {
        var (rows, x) = (matrix, values)
        let n = x.count
        for k in 0..<n {
            let pivot = (k..<n).max { abs(rows[$0][k]) < abs(rows[$1][k]) }!
            guard abs(rows[pivot][k]) > 1e-14 else { return nil }
            rows.swapAt(k, pivot)
            x.swapAt(k, pivot)
            for i in k + 1..<max(n, k + 1) where rows[i][k] != 0 {
                let factor = rows[i][k] / rows[k][k]
                for j in k..<n { rows[i][j] -= factor * rows[k][j] }
                x[i] -= factor * x[k]
            }
        }
        for k in (0..<n).reversed() {
            for j in k + 1..<max(n, k + 1) { x[k] -= rows[k][j] * x[j] }
            x[k] /= rows[k][k]
        }
        return x
    }
}

extension ConfidentLearning {
    /// See ``LatentEstimate``.
    public func latentEstimate(
        _ method: LatentEstimate.Method = .counts, converged: Bool = false
    ) -> LatentEstimate? {
        LatentEstimate(counts: joint.calibratedCounts, method: method, converged: converged)
    }
}
