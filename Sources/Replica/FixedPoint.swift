/// Solves x = G(x) by Anderson acceleration (Anderson 1965; Walker and Ni 2011, type II): the next
/// point is the combination of the last few whose residuals G(x) − x cancel best.
///
/// Where that is not defined or does not help it falls back on a damped step, with which the plain
/// iteration of the equations converges.
struct FixedPoint {
    /// Residual, relative to the scales, at which it stops.
    var tolerance = 1e-10
    var mostIterations = 1000
    /// How many differences of residuals it combines.
    var memory = 5
    /// Longest step, in units of the scales.
    var longest = 1.0
    /// Share of the new value in a plain step.
    var damping = 0.8

    struct Outcome {
        var x: [Double]
        var residual: Double
        var iterations: Int
        var converged: Bool
    }

    /// - Parameters:
    ///   - scales: the natural size of each component; the residual is the largest of
    ///     |G(x) − x| / scale.
    ///   - map: G; nothing where it is not defined.
    func solve(start: [Double], scales: [Double], map: ([Double]) -> [Double]?) -> Outcome {
        let n = start.count
        var x = start
        guard var image = map(x) else {
            return Outcome(x: x, residual: .infinity, iterations: 1, converged: false)
        }
        // Residuals and points in units of the scales.
        var f = (0..<n).map { (image[$0] - x[$0]) / scales[$0] }
        var residual = largest(f)
        var stepsX: [[Double]] = []
        var stepsF: [[Double]] = []
        var iterations = 1
        var share = damping
        while !(residual < tolerance), iterations < mostIterations {
            var move = combination(f, stepsX, stepsF) ?? f.map { share * $0 }
            // Far from the solution an extrapolation may leave all reason behind.
            let length = largest(move)
            if length > longest { for i in 0..<n { move[i] *= longest / length } }
            let candidate = (0..<n).map { x[$0] + scales[$0] * move[$0] }
            let next = map(candidate)
            iterations += 1
            if let next, next.allSatisfy(\.isFinite) {
                let g = (0..<n).map { (next[$0] - candidate[$0]) / scales[$0] }
                let size = largest(g)
                // A jump upwards means that the linear picture failed.
                if stepsX.isEmpty || size < 2 * residual {
                    stepsX.append(move)
                    stepsF.append((0..<n).map { g[$0] - f[$0] })
                    if stepsX.count > memory {
                        stepsX.removeFirst()
                        stepsF.removeFirst()
                    }
                    if size > 2 * residual { share = max(0.05, share / 2) }
                    (x, image, f, residual) = (candidate, next, g, size)
                    continue
                }
            } else if stepsX.isEmpty {
                share /= 2
                if share < 1e-6 { break }
            }
            stepsX = []
            stepsF = []
        }
        // The image is closer than the point by the rate of convergence.
        return Outcome(
            x: image, residual: residual, iterations: iterations, converged: residual < tolerance)
    }

    private func largest(_ f: [Double]) -> Double {
        f.reduce(0) { $1.isNaN ? .infinity : max($0, abs($1)) }
    }

    /// f − (ΔX + ΔF)·γ with γ the least-squares solution of ΔF γ = f.
    private func combination(_ f: [Double], _ dx: [[Double]], _ df: [[Double]]) -> [Double]? {
        let k = dx.count
        guard k > 0 else { return nil }
        // Gram–Schmidt (QR) with columns newest first; a column that adds nothing is left out.
        var basis: [[Double]] = []
        var triangle: [[Double]] = []
        var used: [Int] = []
        for j in stride(from: k - 1, through: 0, by: -1) {
            var v = df[j]
            let size = norm(v)
            guard size > 0 else { continue }
            var r: [Double] = []
            for q in basis {
                let overlap = dot(q, v)
                r.append(overlap)
                for i in v.indices { v[i] -= overlap * q[i] }
            }
            let left = norm(v)
            guard left > 1e-6 * size else { continue }
            basis.append(v.map { $0 / left })
            triangle.append(r + [left])
            used.append(j)
        }
        guard !basis.isEmpty else { return nil }
        var gamma = basis.map { dot($0, f) }
        for j in stride(from: gamma.count - 1, through: 0, by: -1) {
            for i in j + 1..<max(gamma.count, j + 1) { gamma[j] -= triangle[i][j] * gamma[i] }
            gamma[j] /= triangle[j][j]
        }
        var move = f
        for (slot, j) in used.enumerated() {
            for i in move.indices { move[i] -= gamma[slot] * (dx[j][i] + df[j][i]) }
        }
        return move.allSatisfy(\.isFinite) ? move : nil
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices { sum += a[i] * b[i] }
        return sum
    }

    private func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
}
