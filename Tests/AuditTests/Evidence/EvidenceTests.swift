import Datasets
import Foundation
import Randomness
import Testing

@testable import Audit

@Suite struct EvidenceTests {
    private func data(_ rows: [[Double]], _ labels: [Int]) throws -> OutOfSample {
        try OutOfSample(
            logProbabilities: rows.flatMap { $0.map { log($0) } }, labels: labels,
            classes: rows[0].count)
    }

    @Test func marginByHand() throws {
        let data = try data([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]], [0, 1])
        let margin = EvidenceTable.margin(data).values
        #expect(abs(margin[0] - log(0.1 / 0.8)) < 1e-12)
        #expect(abs(margin[1] - log(0.6 / 0.2)) < 1e-12)
    }

    @Test func neighboursByHand() {
        let columns = EvidenceTable.neighbours(
            [[1, 2, 3, 4], [], [0, 1, 4, 3], [0], [2]], labels: [0, 1, 1, 0, 1], classes: 2)
        // Of sample 0 (label 0): labels 1, 1, 0, 1.
        #expect(columns[0].values[0] == -0.25 && columns[1].values[0] == 0.5)
        #expect(columns[0].values[1].isNaN && columns[1].values[1].isNaN)
        // Of sample 2 (label 1): 0, 1, 1, 0.
        #expect(columns[0].values[2] == -0.5 && columns[1].values[2] == 0)
        #expect(columns[1].values[3] == -1)
    }

    @Test func recordsOfNetworksAreAveraged() {
        let column = EvidenceTable.mean(
            "area-under-margin",
            of: [([0, 1], [2, 4]), ([1, 2], [6, .nan])], sign: -1, count: 4)
        #expect(column.values[0] == -2 && column.values[1] == -5)
        #expect(column.values[2].isNaN && column.values[3].isNaN)
    }

    /// With networks that say exactly what labels are given, s = 1, b = 0 need no fit: T takes it back.
    @Test func posteriorFindsTheTrueClassBehindTheGivenOne() throws {
        let audit = try SyntheticAudit(
            count: 3000, matrix: SyntheticAudit.symmetric(0.3, classes: 3), distance: 4, seed: 3)
        let wrong = audit.wrong
        // Calibrated as a whole, and telling.
        let mean = audit.given.posteriorWrong.reduce(0, +) / 3000
        #expect(abs(mean - 0.3) < 0.03)
        let curve = InjectionCurve(scores: audit.given.posteriorWrong, changed: wrong)
        #expect(curve.area > 0.97)
        let right = zip(audit.given.suggested, audit.truth).map { $0 == $1 }
        let among = wrong.indices.filter { wrong[$0] }
        #expect(Double(among.count { right[$0] }) / Double(among.count) > 0.95)
    }

    @Test func posteriorByHand() throws {
        // One class is always given; nothing can be fitted but b, and Bayes' rule has to hold for what is found.
        let t = [[0.9, 0.1], [0.2, 0.8]]
        let rows = [[0.7, 0.3], [0.4, 0.6], [0.1, 0.9], [0.8, 0.2]]
        let labels = [0, 0, 1, 1]
        let posterior = LabelPosterior(try data(rows, labels), transition: t)
        for i in 0..<4 {
            let x = rows[i].map { log($0) }
            let mean = (x[0] + x[1]) / 2
            let z = (0..<2).map { exp(posterior.scale * (x[$0] - mean) + posterior.bias[$0]) }
            let joint = (0..<2).map { z[$0] * t[$0][labels[i]] }
            #expect(abs(posterior.given[i] - joint[labels[i]] / (joint[0] + joint[1])) < 1e-9)
            #expect(posterior.suggested[i] == 1 - labels[i])
            #expect(abs(posterior.suggestedProbability[i] - posterior.wrong[i]) < 1e-9)
            #expect(abs(posterior.networkOnTruth[i] - rows[i][1 - labels[i]]) < 1e-9)
        }
    }

    @Test func oneClassHasNothingToSuggest() throws {
        let posterior = LabelPosterior(try data([[1], [1]], [0, 0]), transition: [[1]])
        #expect(posterior.wrong == [0, 0] && posterior.suggested == [0, 0])
        #expect(posterior.suggestedProbability == [0, 0])
    }

    // MARK: Usefulness

    @Test func uselessModelsAreRefusedAsOftenAsStated() {
        var passed = 0
        for seed in 0..<300 as Range<UInt64> {
            var draw = Draw(seed: seed, .tests)
            let labels = (0..<60).map { _ in draw.below(3) }
            let predictions = (0..<60).map { _ in draw.below(3) }
            let test = Usefulness(labels: labels, predictions: predictions, classes: 3, seed: seed)
            if !test.isUseless { passed += 1 }
        }
        #expect(passed <= 9, "\(passed) of 300, 3 expected")
    }

    @Test func usefulModelsPass() {
        let labels = (0..<100).map { $0 % 4 }
        let predictions = labels.enumerated().map { $0 % 2 == 0 ? $1 : ($0 / 4) % 4 }
        let test = Usefulness(labels: labels, predictions: predictions, classes: 4, seed: 0)
        #expect(!test.isUseless && test.p == 0.001)
        let many = (0..<20_000).map { $0 % 4 }
        #expect(
            !Usefulness(
                labels: many, predictions: many.map { $0 == 0 ? 1 : $0 }, classes: 4, seed: 0
            ).isUseless)
        let one = [Int](repeating: 1, count: 50)
        #expect(Usefulness(labels: one, predictions: one, classes: 2, seed: 0).isUseless)
    }

    @Test func momentsAreThoseOfAllPermutations() {
        let (labels, predictions) = ([0, 0, 1, 2, 2], [0, 1, 1, 2, 0])
        var hits: [Double] = []
        func permute(_ rest: [Int], _ chosen: [Int]) {
            if rest.isEmpty {
                hits.append(Double(zip(chosen, predictions).count { labels[$0] == $1 }))
            }
            for i in rest { permute(rest.filter { $0 != i }, chosen + [i]) }
        }
        permute([0, 1, 2, 3, 4], [])
        let mean = hits.reduce(0, +) / 120
        let variance = hits.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 120
        let moments = Usefulness.moments(labels, predictions, 3)
        #expect(abs(moments.mean - mean) < 1e-12)
        #expect(abs(moments.variance - variance) < 1e-12)
    }

    // MARK: Worth

    @Test func worthByHand() {
        let worth = Worth(probabilities: [1, 0.5, 0.9, 0], networkOnTruth: [0.9, 0.2, 0.4, 0.1])
        #expect(largestGap(worth.values, [0.1, 0.4, 0.54, 0]) < 1e-12)
        #expect(worth.order == [2, 1, 0, 3])
        #expect(largestGap(worth.gains(in: worth.order.prefix(2)), [0, 0.135, 0.235]) < 1e-12)
        #expect(largestGap(worth.gainsAtRandom(count: 2), [0, 0.065, 0.13]) < 1e-12)
        #expect(
            abs(worth.gains(in: worth.order).last! - worth.gainsAtRandom(count: 4).last!) < 1e-12)
    }

    @Test func intervalOfTheRate() throws {
        let audit = try SyntheticAudit(
            count: 1500, matrix: SyntheticAudit.symmetric(0.2, classes: 4), distance: 6, seed: 1,
            rateError: nil)
        #expect(audit.rate.low < 0.2 && 0.2 < audit.rate.high)
        let width = audit.rate.high - audit.rate.low
        #expect(width >= 0.04 && width < 0.18)
        #expect(!audit.rate.mayBeNone)
    }
}
