import Testing

@testable import Audit

@Suite struct CalibrationTests {
    @Test func weightsAreThoseOfABoundedMinimiser() throws {
        let fixture = try EvidenceFixture.read().logistic
        let weights = EvidenceWeights(
            fixture.columns, changed: fixture.changed, samples: Array(fixture.changed.indices))
        #expect(largestGap(weights.coefficients, fixture.coefficients) < 1e-6)
        #expect(abs(weights.intercept - fixture.intercept) < 1e-6)
        // A column that speaks against a change has no say.
        #expect(weights.coefficients[2] == 0 && fixture.coefficients[2] == 0)
    }

    @Test func whatIsNotKnownCountsAsTheMedian() throws {
        let fixture = try EvidenceFixture.read().logistic
        var columns = fixture.columns
        let median = columns[0].sorted()[columns[0].count / 2]
        let place = columns[0].firstIndex(of: median)!
        let samples = Array(fixture.changed.indices)
        let full = EvidenceWeights(columns, changed: fixture.changed, samples: samples)
        columns[0][place] = .nan
        let lacking = EvidenceWeights(columns, changed: fixture.changed, samples: samples)
        // One value of 240 is gone; the median of the rest is near.
        #expect(abs(full.score(fixture.columns, place) - lacking.score(columns, place)) < 0.02)
        #expect(lacking.score(columns, place).isFinite)
    }

    @Test func separableEvidenceHasFiniteWeights() {
        let changed = (0..<100).map { $0 < 30 }
        let weights = EvidenceWeights(
            [changed.map { $0 ? 1 : 0 }, (0..<100).map { _ in 3 }], changed: changed,
            samples: Array(0..<100))
        #expect(weights.coefficients[0] > 1 && weights.coefficients[0].isFinite)
        #expect(weights.coefficients[1] == 0)
    }

    @Test func isotonicRegressionIsThatOfScikitLearn() throws {
        let fixture = try EvidenceFixture.read().isotonic
        #expect(largestGap(Isotonic.falling(fixture.values), fixture.plain) < 1e-12)
        #expect(
            largestGap(Isotonic.falling(fixture.values, weights: fixture.weights), fixture.weighted)
                < 1e-12)
        #expect(Isotonic.falling([]) == [])
        #expect(Isotonic.falling([3, 2, 1]) == [3, 2, 1])
        #expect(Isotonic.falling([1, 2, 3]) == [2, 2, 2])
        // What weighs nothing moves nothing.
        #expect(Isotonic.falling([5, 9, 1], weights: [1, 0, 1]) == [5, 5, 1])
        #expect(Isotonic.falling([9, 5, 1], weights: [0, 1, 1]) == [5, 5, 1])
    }

    @Test func areaIsThatOfScikitLearn() throws {
        let fixture = try EvidenceFixture.read().area
        let curve = InjectionCurve(scores: fixture.scores, changed: fixture.changed)
        #expect(abs(curve.area - fixture.auc) < 1e-12)
    }

    /// Two changed ones on top, a changed one among four others: 2 of 3 before any other, and so on.
    @Test func slopesByHand() {
        let curve = InjectionCurve(
            scores: [9, 8, 7, 6, 5, 4, 3],
            changed: [true, false, true, false, false, false, false])
        // Changed or not along the list 1 0 1 0 0 0 0, pooled: 1, ½, ½, 0 …; odds ½/½ · 5/2.
        let slopes = curve.slopes(count: 5)
        #expect(slopes[0] == 2.5)
        #expect(slopes[1...].allSatisfy { $0 == 0 })
    }

    /// If scores say nothing, changed ones are as dense everywhere.
    @Test func slopesOfUselessScoresAreOne() {
        let changed = (0..<1000).map { $0 % 5 == 0 }
        let curve = InjectionCurve(
            scores: (0..<1000).map { Double(($0 / 5) % 7) }, changed: changed)
        for slope in curve.slopes(count: 100) { #expect(abs(slope - 1) < 0.3) }
        #expect(abs(curve.area - 0.5) < 0.02)
    }

    /// The slopes are a density: their mean is at most 1, and reaches it but for what stands before the first
    /// unchanged sample.
    @Test func slopesAreADensity() throws {
        let fixture = try EvidenceFixture.read().area
        let slopes = InjectionCurve(scores: fixture.scores, changed: fixture.changed)
            .slopes(count: 60)
        let mean = slopes.reduce(0, +) / 60
        #expect(mean > 0.7 && mean < 1.3)
        #expect(zip(slopes, slopes.dropFirst()).allSatisfy { $0 >= $1 })
    }
}
