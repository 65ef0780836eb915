import Foundation
import Replica
import TestSupport
import Testing
import Torch

/// The Bayes-optimal level against approximate message passing on finite systems, which reaches it: a
/// check of the formula by an algorithm that does not know it. Slow: LIMBECK_SLOW=1.
@Suite(.takesTurns, .enabled(if: ProcessInfo.processInfo.environment["LIMBECK_SLOW"] == "1"))
struct MessagePassingTests {
    /// One run: v̂ and the posterior means ŝ of the classes are updated in turn, each with its Onsager
    /// correction.
    private func error(_ mixture: NoisyMixture, dimensions n: Int, seed: Int) -> Double {
        let (delta, rho, theta) = (mixture.variance, mixture.positiveShare, mixture.noiseRate)
        let m = Int(mixture.sampleRatio * Double(n))
        let root = Double(n).squareRoot()
        let generator = Generator(seed: UInt64(seed))
        var v = Tensor.empty([n], dtype: .float64)
        v.fillNormal(generator)
        v = v * (root / v.norm().item)
        func signs(_ probability: Double) -> Tensor {
            let drawn = Tensor.empty([m], dtype: .float64)
            drawn.fillUniform(0, 1, generator)
            return drawn.less(probability).to(.float64) * 2 - 1
        }
        let s = signs(rho)
        let x = Tensor.empty([m, n], dtype: .float64)
        x.fillNormal(generator)
        let inputs = s.unsqueezed(1) * v.unsqueezed(0) / root + x * delta.squareRoot()
        let given = s * -signs(theta)
        let prior = given * (0.5 * log((1 - theta) / theta)) + 0.5 * log(rho / (1 - rho))
        var classes = prior.tanh()
        var classVariance = 1 - classes.squared()
        var estimate = Tensor.zeros([n], dtype: .float64)
        let transposed = inputs.transposed().contiguous()
        for _ in 0..<80 {
            let onsager = classVariance.sum().item / (Double(n) * delta)
            let field = transposed.matmul(classes) / (delta * root) - estimate * onsager
            let precision = 1 + classes.squared().sum().item / (Double(n) * delta)
            estimate = field / precision
            let local =
                inputs.matmul(estimate) / (delta * root) - classes * (1 / (precision * delta))
            classes = (prior + local).tanh()
            classVariance = 1 - classes.squared()
        }
        let overlap = (estimate * v).sum().item / Double(n)
        let norm = estimate.squared().sum().item / Double(n)
        return mixture.error(
            overlap: overlap, norm: norm, bias: delta / 2 * log(rho / (1 - rho)))
    }

    @Test(arguments: [(3.0, 0.3, 0.5), (1, 0.2, 0.5), (3, 0.2, 0.3)])
    func reachesTheBayesLevel(_ alpha: Double, _ theta: Double, _ rho: Double) throws {
        let mixture = try NoisyMixture(
            sampleRatio: alpha, variance: 0.5, noiseRate: theta, positiveShare: rho)
        let errors = (0..<12).map { error(mixture, dimensions: alpha < 2 ? 4000 : 1500, seed: $0) }
        let mean = errors.reduce(0, +) / 12
        let spread = (errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 11 / 12).squareRoot()
        #expect(abs(mean - mixture.bayesError) < 4 * spread + 2e-4)
        #expect(spread < 1.2e-3)
    }
}
