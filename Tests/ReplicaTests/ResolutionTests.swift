import Foundation
import Randomness
import Testing

@testable import Replica

@Suite struct ResolutionTests {
    /// Two stages over a wide range of settings: the standard rules against rules three times as fine.
    @Test func finerRulesChangeNothing() throws {
        var draw = Draw(seed: 11, .tests)
        var largest = 0.0
        for _ in 0..<(SearchTests.isSlow ? 300 : 12) {
            func between(_ a: Double, _ b: Double) -> Double { a * pow(b / a, draw.uniform()) }
            let mixture = try NoisyMixture(
                sampleRatio: between(0.2, 20), variance: between(0.1, 2),
                noiseRate: 0.45 * draw.uniform(), positiveShare: 0.2 + 0.6 * draw.uniform())
            let hard = draw.uniform() < 0.5
            let schedule = try Schedule(
                lambdas: [between(0.02, 1e4), between(0.02, 1e4)],
                betas: [hard ? .infinity : between(0.1, 1e4)],
                bias: draw.uniform() < 0.5 ? .carried : .fixed(0))
            let plain = try StateEvolution(mixture).solve(schedule)
            let fine = try StateEvolution(mixture, resolution: Resolution(factor: 3)).solve(
                schedule)
            for (a, b) in zip(plain.stages, fine.stages) {
                let miss = max(abs(a.error - b.error), abs(a.labelAccuracy - b.labelAccuracy))
                largest = max(largest, miss)
                #expect(a.converged && b.converged)
                #expect(miss < 1e-6, "\(mixture) \(schedule): \(a) \(b)")
            }
        }
        print("largest difference of an error: \(largest)")
    }
}
