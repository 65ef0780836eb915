import Foundation
import Testing

@testable import Replica

@Suite struct LevelTests {
    /// α, θ, Bayes, noiseless; Δ = ½, ρ = ½.
    static let levels: [(Double, Double, Double, Double)] = [
        (0.3, 0.1, 0.21704, 0.19324), (1, 0.1, 0.13272, 0.12411), (3, 0.1, 0.09782, 0.09522),
        (10, 0.1, 0.08450, 0.08377), (0.3, 0.2, 0.24192, 0.19324), (1, 0.2, 0.13945, 0.12411),
        (3, 0.2, 0.09950, 0.09522), (10, 0.2, 0.08492, 0.08377), (0.3, 0.3, 0.27263, 0.19324),
        (1, 0.3, 0.14522, 0.12411), (3, 0.3, 0.10072, 0.09522), (10, 0.3, 0.08522, 0.08377),
        (0.3, 0.4, 0.31426, 0.19324), (1, 0.4, 0.14937, 0.12411), (3, 0.4, 0.10148, 0.09522),
        (10, 0.4, 0.08540, 0.08377), (0.1, 0.3, 0.38678, 0.28185),
    ]

    @Test(arguments: levels)
    func bayesAndNoiseless(_ alpha: Double, _ theta: Double, _ bayes: Double, _ clean: Double)
        throws
    {
        let mixture = try NoisyMixture(sampleRatio: alpha, variance: 0.5, noiseRate: theta)
        #expect(abs(mixture.bayesError - bayes) < 6e-6)
        #expect(abs(mixture.noiselessError - clean) < 6e-6)
        // Its closed form for balanced classes.
        let closed = Gaussian.tail(1 / (0.5 * (1 + 0.5 / alpha)).squareRoot())
        #expect(abs(mixture.noiselessError - closed) < 1e-14)
    }

    /// Four imbalanced mixtures, and one balanced to eight digits.
    @Test(arguments: [
        (0.4, 0.3, 1.0, 0.13989, 6e-6), (0.4, 0.3, 3, 0.09774, 6e-6), (0.4, 0.4, 3, 0.09844, 6e-6),
        (0.3, 0.3, 3, 0.08860, 6e-6), (0.2, 0.2, 3, 0.07200, 6e-6), (0.3, 0.2, 3, 0.08774, 6e-6),
    ])
    func bayesUnderImbalance(
        _ rho: Double, _ theta: Double, _ alpha: Double, _ bayes: Double, _ tolerance: Double
    ) throws {
        let mixture = try NoisyMixture(
            sampleRatio: alpha, variance: 0.5, noiseRate: theta, positiveShare: rho)
        #expect(abs(mixture.bayesError - bayes) < tolerance)
        // The classes' names do not matter.
        let mirrored = try NoisyMixture(
            sampleRatio: alpha, variance: 0.5, noiseRate: theta, positiveShare: 1 - rho)
        #expect(abs(mixture.bayesError - mirrored.bayesError) < 1e-12)
    }

    @Test func noiselessIsBayesWithoutNoise() throws {
        for rho in [0.5, 0.2] {
            let clean = try NoisyMixture(
                sampleRatio: 2, variance: 0.7, noiseRate: 0, positiveShare: rho)
            #expect(abs(clean.bayesError - clean.noiselessError) < 1e-12)
        }
        let endless = try NoisyMixture(sampleRatio: 1e6, variance: 0.5, noiseRate: 0.3)
        #expect(abs(endless.bayesError - 0.0786496) < 1e-6)
        #expect(abs(endless.asymptoticError - 0.0786496) < 1e-7)
    }

