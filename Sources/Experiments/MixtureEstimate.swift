import Diagnostics
import Foundation
import Replica
import Torch
import Training

/// The parameters of the noisy Gaussian mixture that a training set looks drawn from.
///
/// Model, in the features' own units and about any centre: y = c + s·a + σz with z ~ N(0, I_N),
/// P(s = +1) = ρ, given label s with probability 1 − θ. Then Δ = σ²/|a|² and α = M/N, the units of
/// target Replica. Own derivation, in three steps.
///
/// 1. Start from moments. With n± samples of each given label,
///    |ȳ₊ − ȳ₋|² − Nσ²(1/n₊ + 1/n₋) is unbiased for 4k²|a|², where k = (1 − 2θ)ρ(1−ρ)/(ρ̃(1−ρ̃)) and
///    ρ̃ = n₊/M; ρ = (ρ̃ − θ)/(1 − 2θ). The second term is what the mean of M noisy samples adds by chance; left out, it would
///    dwarf the signal for N > M. σ² is the trace of the covariance less 4ρ(1−ρ)|a|².
/// 2. Posterior means of a (prior N(0, |a|²/N I)) and of every s (prior from its given label) by
///    approximate message passing: h_μ = y_μ·â − V ŝ_μ with V the total posterior variance of a, and
///    A â = Σ ŝ_μ y_μ − Σ var(s_μ) â with A = Σ ŝ_μ² + N/|a|² (σ = 1). The subtracted terms
///    (Onsager) take out each sample's influence on itself, so that h_μ is what the others say of s_μ.
/// 3. Expectation maximisation around it: |a|² = |â|² + V, θ = the posterior share of wrong labels,
///    ρ = the posterior share of s = +1. Its fixed point maximises the Bethe likelihood, which is exact
///    as N grows: moments of the labels and of the cloud's shape (which needs no label) are both used.
///
/// Centring leaves s − (2ρ − 1) in place of s. Standard errors shrink as 1/√M; θ and Δ are told
/// apart by the cloud's shape, and badly so where α is small and Δ large.
public struct MixtureEstimate: Equatable, Sendable {
    public var mixture: NoisyMixture
    /// |a|, half the distance between the true classes, in units of the features.
    public var halfDistance: Double
    /// σ², the variance of each coordinate within a class.
    public var noiseVariance: Double
    public var iterations: Int
    /// Whether parameters stopped moving; if not, do not trust them.
    public var converged: Bool
    /// Whether θ was given, not estimated.
    public var givenNoise: Bool

    public static let mostIterations = 1000

    /// - Parameters:
    ///   - features: [M, N], float64, finite; the same variance in every direction within a class.
    ///   - labels: given ones, true for s = +1.
    ///   - noiseRate: θ if it is known; 0 to below 0.5.
    /// - Throws: `Problem` where features say nothing of the classes.
    public init(features: Tensor, labels: [Bool], noiseRate: Double? = nil) throws(Problem) {
        if let noiseRate, !(0..<0.5).contains(noiseRate) {
            throw .outOfRange("noise rate", found: "\(noiseRate)", expected: "0 to below 0.5")
        }
        let shape = features.shape
        guard shape.count == 2, shape[0] == labels.count, shape[0] > 20, shape[1] > 1,
            labels.contains(true), labels.contains(false)
        else {
            throw .outOfRange(
                "features", found: "\(shape) with \(labels.count) labels",
                expected: "more than 20 rows of both classes and 2 columns")
        }
        var passing = MessagePassing(features, labels, noiseRate)
        do {
            try Engine.checked { withoutGradient { passing.run(Self.mostIterations) } }
        } catch {
            throw Problem(.internal, "the engine failed: \(error)")
        }
        let delta = 1 / passing.squaredMean
        guard delta.isFinite, delta > 0, passing.noise > 0 else { throw .noSignal() }
        // Past here the classes cannot be told from noise.
        guard delta < 1e4 else { throw .noSignal() }
        mixture = try NoisyMixture(
            sampleRatio: Double(shape[0]) / Double(shape[1]), variance: delta,
            noiseRate: passing.theta, positiveShare: passing.rho)
        noiseVariance = passing.noise
        halfDistance = (passing.noise * passing.squaredMean).squareRoot()
        iterations = passing.iterations
        converged = passing.converged
        givenNoise = noiseRate != nil
    }
}

