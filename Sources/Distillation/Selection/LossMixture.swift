import Diagnostics
import Foundation

/// Which losses are those of right labels: a mixture of two normal distributions, after Li, Socher, Hoi,
/// "DivideMix: Learning with Noisy Labels as Semi-supervised Learning", 2020, arXiv 2002.07394.
///
///     x_i = (ℓ_i − min ℓ) / (max ℓ − min ℓ)
///     p(right | ℓ_i) = π_1 N(x_i; μ_1, σ²_1) / Σ_k π_k N(x_i; μ_k, σ²_k),   μ_1 ≤ μ_2
///
/// A network fits right labels first, so that the losses have two humps, and the left one is that of right
/// labels. Fitted by expectation–maximisation: 5e-4 is added to each variance after every M step, and it ends
/// after ten iterations or when the mean log-likelihood moves by less than .01, as in the authors' code.
/// Deviation: the start is deterministic. Each x belongs to the nearer of 0 and 1, then comes an M step.
///
/// Where the left component is wide, a very small or a very large loss can look unlikely under the narrow
/// right one and so get the wrong probability; `monotone` forbids that. With it p is 1 left of μ_1, and right of
/// the point at which it is least what it is there; in between it falls anyway.
public struct LossMixture: Equatable, Sendable {
    /// Why a mixture tells nothing.
    public enum Fault: String, Equatable, Sendable {
        case tooFew = "there are fewer than two losses"
        case equal = "all losses are equal"
        case oneComponent = "the losses have one hump"
    }

    /// π, μ and σ² of the scaled losses; the component of the smaller mean first. Zeros where there was
    /// nothing to fit.
    public private(set) var weights = [0.0, 0.0]
    public private(set) var means = [0.0, 0.0]
    public private(set) var variances = [0.0, 0.0]
    /// Mean over the losses, in nats, before the last M step.
    public private(set) var logLikelihood = 0.0
    public private(set) var iterations = 0
    /// p(right | ℓ_i) for each loss; 1 throughout where there is a fault.
    public private(set) var clean: [Double]
    /// Nil where there are two components.
    public private(set) var fault: Fault?

    private static let regularisation = 5e-4
    private static let mostIterations = 10
    private static let tolerance = 1e-2
    /// A component with less weight than this is none.
    private static let leastWeight = 1e-3

    /// - Throws: for a loss that is not finite.
    public init(_ losses: [Double], monotone: Bool = true) throws(Problem) {
        if let bad = losses.firstIndex(where: { !$0.isFinite }) {
            throw .lossNotFinite(losses[bad], index: bad)
        }
        clean = Array(repeating: 1, count: losses.count)
        guard losses.count > 1, let low = losses.min(), let high = losses.max() else {
            fault = .tooFew
            return
        }
        // Halved first: the difference of two finite numbers may not be finite.
        let range = high / 2 - low / 2
        guard range > 0 else {
            fault = .equal
            return
        }
        let x = losses.map { ($0 / 2 - low / 2) / range }
        fit(x)
        guard weights.min()! >= Self.leastWeight else {
            fault = .oneComponent
            return
        }
        let shares = expectation(x).shares
        clean = monotone ? zip(x, shares).map(fallen) : shares
    }

    private mutating func fit(_ x: [Double]) {
        maximise(x, x.map { $0 <= 0.5 ? 1 : 0 })
        var last = -Double.infinity
        while iterations < Self.mostIterations {
            iterations += 1
            let (shares, mean) = expectation(x)
            maximise(x, shares)
            logLikelihood = mean
            if abs(mean - last) < Self.tolerance { break }
            last = mean
        }
        guard means[0] > means[1] else { return }
        weights.reverse()
        means.reverse()
        variances.reverse()
    }

    /// The share of the first component in each number, and the mean log-likelihood.
    private func expectation(_ x: [Double]) -> (shares: [Double], mean: Double) {
        let constants = (0..<2).map { log(weights[$0]) - 0.5 * log(2 * .pi * variances[$0]) }
        var total = 0.0
        let shares = x.map { x in
            func density(_ k: Int) -> Double {
                constants[k] - (x - means[k]) * (x - means[k]) / (2 * variances[k])
            }
            let (a, b) = (density(0), density(1))
            let top = max(a, b)
            let sum = exp(a - top) + exp(b - top)
            total += top + log(sum)
            return exp(a - top) / sum
        }
        return (shares, total / Double(x.count))
    }

    /// - Parameter shares: of the first component.
    private mutating func maximise(_ x: [Double], _ shares: [Double]) {
        var masses = [0.0, 0.0]
        for k in 0..<2 {
            func share(_ i: Int) -> Double { k == 0 ? shares[i] : 1 - shares[i] }
            // Kept off 0, so that a component that nothing belongs to has a mean.
            let mass = x.indices.reduce(0) { $0 + share($1) } + 10 * Double.ulpOfOne
            let mean = x.indices.reduce(0) { $0 + share($1) * x[$1] } / mass
            let square = x.indices.reduce(0) {
                $0 + share($1) * (x[$1] - mean) * (x[$1] - mean)
            }
            (masses[k], means[k]) = (mass, mean)
            variances[k] = square / mass + Self.regularisation
        }
        weights = masses.map { $0 / (masses[0] + masses[1]) }
    }

    private func fallen(_ x: Double, _ share: Double) -> Double {
        if x < means[0] { return 1 }
        // The log of the ratio of the components is a parabola, which has its least value here.
        let precisions = variances.map { 1 / $0 }
        guard precisions[1] > precisions[0] else { return share }
        let least =
            (means[1] * precisions[1] - means[0] * precisions[0])
            / (precisions[1] - precisions[0])
        return x > least ? expectation([least]).shares[0] : share
    }
}
