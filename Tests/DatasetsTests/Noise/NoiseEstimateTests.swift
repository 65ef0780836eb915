import Foundation
import Randomness
import Testing

@testable import Datasets

@Suite struct NoiseEstimateTests {
    /// Samples whose true class is drawn from known probabilities q, softmax of `sureness` times a normal
    /// number for each class. Their labels follow `transition`, and the networks say what is right for
    /// such labels, q T, but for normal errors in the logarithms.
    static func simulated(
        _ transition: [[Double]], samples: Int, sureness: Double = 8, error: Double = 0.4,
        seed: UInt64
    ) throws -> (data: OutOfSample, rate: Double, realised: [[Double]]) {
        let c = transition.count
        var draw = Draw(seed: seed, .tests)
        var rows: [Double] = []
        var labels: [Int] = []
        var counts = [[Double]](repeating: [Double](repeating: 0, count: c), count: c)
        for _ in 0..<samples {
            let z = (0..<c).map { _ in exp(sureness * draw.normal()) }
            let q = z.map { $0 / z.reduce(0, +) }
            let truth = draw.index(weights: q)
            let given = draw.index(weights: transition[truth])
            labels.append(given)
            counts[truth][given] += 1
            for b in 0..<c {
                let p = (0..<c).reduce(0) { $0 + q[$1] * transition[$1][b] }
                rows.append(log(max(p, 1e-12)) + error * draw.normal())
            }
        }
        let right = (0..<c).reduce(0) { $0 + counts[$1][$1] }
        return (
            try OutOfSample(logProbabilities: rows, labels: labels, classes: c),
            1 - right / Double(samples),
            counts.map { row in row.map { $0 / row.reduce(0, +) } }
        )
    }

    static func symmetric(_ rate: Double, _ c: Int) -> [[Double]] {
        (0..<c).map { a in (0..<c).map { $0 == a ? 1 - rate : rate / Double(c - 1) } }
    }

    private func difference(_ a: [[Double]], _ b: [[Double]]) -> (mean: Double, largest: Double) {
        let all = zip(a, b).flatMap { zip($0, $1).map { abs($0 - $1) } }
        return (all.reduce(0, +) / Double(all.count), all.max()!)
    }

