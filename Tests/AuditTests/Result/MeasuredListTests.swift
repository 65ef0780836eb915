import Testing

@testable import Audit

@Suite struct MeasuredListTests {
    @Test func areaCountsPairs() {
        let wrong = [true, false, true, false]
        // Pairs (wrong, right): 4 > 3, 4 > 1, 2 < 3, 2 > 1.
        #expect(MeasuredList.area([4, 3, 2, 1], wrong: wrong) == 0.75)
        #expect(MeasuredList.area([1, 1, 1, 1], wrong: wrong) == 0.5)
        // 3 = 3 counts half, 3 > 1, 2 < 3, 2 > 1.
        #expect(MeasuredList.area([3, 3, 2, 1], wrong: wrong) == 0.625)
        // Without the third: 4 > 3, 4 > 1.
        #expect(MeasuredList.area([4, 3, .nan, 1], wrong: wrong) == 1)
        #expect(MeasuredList.area([4, .nan, 2, .nan], wrong: wrong) == nil)
        #expect(MeasuredList.area([1, 2], wrong: [false, false]) == nil)
        let list = MeasuredList(wrong: wrong, listed: 2)
        #expect(list?.area == MeasuredList.area([4, 3, 2, 1], wrong: wrong))
    }

    private func part(truth: [Int: Int]?) throws -> AuditedPart {
        let model = WrongLabelModel(
            scores: [3, 2, 1], probabilities: [0.9, 0.5, 0.5],
            precision: ListPrecision(
                expected: [0.9, 0.7, 0.6], low: [0.8, 0.6, 0.5], high: [1, 0.8, 0.7], wrong: 1.9),
            rate: RateInterval(estimate: 0.6, low: 0.5, high: 0.7))
        #expect(model.order == [0, 1, 2])
        let useful = Usefulness(
            labels: (0..<60).map { $0 % 2 }, predictions: (0..<60).map { $0 % 2 }, classes: 2,
            seed: 0)
        return AuditedPart(
            rows: AuditRows(
                [(7, [1.0, .nan]), (9, [3, .nan]), (8, [2, .nan])].enumerated().map { i, row in
                    .init(
                        sample: row.0, split: "train", given: 0, suggested: 1,
                        probability: model.probabilities[i], suggestedProbability: 0.5,
                        evidence: row.1)
                }, classNames: ["a", "b"], evidenceNames: ["margin", "aum"]),
            usefulness: useful, model: model, length: 2, truth: truth)
    }

    /// Rows of equal probability keep the order in which they come: that of the model's scores.
    @Test func equalProbabilitiesKeepTheirOrder() throws {
        #expect(try part(truth: nil).list == [7, 9])
    }

    @Test func whatIsTrueIsKnownOrNot() throws {
        let unknown = try part(truth: nil)
        #expect(unknown.wrong == nil && unknown.truePrecision == nil && unknown.trueRate == nil)
        #expect(unknown.evidenceAreas == nil && unknown.measured == nil)
        let known = try part(truth: [7: 1, 8: 0, 9: 1])
        #expect(known.wrong == [true, true, false])
        #expect(known.truePrecision == [1, 1, 2.0 / 3])
        // Of the rows' own columns: 1 and 3 are wrong, 2 is right.
        #expect(known.evidenceAreas == [0.5, nil])
    }
}
