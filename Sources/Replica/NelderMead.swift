import Foundation

/// The downhill simplex method of Nelder and Mead (1965) in a box, with restarts.
///
/// Points outside the box are moved onto it. That can flatten the simplex against a wall too early, so
/// a new simplex is opened at the best point until that no longer helps.
struct NelderMead {
    var bounds: [ClosedRange<Double>]
    /// Edge of a new simplex.
    var edge = 0.7
    /// Ends when the values at the corners differ by less, and so do the corners by `precision`.
    var tolerance = 1e-9
    var precision = 1e-3
    var mostEvaluations = 600

    struct Outcome: Sendable {
        var x: [Double]
        var value: Double
        var evaluations: Int
    }

    func minimise(from start: [Double], _ f: ([Double]) -> Double) -> Outcome {
        var best = Outcome(x: boxed(start), value: .infinity, evaluations: 0)
        var edge = edge
        while best.evaluations < mostEvaluations {
            let found = descend(
                best.x, edge: edge, most: mostEvaluations - best.evaluations, f)
            let gain = best.value - found.value
            best.evaluations += found.evaluations
            if found.value < best.value { (best.x, best.value) = (found.x, found.value) }
            if !(gain > 1e-7) { break }
            edge *= 0.6
        }
        return best
    }

    private func boxed(_ x: [Double]) -> [Double] {
        zip(x, bounds).map { min(max($0, $1.lowerBound), $1.upperBound) }
    }

    private func descend(
        _ start: [Double], edge: Double, most: Int, _ f: ([Double]) -> Double
    ) -> Outcome {
        let n = start.count
        var evaluations = 0
        func value(_ x: [Double]) -> Double {
            evaluations += 1
            let y = f(x)
            return y.isNaN ? .infinity : y
        }
        var corners = [(x: start, y: value(start))]
        for i in 0..<n {
            var x = start
            // Away from the nearer wall.
            x[i] += x[i] + edge <= bounds[i].upperBound ? edge : -edge
            x = boxed(x)
            corners.append((x, value(x)))
        }
        while evaluations < most {
            corners.sort { $0.y < $1.y }
            let (low, high) = (corners[0], corners[n])
            let size = corners.dropFirst().flatMap { c in zip(c.x, low.x).map { abs($0 - $1) } }
            if high.y - low.y < tolerance, (size.max() ?? 0) < precision || high.y == low.y {
                break
            }
            if (size.max() ?? 0) < 1e-7 { break }
            let centre = (0..<n).map { i in
                corners[..<n].reduce(0) { $0 + $1.x[i] } / Double(n)
            }
            func along(_ t: Double) -> (x: [Double], y: Double) {
                let x = boxed((0..<n).map { centre[$0] + t * (high.x[$0] - centre[$0]) })
                return (x, value(x))
            }
            let reflected = along(-1)
            if reflected.y < low.y {
                let further = along(-2)
                corners[n] = further.y < reflected.y ? further : reflected
            } else if reflected.y < corners[n - 1].y {
                corners[n] = reflected
            } else {
                let nearer = along(reflected.y < high.y ? -0.5 : 0.5)
                if nearer.y < min(reflected.y, high.y) {
                    corners[n] = nearer
                } else {
                    for j in 1...n {
                        let x = zip(corners[j].x, low.x).map { 0.5 * ($0 + $1) }
                        corners[j] = (x, value(x))
                    }
                }
            }
        }
        let best = corners.min { $0.y < $1.y } ?? corners[0]
        return Outcome(x: best.x, value: best.y, evaluations: evaluations)
    }
}
