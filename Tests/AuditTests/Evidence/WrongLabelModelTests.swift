import Testing

@testable import Audit

@Suite struct WrongLabelModelTests {
    /// Twelve audits with known truth; in eight of them the noise rate is wrong by .03 and its interval holds it.
    @Test func theTruePrecisionIsInTheInterval() throws {
        var (held, widths) = (0, [Double]())
        let pair = [[0.7, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 0.7, 0.3], [0, 0, 0, 1]]
        for (i, matrix) in [
            SyntheticAudit.symmetric(0.2, classes: 4), SyntheticAudit.symmetric(0.4, classes: 4),
            pair, SyntheticAudit.symmetric(0.3, classes: 3),
        ].enumerated() {
            for seed in 0..<3 as Range<UInt64> {
                let audit = try SyntheticAudit(
                    count: 800, matrix: matrix, distance: 3.5, seed: seed + 10 * UInt64(i),
                    rateError: [-0.03, 0, 0.03][Int(seed)])
                let model = audit.model()
                let list = model.precision.recommended!
                let wrong = audit.wrong
                let hits = model.order.prefix(list.count).count { wrong[$0] }
                let precision = Double(hits) / Double(list.count)
                if list.low...list.high ~= precision { held += 1 }
                widths.append(list.high - list.low)
                // The length is near the best one, nearer where the rate is right.
                var (best, found) = (0.0, 0)
                let all = Double(wrong.count { $0 })
                for (n, sample) in model.order.enumerated() {
                    if wrong[sample] { found += 1 }
                    best = max(best, 2 * Double(found) / (Double(n + 1) + all))
                }
                let f1 = 2 * Double(hits) / (Double(list.count) + all)
                let lost = seed == 1 ? 0.06 : 0.12
                #expect(f1 > best - lost, "matrix \(i), seed \(seed): \(f1) of \(best)")
            }
        }
        #expect(held >= 10, "\(held) of 12")
        #expect(widths.reduce(0, +) / 12 < 0.5, "\(widths)")
    }

    @Test func probabilitiesFallAlongTheListAndAddUp() throws {
        let audit = try SyntheticAudit(
            count: 1200, matrix: SyntheticAudit.symmetric(0.3, classes: 4), distance: 3, seed: 5)
        let model = audit.model()
        #expect(model.order.sorted() == Array(0..<1200))
        let along = model.order.map { model.probabilities[$0] }
        #expect(zip(along, along.dropFirst()).allSatisfy { $0 >= $1 })
        #expect(along.allSatisfy { 0...1 ~= $0 })
        #expect(abs(along.reduce(0, +) - model.precision.wrong) < 1e-9)
        #expect(abs(model.precision.wrong / 1200 - model.rate.estimate) < 0.03)
        for n in [1, 30, 400, 1200] {
            let length = model.precision[n]
            let mean = along.prefix(n).reduce(0, +) / Double(n)
            #expect(abs(length.precision - mean) < 1e-12)
            #expect(length.low <= length.precision && length.precision <= length.high)
        }
        #expect(abs(model.precision[1200].recall - 1) < 1e-9)
        // Calibrated: of those with about so much, about so many are wrong.
        let wrong = audit.wrong
        for (low, high) in [(0.0, 0.1), (0.3, 0.7), (0.9, 1.01)] {
            let members = wrong.indices.filter { low..<high ~= model.probabilities[$0] }
            let share = Double(members.count { wrong[$0] }) / Double(max(1, members.count))
            let mean =
                members.reduce(0) { $0 + model.probabilities[$1] } / Double(max(1, members.count))
            #expect(members.count < 20 || abs(share - mean) < 0.15, "\(low): \(share), \(mean)")
        }
    }

    @Test func isTheSameAgain() throws {
        let audit = try SyntheticAudit(
            count: 400, matrix: SyntheticAudit.symmetric(0.2, classes: 3), distance: 3, seed: 2)
        let (a, b) = (audit.model(), audit.model())
        #expect(a.probabilities == b.probabilities && a.precision == b.precision)
    }

    @Test func fewChangedLabelsLeaveThePosteriorAlone() throws {
        let audit = try SyntheticAudit(
            count: 400, matrix: SyntheticAudit.symmetric(0.2, classes: 3), distance: 3, seed: 2)
        var changed = [Bool](repeating: false, count: 400)
        changed[3] = true
        let model = WrongLabelModel(
            given: audit.given, injected: audit.injected, changed: changed,
            rate: audit.rate, seed: 0)
        #expect(model.injectedArea == nil)
        for i in model.order {
            #expect(abs(model.probabilities[i] - audit.given.posteriorWrong[i]) < 1e-9)
        }
        #expect(model.precision.recommended != nil)
        let alone = WrongLabelModel(given: audit.given, rate: audit.rate)
        #expect(alone.probabilities == model.probabilities)
    }

    /// A column that is known in one round only has no say.
    @Test func columnsOfOneRoundHaveNoSay() throws {
        let audit = try SyntheticAudit(
            count: 300, matrix: SyntheticAudit.symmetric(0.3, classes: 3), distance: 3, seed: 9)
        #expect(
            audit.model().weights.map(\.column) == ["posterior", "corrected-confidence", "margin"])
    }

    @Test func cleanLabelsMayHaveNoneWrong() throws {
        let audit = try SyntheticAudit(
            count: 1500, matrix: SyntheticAudit.symmetric(0, classes: 3), distance: 5, seed: 4,
            rateError: nil)
        let model = audit.model()
        #expect(model.rate.mayBeNone)
        if let list = model.precision.recommended { #expect(list.low == 0) }
    }

    @Test func lengthsByHand() {
        let precision = ListPrecision(
            expected: [1, 0.95, 0.7, 0.55], low: [0.8, 0.7, 0.5, 0.4], high: [1, 1, 0.9, 0.7],
            wrong: 2.2)
        // F1 = 2 Σp / (n + 2.2): 2/3.2, 3.8/4.2, 4.2/5.2, 4.4/6.2
        #expect(precision.recommended?.count == 2)
        #expect(abs(precision[2].f1 - 3.8 / 4.2) < 1e-12)
        #expect(precision.longest(precision: 0.7)?.count == 3)
        #expect(precision.longest(precision: 1.1) == nil)
        #expect(abs(precision[2].recall - 1.9 / 2.2) < 1e-12)
    }
}
