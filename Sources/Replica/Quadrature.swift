import Foundation
import Synchronization

/// Points and weights of a one-dimensional integration rule.
struct Quadrature: Sendable {
    var points: [Double]
    var weights: [Double]

    /// Gauss–Legendre on [−1, 1]; weights sum to 2.
    static func legendre(_ n: Int) -> Quadrature {
        golubWelsch(n, mass: 2) { k in k / (4 * k * k - 1).squareRoot() }
    }

    /// Gauss–Hermite for the standard normal density; weights sum to 1.
    static func hermite(_ n: Int) -> Quadrature {
        golubWelsch(n, mass: 1) { k in k.squareRoot() }
    }

    /// Nodes are the eigenvalues of the symmetric tridiagonal matrix of the three-term recurrence,
    /// weights the squared first components of its eigenvectors (Golub and Welsch 1969); found by
    /// the implicit QL algorithm, which carries only those components along.
    private static func golubWelsch(
        _ n: Int, mass: Double, offDiagonal: (Double) -> Double
    ) -> Quadrature {
        var d = [Double](repeating: 0, count: n)
        var e = (1...n).map { $0 < n ? offDiagonal(Double($0)) : 0 }
        var z = [1.0] + [Double](repeating: 0, count: n - 1)
        for l in 0..<n {
            while true {
                var m = l
                while m < n - 1 {
                    let size = abs(d[m]) + abs(d[m + 1])
                    if abs(e[m]) <= 1e-17 * max(size, 1e-3) { break }
                    m += 1
                }
                if m == l { break }
                let shift = (d[l + 1] - d[l]) / (2 * e[l])
                let root = (shift * shift + 1).squareRoot()
                var g = d[m] - d[l] + e[l] / (shift + (shift < 0 ? -root : root))
                var (s, c, p) = (1.0, 1.0, 0.0)
                var broke = false
                for i in stride(from: m - 1, through: l, by: -1) {
                    let f = s * e[i]
                    let b = c * e[i]
                    let r = (f * f + g * g).squareRoot()
                    e[i + 1] = r
                    if r == 0 {
                        d[i + 1] -= p
                        e[m] = 0
                        broke = true
                        break
                    }
                    s = f / r
                    c = g / r
                    g = d[i + 1] - p
                    let q = (d[i] - g) * s + 2 * c * b
                    p = s * q
                    d[i + 1] = g + p
                    g = c * q - b
                    let old = z[i + 1]
                    z[i + 1] = s * z[i] + c * old
                    z[i] = c * z[i] - s * old
                }
                if broke { continue }
                d[l] -= p
                e[l] = g
                e[m] = 0
            }
        }
        let order = (0..<n).sorted { d[$0] < d[$1] }
        // The rules are symmetric; averaging the two halves makes odd moments vanish exactly.
        let points = (0..<n).map { (d[order[$0]] - d[order[n - 1 - $0]]) / 2 }
        let weights = (0..<n).map {
            mass * (z[order[$0]] * z[order[$0]] + z[order[n - 1 - $0]] * z[order[n - 1 - $0]]) / 2
        }
        return Quadrature(points: points, weights: weights)
    }

    /// A normal variable is beyond this with a probability of 5e-13.
    static let reach = 7.2

    /// Gauss–Legendre on the panels between `edges` (rising), times the normal density and
    /// normalised: an average over a standard normal variable of a function that may jump at the
    /// edges. `size` gives the number of points of a panel from its length.
    static func normal(panels edges: [Double], size: (Double) -> Int) -> Quadrature {
        var points: [Double] = []
        var weights: [Double] = []
        for (a, b) in zip(edges, edges.dropFirst()) where b > a {
            let rule = cached(legendre: size(b - a))
            for (t, w) in zip(rule.points, rule.weights) {
                let x = 0.5 * ((b - a) * t + a + b)
                points.append(x)
                weights.append(w * 0.5 * (b - a) * Gaussian.density(x))
            }
        }
        let sum = weights.reduce(0, +)
        return Quadrature(points: points, weights: weights.map { $0 / sum })
    }

    static func cached(legendre n: Int) -> Quadrature { cached(.legendre(n)) }
    static func cached(hermite n: Int) -> Quadrature { cached(.hermite(n)) }

    /// Rules are asked for thousands of times in a search.
    private static func cached(_ rule: Rule) -> Quadrature {
        known.withLock { known in
            if let quadrature = known[rule] { return quadrature }
            let quadrature =
                switch rule {
                case .legendre(let n): legendre(n)
                case .hermite(let n): hermite(n)
                }
            known[rule] = quadrature
            return quadrature
        }
    }

    private static let known = Mutex<[Rule: Quadrature]>([:])

    private enum Rule: Hashable {
        case legendre(Int)
        case hermite(Int)
    }
}