    @Test func averagingLimit() {
        let hard = AveragingLimit(sampleRatio: 3, variance: 0.5, noiseRate: 0.3)
        #expect(abs(hard.firstError - 0.161150) < 1e-6)
        #expect(abs(hard.secondError - 0.110746) < 1e-6)
        #expect(abs(hard.labelAccuracy - 0.859138) < 1e-6)
        let soft = AveragingLimit(sampleRatio: 3, variance: 0.5, noiseRate: 0.3, kappa: 0.5)
        #expect(abs(soft.secondError - 0.110588) < 1e-6)
        #expect(soft.firstError == hard.firstError && soft.labelAccuracy == hard.labelAccuracy)
        let steep = AveragingLimit(sampleRatio: 3, variance: 0.5, noiseRate: 0.3, kappa: 3000)
        #expect(abs(steep.secondError - hard.secondError) < 3e-6)
    }

    /// The solver at huge λ against the closed form; β = 4κλ keeps κ.
    @Test(arguments: [
        (3.0, 0.5, 0.3, Double.infinity), (3, 0.5, 0.3, 0.5), (1, 0.5, 0.2, 2),
        (0.5, 1.5, 0.4, .infinity),
    ])
    func solverMeetsTheLimit(_ alpha: Double, _ delta: Double, _ theta: Double, _ kappa: Double)
        throws
    {
        let limit = AveragingLimit(
            sampleRatio: alpha, variance: delta, noiseRate: theta, kappa: kappa)
        for lambda in [1e6, 1e12] {
            let found = try VectorTests.solve(
                alpha, delta, theta, [lambda, lambda], [4 * kappa * lambda])
            #expect(found.converged)
            #expect(abs(found.stages[0].error - limit.firstError) < 1e-6)
            #expect(abs(found.stages[1].error - limit.secondError) < 1e-6)
            #expect(abs(found.stages[0].labelAccuracy - limit.labelAccuracy) < 1e-6)
        }
        let mixture = try NoisyMixture(sampleRatio: alpha, variance: delta, noiseRate: theta)
        #expect(abs(mixture.averagingError - limit.firstError) < 1e-14)
    }

    /// κ → 0 is the limit of the squared loss.
    @Test func softestLabelsAreLinear() throws {
        let limit = AveragingLimit(sampleRatio: 2, variance: 0.5, noiseRate: 0.3, kappa: 1e-5)
        let squared = try VectorTests.solve(2, 0.5, 0.3, [1e7, 1e7], loss: .squared)
        #expect(abs(limit.secondError - squared.error) < 1e-6)
    }

    /// Finite differences of the teacher in λ give the student of ξ = 1, and the minimum of the risk.
    @Test(arguments: [0.5, 0.3])
    func ridgeIdentity(_ rho: Double) throws {
        let mixture = try NoisyMixture(
            sampleRatio: 2, variance: 0.5, noiseRate: 0.2, positiveShare: rho)
        let lambda = 0.3
        let mixing = try RidgeMixing(mixture, lambda: lambda)
        func teacher(_ lambda: Double) throws -> (m: Double, b: Double, risk: Double) {
            let other = try RidgeMixing(mixture, lambda: lambda)
            return (other.student(0).m, other.student(0).bias, other.risk(0))
        }
        let h = 1e-4
        let (up, down) = (try teacher(lambda + h), try teacher(lambda - h))
        let (one, zero) = (mixing.student(1), mixing.student(0))
        #expect(abs(one.m - zero.m - lambda * (up.m - down.m) / (2 * h)) < 1e-7)
        #expect(abs(one.bias - zero.bias - lambda * (up.b - down.b) / (2 * h)) < 1e-7)
        // dR/dξ at ξ = 0 is λ R'(λ).
        let slope = (mixing.risk(1e-4) - mixing.risk(-1e-4)) / 2e-4
        #expect(abs(slope - lambda * (up.risk - down.risk) / (2 * h)) < 1e-6)
        let best = mixing.best
        #expect(mixing.risk(best) < mixing.risk(0))
        #expect(mixing.risk(best) <= min(mixing.risk(best + 1e-3), mixing.risk(best - 1e-3)))
    }
}
