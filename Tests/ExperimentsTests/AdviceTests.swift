import Diagnostics
import Distillation
import Files
import Foundation
import Randomness
import Replica
import TestSupport
import Testing
import Torch

@testable import Experiments

/// The estimate behind advice, and what it refuses. Whole pieces of advice take minutes in a debug
/// build: `acceptance/theory --only recovery` judges them on the release build.
@Suite(.takesTurns) struct AdviceTests {
    /// A draw from the model with hidden parameters.
    private func draw(
        _ alpha: Double, _ delta: Double, _ theta: Double, _ rho: Double, samples: Int,
        seed: UInt64
    ) throws -> (features: Tensor, given: [Bool]) {
        let mixture = try NoisyMixture(
            sampleRatio: alpha, variance: delta, noiseRate: theta, positiveShare: rho)
        let sample = try FiniteSimulation(
            mixture, dimensions: Int((Double(samples) / alpha).rounded()), trials: 1, seed: seed
        ).sample(0)
        // About another centre and in another unit, which nothing may depend on.
        return (sample.features * 7 + 2, sample.labels.map { $0 > 0.5 })
    }

    private func expectNear(
        _ found: NoisyMixture, _ alpha: Double, _ delta: Double, _ theta: Double, _ rho: Double
    ) {
        #expect(abs(found.sampleRatio / alpha - 1) < 0.01)
        #expect(abs(found.variance / delta - 1) < 0.1, "Δ \(found.variance), \(delta)")
        #expect(abs(found.noiseRate / theta - 1) < 0.1, "θ \(found.noiseRate), \(theta)")
        #expect(abs(found.positiveShare / rho - 1) < 0.1, "ρ \(found.positiveShare), \(rho)")
    }

    /// Chance alone sent the search for a schedule on its way for minutes.
    @Test(arguments: [(60, 2), (60, 3), (100, 5), (200, 20), (400, 50), (400, 2)])
    func chanceTellsNothingApart(m: Int, n: Int) throws {
        var refused = 0
        for seed in 0..<20 {
            var draw = Draw(seed: UInt64(seed), .tests)
            let values = (0..<m * n).map { _ in draw.normal() }
            let given = (0..<m).map { _ in draw.next() & 1 == 0 }
            let features = Tensor(values, [m, n])
            if !Advice.tellsApart(features, given, whitened: false) { refused += 1 }
            let map = try Whitening(features: features, labels: given).map()
            if !Advice.tellsApart(map(features), given, whitened: true) { refused += 1 }
            // A difference of one standard deviation in one column is told.
            let apart = values.enumerated().map { i, value in
                i % n == 0 ? value + (given[i / n] ? 2.5 : 0) : value
            }
            #expect(Advice.tellsApart(Tensor(apart, [m, n]), given, whitened: false))
        }
        // 99 of 100 by design.
        #expect(refused >= 36, "\(refused) of 40")
        #expect(
            failure {
                var draw = Draw(seed: 0, .tests)
                _ = try Advice(
                    features: Tensor((0..<m * n).map { _ in draw.normal() }, [m, n]),
                    given: (0..<m).map { $0 % 2 == 0 }, clean: nil)
            }
                == "the features do not tell the classes apart (other features, more samples or a "
                + "noise rate that is known)")
    }

    @Test(arguments: [(2, 0.5, 0.3, 0.5), (3, 0.5, 0.4, 0.5), (3, 0.5, 0.3, 0.4), (5, 1, 0.3, 0.3)])
    func recoversHiddenParameters(alpha: Double, delta: Double, theta: Double, rho: Double) throws {
        let own = try draw(alpha, delta, theta, rho, samples: 2000, seed: 11)
        for given in [nil, theta] {
            let found = try MixtureEstimate(
                features: own.features, labels: own.given, noiseRate: given)
            #expect(found.converged)
            #expect(found.givenNoise == (given != nil))
            expectNear(found.mixture, alpha, delta, theta, rho)
            // |a| = 7/√N and σ² = 49Δ/N in these units.
            let n = Double(own.features.shape[1])
            #expect(abs(found.noiseVariance * n / 49 / delta - 1) < 0.02)
            #expect(abs(found.halfDistance * n.squareRoot() / 7 - 1) < 0.05)
        }
    }

    /// Exchanging the classes exchanges ρ and 1 − ρ and leaves everything else.
    @Test func exchangingClasses() throws {
        let own = try draw(3, 0.5, 0.2, 0.3, samples: 900, seed: 3)
        let a = try MixtureEstimate(features: own.features, labels: own.given)
        let b = try MixtureEstimate(features: own.features, labels: own.given.map { !$0 })
        #expect(abs(a.mixture.positiveShare + b.mixture.positiveShare - 1) < 1e-5)
        #expect(abs(a.mixture.variance - b.mixture.variance) < 1e-5)
        #expect(abs(a.mixture.noiseRate - b.mixture.noiseRate) < 1e-5)
    }

    /// Columns of variances 1, 4, 9 and 16, turned by Householder's reflection.
    @Test func whitening() throws {
        var draw = Draw(seed: 8, .tests)
        let (m, n) = (4000, 4)
        var values: [Double] = []
        for _ in 0..<m {
            let z = (0..<n).map { Double($0 + 1) * draw.normal() }
            let shift = z.reduce(0, +) * 2 / Double(n)
            values += z.map { $0 - shift }
        }
        let labels = (0..<m).map { $0 % 2 == 0 }
        let x = Tensor(values, [m, n])
        let whitening = try Whitening(features: x, labels: labels)
        // Eigenvalues 1, 4, 9, 16: mean 7.5, mean square 88.5.
        #expect(abs(whitening.anisotropy - (88.5 / 56.25 - 1)) < 0.05)
        #expect(whitening.shrinkage < 0.02)
        let again = try Whitening(features: whitening.map()(x), labels: labels)
        #expect(abs(again.anisotropy) < 0.01)
    }

    @Test func refusals() throws {
        let x = Tensor((0..<200).map { Double($0 % 7) }, [50, 4])
        let labels = (0..<50).map { $0 % 2 == 0 }
        #expect(
            failure { try MixtureEstimate(features: x, labels: labels, noiseRate: 0.5) }
                == "noise rate: value out of range: found 0.5, expected 0 to below 0.5")
        #expect(
            failure { try MixtureEstimate(features: x, labels: Array(repeating: true, count: 50)) }
                == "features: value out of range: found [50, 4] with 50 labels, expected more than 20 rows "
                + "of both classes and 2 columns")
    }
}