/// Steps 2 and 3.
private struct MessagePassing {
    let y: Tensor
    let transposed: Tensor
    let labels: [Bool]
    let learnsTheta: Bool
    let m: Int
    let n: Int
    /// Mean variance of a column.
    let total: Double
    /// σ²
    var noise: Double
    /// |a|²/σ²
    var squaredMean: Double
    var theta: Double
    var rho: Double
    var iterations = 0
    var converged = false

    init(_ features: Tensor, _ labels: [Bool], _ given: Double?) {
        (m, n) = (features.shape[0], features.shape[1])
        y = withoutGradient { features - features.mean(0, keep: true) }
        transposed = y.transposed()
        self.labels = labels
        learnsTheta = given == nil
        total = y.squared().sum().item / Double(m - 1) / Double(n)
        noise = max(total, 1e-300)
        theta = max(given ?? 0.25, 1e-9)
        let share = Double(labels.count(where: \.self)) / Double(m)
        rho = min(max((share - theta) / (1 - 2 * theta), 0.02), 0.98)
        squaredMean = 1
    }

    mutating func run(_ most: Int) {
        let count = Double(m)
        let ones = labels.count(where: \.self)
        let share = Double(ones) / count
        let k = 1 - 2 * theta
        // Step 1: the mean of (s̃ − mean)·y.
        let signs = labels.map { ($0 ? 1.0 : -1) - (2 * share - 1) }
        let sum = transposed.matmul(Tensor(signs, [m])).squared().sum().item
        let squares = signs.reduce(0) { $0 + $1 * $1 }
        let moment = (sum - squares * noise * Double(n)) / (squares * squares)
        let fraction = 4 * rho * (1 - rho) / max(4 * share * (1 - share), 1e-9)
        squaredMean = min(
            max(moment / (k * k * fraction * fraction * noise), 1e-3), 1e3)
        var means = signs.map { k * $0 }
        var variances = signs.map { _ in 4 * rho * (1 - rho) * (1 - k * k) }
        var centre = Tensor.zeros([n], dtype: .float64)
        var quiet = 0
        while iterations < most, !Engine.failed {
            iterations += 1
            let scale = noise.squareRoot()
            let precision = means.reduce(0) { $0 + $1 * $1 } + Double(n) / squaredMean
            let field = transposed.matmul(Tensor(means, [m])) * (1 / scale)
            centre = (field - centre * variances.reduce(0, +)) * (1 / precision)
            let spread = Double(n) / precision
            let norm = centre.squared().sum().item
            let fields = (y.matmul(centre) * (1 / scale)).doubles()
            let offset = 2 * rho - 1
            let (plus, minus) = (1 - offset, -1 - offset)
            var (wrong, positive) = (0.0, 0.0)
            for i in 0..<m {
                let h = fields[i] - spread * means[i]
                let a = rho * (labels[i] ? 1 - theta : theta)
                let b = (1 - rho) * (labels[i] ? theta : 1 - theta)
                let odds =
                    log(b / a) + h * (minus - plus) - norm * (minus * minus - plus * plus) / 2
                let p = 1 / (1 + exp(odds))
                // Held back a little: the plain iteration can oscillate on real data.
                means[i] += 0.7 * (p * plus + (1 - p) * minus - means[i])
                variances[i] += 0.7 * (4 * p * (1 - p) - variances[i])
                wrong += labels[i] ? 1 - p : p
                positive += p
            }
            let before = (squaredMean, theta, rho)
            // The messages first have to forget where they started.
            guard iterations > 5 else { continue }
            squaredMean = min(max(norm + spread, 1e-6), 1e6)
            rho = min(max(positive / count, 1e-3), 1 - 1e-3)
            if learnsTheta { theta = min(max(wrong / count, 1e-4), 0.4999) }
            let spike = 4 * rho * (1 - rho) * squaredMean / Double(n)
            noise = total / (1 + spike)
            let change = max(
                abs(before.0 / squaredMean - 1), abs(before.1 / theta - 1),
                abs(before.2 / rho - 1))
            quiet = change < 1e-7 ? quiet + 1 : 0
            if quiet == 3 {
                converged = true
                return
            }
        }
    }
}
