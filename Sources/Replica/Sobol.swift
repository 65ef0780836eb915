import Foundation
import Randomness
import Synchronization

/// Scrambled Sobol points turned into standard normal vectors with antithetic partners, whitened
/// so that the sample mean is exactly 0 and the sample covariance exactly the identity. That
/// matters because the equations need E[ξ g], where an error of the mean of ξ would enter in full.
///
/// Direction numbers of Joe and Kuo (2008); scrambling by random lower-triangular bit matrices and a
/// digital shift (Matoušek 1998). Coordinates past the 21 of the table are plain random numbers.
struct NormalSample: Sendable {
    /// `columns[d][i]`: coordinate d of vector i.
    let columns: [[Double]]

    var count: Int { columns[0].count }

    /// 2 · 2^log2 vectors of `dimensions` coordinates.
    init(dimensions: Int, log2: Int, seed: UInt64) {
        let half = 1 << log2
        var columns: [[Double]] = []
        for dimension in 0..<dimensions {
            var column = NormalSample.uniform(dimension, log2: log2, seed: seed).map {
                Gaussian.quantile(min(max($0, 1e-12), 1 - 1e-12))
            }
            // With the partners of opposite sign the mean is 0 by itself.
            column += column.map { -$0 }
            // Gram–Schmidt on the columns is whitening by the Cholesky factor.
            for _ in 0..<2 {
                for other in columns {
                    var overlap = 0.0
                    for i in 0..<half { overlap += column[i] * other[i] }
                    overlap /= Double(half)
                    for i in 0..<2 * half { column[i] -= overlap * other[i] }
                }
            }
            var norm = 0.0
            for i in 0..<half { norm += column[i] * column[i] }
            let scale = 1 / (norm / Double(half)).squareRoot()
            for i in 0..<2 * half { column[i] *= scale }
            columns.append(column)
        }
        self.columns = columns
    }

    /// Coordinate `dimension` of the first 2^log2 points, in (0, 1).
    static func uniform(_ dimension: Int, log2: Int, seed: UInt64) -> [Double] {
        var draw = Draw(seed: seed, .simulation, epoch: -1, step: dimension)
        let count = 1 << log2
        guard dimension <= table.count else {
            return (0..<count).map { _ in draw.uniform() + 0x1p-54 }
        }
        // A random lower-triangular matrix with ones on its diagonal, acting on the bits.
        let rows = (0..<32).map { bit -> UInt32 in
            let above: UInt32 = bit == 0 ? 0 : ~0 << UInt32(32 - bit)
            return (UInt32(truncatingIfNeeded: draw.next()) & above) | 1 << UInt32(31 - bit)
        }
        let shift = UInt32(truncatingIfNeeded: draw.next())
        let directions = directionNumbers(dimension).map { number in
            rows.enumerated().reduce(UInt32(0)) { sum, row in
                let parity = UInt32((row.element & number).nonzeroBitCount & 1)
                return sum | parity << UInt32(31 - row.offset)
            }
        }
        return points(directions, count: count).map { (Double($0 ^ shift) + 0.5) * 0x1p-32 }
    }

    /// Gray-code order: each point differs from the one before by one direction number.
    static func points(_ directions: [UInt32], count: Int) -> [UInt32] {
        var value: UInt32 = 0
        return (0..<count).map { i in
            if i > 0 { value ^= directions[i.trailingZeroBitCount] }
            return value
        }
    }

    static func directionNumbers(_ dimension: Int) -> [UInt32] {
        guard dimension > 0 else { return (0..<32).map { 1 << UInt32(31 - $0) } }
        let (polynomial, start) = table[dimension - 1]
        let degree = start.count
        var v = start.enumerated().map { $0.element << UInt32(31 - $0.offset) }
        for i in degree..<32 {
            var next = v[i - degree] ^ (v[i - degree] >> UInt32(degree))
            for k in 1..<max(degree, 1) where polynomial >> (degree - 1 - k) & 1 == 1 {
                next ^= v[i - k]
            }
            v.append(next)
        }
        return v
    }

    /// Primitive polynomials (inner coefficients as bits) and initial numbers m_1, m_2, … of the
    /// coordinates after the first.
    static let table: [(Int, [UInt32])] = [
        (0, [1]), (1, [1, 3]), (1, [1, 3, 1]), (2, [1, 1, 1]), (1, [1, 1, 3, 3]),
        (4, [1, 3, 5, 13]), (2, [1, 1, 5, 5, 17]), (4, [1, 1, 5, 5, 5]), (7, [1, 1, 7, 11, 19]),
        (11, [1, 1, 5, 1, 1]), (13, [1, 1, 1, 3, 11]), (14, [1, 3, 5, 5, 31]),
        (1, [1, 3, 3, 9, 7, 49]), (13, [1, 1, 1, 15, 21, 21]), (16, [1, 3, 1, 13, 27, 49]),
        (19, [1, 1, 1, 15, 7, 5]), (22, [1, 3, 1, 15, 13, 25]), (25, [1, 1, 5, 5, 19, 61]),
        (1, [1, 3, 7, 11, 23, 15, 103]), (4, [1, 3, 7, 13, 13, 15, 69]),
    ]

    /// A sample once made is kept: searches ask for the same one again and again.
    static func cached(dimensions: Int, log2: Int, seed: UInt64) -> NormalSample {
        let key = Key(dimensions: dimensions, log2: log2, seed: seed)
        return known.withLock { known in
            if let sample = known[key] { return sample }
            if known.count >= 8 { known.removeAll() }
            let sample = NormalSample(dimensions: dimensions, log2: log2, seed: seed)
            known[key] = sample
            return sample
        }
    }

    private static let known = Mutex<[Key: NormalSample]>([:])

    private struct Key: Hashable {
        var dimensions: Int
        var log2: Int
        var seed: UInt64
    }
}
