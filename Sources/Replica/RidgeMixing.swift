import Diagnostics

/// Ridge regression on its own predictions at its own λ: the student of the labels
/// (1 − ξ)y + ξŷ, where ŷ are the teacher's predictions on the training inputs.
///
/// With the teacher's weights w_λ the student's are exactly w_λ + ξ λ dw_λ/dλ, so any quadratic test
/// risk is a parabola in ξ with its minimum at ξ* = −R'(λ)/(λ w'ᵀ∇²R w'), w' = dw/dλ, strictly
/// below the teacher's risk unless R'(λ) = 0 (stated also by Dang, Patil and Rinaldo 2026). Here for
/// the noisy mixture, where a second stage of the squared loss with β = 1 is the student of ξ = 1,
/// and the weights are linear in ξ.
public struct RidgeMixing: Equatable, Sendable {
    public let mixture: NoisyMixture
    /// The two stages, ξ = 0 and ξ = 1.
    public let solution: Solution

    /// - Parameters:
    ///   - lambda: of our convention, Σ ¼(u − s̃)² + (λ/2)|w|²; textbook ridge has λ' = 2λ.
    public init(_ mixture: NoisyMixture, lambda: Double, bias: BiasRule = .learnt) throws(Problem) {
        self.mixture = mixture
        solution = try StateEvolution(mixture).solve(
            Schedule(lambdas: [lambda, lambda], betas: [1], loss: .squared, bias: bias))
        try solution.check()
    }

    /// m, Q and b of the student of ξ.
    public func student(_ xi: Double) -> (m: Double, q: Double, bias: Double) {
        let (p, a) = (solution.parameters, 1 - xi)
        return (
            a * p.m[0] + xi * p.m[1],
            a * a * p.q[0][0] + 2 * a * xi * p.q[0][1] + xi * xi * p.q[1][1],
            a * p.bias[0] + xi * p.bias[1]
        )
    }

    /// E[(u − s)²] of the student of ξ on clean test samples.
    public func risk(_ xi: Double) -> Double {
        let (m, q, b) = student(xi)
        return (m - 1) * (m - 1) + b * b
            + 2 * (m - 1) * b * (2 * mixture.positiveShare - 1) + mixture.variance * q
    }

    /// Classification error of the student of ξ.
    public func error(_ xi: Double) -> Double {
        let (m, q, b) = student(xi)
        return mixture.error(overlap: m, norm: q, bias: b)
    }

    /// ξ*, where `risk` is least: often outside 0...1.
    public var best: Double {
        // A parabola through three of its points.
        let (low, middle, high) = (risk(-1), risk(0), risk(1))
        let bend = high + low - 2 * middle
        return bend > 0 ? (low - high) / (2 * bend) : 0
    }
}