    @Test(arguments: [(0.2, 4), (0.5, 4), (0.3, 2), (0.5, 8)])
    func findsSymmetricNoise(rate: Double, classes: Int) throws {
        let transition = Self.symmetric(rate, classes)
        for error in [0.3, 0.5] {
            let known = try Self.simulated(
                transition, samples: 2000, error: error, seed: UInt64(classes))
            let found = NoiseEstimate(known.data)
            #expect(abs(found.rate - known.rate) < 0.05, "\(found.rate), not \(known.rate)")
            let gap = difference(found.transition, known.realised)
            #expect(gap.largest < 0.1 && gap.mean < 0.03, "\(gap)")
            #expect(try #require(found.rateError) < 0.06)
            #expect(abs(found.joint.joined().reduce(0, +) - 1) < 1e-9)
            for row in found.transition { #expect(abs(row.reduce(0, +) - 1) < 1e-9) }
        }
    }

    /// Networks whose probabilities are exactly right for the given labels: T is free to be the identity,
    /// and only the surest samples tell that it is not.
    @Test func exactProbabilitiesHideTheNoise() throws {
        let known = try Self.simulated(
            Self.symmetric(0.5, 4), samples: 2000, error: 0, seed: 6)
        let found = NoiseEstimate(known.data)
        #expect(found.classConditionalRate < known.rate - 0.05)
        #expect(abs(found.rate - known.rate) < 0.05, "\(found.rate), not \(known.rate)")
    }

    /// Four fifths of what the fit says, held to two standard errors around the surest samples, and one fifth of
    /// the confident joint.
    @Test(arguments: [0.0, 0.5]) func isMadeOfThreeRates(error: Double) throws {
        let data = try Self.simulated(
            Self.symmetric(0.4, 4), samples: 600, sureness: 6, error: error, seed: 12
        ).data
        let found = NoiseEstimate(data)
        let surest = SurestSamples(data, share: 0.2)
        let slack = 2 * surest.rateError
        let held = min(
            max(found.classConditionalRate, surest.rate - slack), surest.rate + slack)
        #expect(abs(found.rate - (0.8 * held + 0.2 * found.confidentRate)) < 1e-9)
    }

    /// Of four samples of class 0 the surer two count (share .5), of one of class 1 that one.
    @Test func surestByHand() throws {
        let p = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.3, 0.7]]
        let surest = SurestSamples(
            try OutOfSample(
                logProbabilities: p.joined().map { log($0) }, labels: [0, 1, 1, 1, 1], classes: 2),
            share: 0.5)
        #expect(abs(surest.joint[0][0] - 0.4) < 1e-12 && abs(surest.joint[0][1] - 0.4) < 1e-12)
        #expect(surest.joint[1] == [0, 0.2])
        #expect(abs(surest.rate - 0.4) < 1e-12)
        // Weight .8, share kept .5 of two samples.
        #expect(abs(surest.rateError - (0.64 * 0.25 / 2).squareRoot()) < 1e-12)
    }

    /// Two rows with one wrong class each, the others clean: the free entries are found.
    @Test func findsAsymmetricNoise() throws {
        var transition = Self.symmetric(0, 5)
        transition[0] = [0.6, 0.4, 0, 0, 0]
        transition[3] = [0, 0, 0, 0.7, 0.3]
        let known = try Self.simulated(
            transition, samples: 2000, sureness: 20, error: 0.6, seed: 3)
        let found = NoiseEstimate(known.data)
        #expect(abs(found.rate - known.rate) < 0.04, "\(found.rate), not \(known.rate)")
        #expect(difference(found.transition, known.realised).largest < 0.1)
        #expect((2...4).contains(found.freeEntries))
        #expect(found.transition[0][1] > 0.3 && found.transition[3][4] > 0.15)
    }

    /// The networks are wrong about many samples, no label is.
    @Test func doesNotTakeDoubtForNoise() throws {
        let known = try Self.simulated(Self.symmetric(0, 4), samples: 1000, sureness: 4, seed: 5)
        let found = NoiseEstimate(known.data)
        #expect(known.rate == 0)
        #expect(found.confidentRate > 0.05)
        #expect(found.rate < 0.05)
        #expect(found.classConditionalRate < 0.03)
    }

    /// Labels by chance: nothing that the networks say has to do with them.
    @Test func saysWhereNothingIsLearnt() throws {
        let learnt = try Self.simulated(Self.symmetric(0.3, 3), samples: 300, seed: 1).data
        #expect(try #require(learnt.skill) > 5)
        let useless = try Self.simulated(Self.symmetric(2.0 / 3, 3), samples: 300, seed: 1).data
        var draw = Draw(seed: 9, .tests)
        let rows = (0..<900).map { _ in draw.normal() }
        let other = try OutOfSample(
            logProbabilities: rows, labels: useless.labels, classes: 3)
        #expect(abs(try #require(other.skill)) < 3)
        // Still numbers, all of them.
        #expect((0...1).contains(NoiseEstimate(other).rate))
    }

    @Test func standsDegenerateData() throws {
        func estimate(_ rows: [[Double]], _ labels: [Int]) throws -> NoiseEstimate {
            NoiseEstimate(
                try OutOfSample(
                    logProbabilities: rows.joined().map { log($0) }, labels: labels,
                    classes: rows[0].count))
        }
        let one = try estimate([[1], [1]], [0, 0])
        #expect(one.rate == 0 && one.transition == [[1]] && one.skill == nil)
        let single = try estimate([[0.7, 0.3]], [0])
        #expect((0...1).contains(single.rate) && single.rateError == nil)
        // Class 2 is never given and never predicted; the networks are infinitely sure.
        let rows = (0..<40).map { $0 % 2 == 0 ? [1, 0, 0.0] : [0, 1, 0.0] }
        let vanished = try estimate(rows, (0..<40).map { $0 % 2 })
        #expect(vanished.rate < 0.01)
        #expect(vanished.transition.joined().allSatisfy { $0.isFinite })
        #expect(vanished.prior[2] < 0.01)
        // All of one given class.
        let same = try estimate(rows, [Int](repeating: 0, count: 40))
        #expect((0...1).contains(same.rate) && same.skill == 0)
        // A flat prediction says nothing of any class.
        let flat = try estimate(
            [[Double]](repeating: [0.5, 0.5], count: 20), (0..<20).map { $0 % 2 })
        #expect((0...1).contains(flat.rate) && flat.transition.joined().allSatisfy { $0.isFinite })
    }

    /// One pass of the fit, by hand: s = 2, b = 0 and predictions 1/(1 + e^∓2) after scaling.
    @Test func onePassByHand() throws {
        let p = 1 / (1 + exp(-1.0))
        let data = try OutOfSample(
            logProbabilities: [p, 1 - p, 1 - p, p].map { log($0) }, labels: [0, 1], classes: 2)
        var fit = TransitionFit(samples: 2, transition: [0.8, 0.2, 0.2, 0.8], classes: 2)
        fit.fit(data, free: [Bool](repeating: false, count: 4), iterations: 1)
        let q = 1 / (1 + exp(-2.0))
        let likelihood = 0.8 * q + 0.2 * (1 - q)
        let right = 0.8 * q / likelihood
        #expect(abs(fit.logLikelihood - 2 * log(likelihood)) < 1e-12)
        #expect(abs(fit.rate - (1 - right)) < 1e-12)
        #expect(abs(fit.transition[0] - right) < 1e-12)
        // Newton: slope Σ (r − q) x with x = ±½, curvature Σ q (x − x̄)² = q (1 − q) for each sample.
        let step = 1.5 * (right - q) / (q * (1 - q))
        #expect(abs(fit.scale - (2 + step)) < 1e-6)
        #expect(fit.bias.allSatisfy { abs($0) < 1e-12 })
    }

    /// The same predictions give the same estimate to the last bit, and a constant added to logits none other.
    @Test func isDeterministic() throws {
        let known = try Self.simulated(Self.symmetric(0.3, 3), samples: 200, seed: 8).data
        let found = NoiseEstimate(known)
        #expect(found == NoiseEstimate(known))
        let moved = try OutOfSample(
            logProbabilities: known.logProbabilities.map { $0 + 3 }, labels: known.labels,
            classes: 3)
        #expect(abs(NoiseEstimate(moved).rate - found.rate) < 1e-9)
    }
}
