import Datasets
import Diagnostics
import Foundation

@testable import Audit
@testable import AuditReports

/// Hand-made results of audits.
enum Fixture {
    static let names = ["cat", "dog & <b>", "eel"]

    /// `count` samples, the given label of sample i is i mod 3 and the next class is suggested; of the first `wrong`
    /// the label is likely wrong.
    static func part(
        count: Int = 200, wrong: Int = 80, listed: Int? = nil, precision: Double = 0.88,
        rate: RateInterval = RateInterval(estimate: 0.41, low: 0.361, high: 0.458),
        isUseless: Bool = false, truth: [Int: Int]? = nil, ids: [String]? = nil,
        content: (column: String, values: [String])? = nil, names: [String] = names,
        split: String = "train"
    ) -> AuditedPart {
        func probability(_ i: Int) -> Double {
            let place = Double(i)
            return i < wrong
                ? 0.95 - 0.14 * place / Double(wrong) : 0.3 - 0.29 * place / Double(count)
        }
        let probabilities: [Double] = (0..<count).map(probability)
        let c = names.count
        let rows = (0..<count).map { i -> AuditRows.Row in
            let evidence: [Double] = [Double(count - i), i % 2 == 0 ? Double(i) : .nan]
            return AuditRows.Row(
                sample: i, split: split, given: i % c, suggested: (i + 1) % c,
                probability: probabilities[i], suggestedProbability: probabilities[i] * 0.9,
                evidence: evidence)
        }
        let expected = (0..<count).map { i -> Double in
            i < wrong ? precision : precision * Double(wrong) / Double(i + 1)
        }
        let model = WrongLabelModel(
            scores: (0..<count).map { Double(count - $0) }, probabilities: probabilities,
            precision: ListPrecision(
                expected: expected, low: expected.map { max(0, $0 - 0.062) },
                high: expected.map { min(1, $0 + 0.05) }, wrong: precision * Double(wrong) * 1.1),
            rate: rate, injectedArea: 0.961, weights: [("margin", 1.25), ("extra", 0.5)])
        return AuditedPart(
            rows: AuditRows(
                rows, classNames: names, ids: ids, content: content,
                evidenceNames: ["margin", "area-under-margin"]),
            usefulness: useful(isUseless), model: model, length: listed, truth: truth)
    }

    static func useful(_ isUseless: Bool) -> Usefulness {
        decoded(
            isUseless
                ? "{\"hits\":0.102,\"chance\":0.1,\"p\":0.364}"
                : "{\"hits\":0.551,\"chance\":0.1,\"p\":0.001}")
    }

    static let noise: NoiseEstimate = decoded(
        """
        {"joint": [[0.3, 0.03, 0], [0.02, 0.3, 0.01], [0, 0.04, 0.3]],
         "transition": [[0.9, 0.1, 0], [0.06, 0.91, 0.03], [0, 0.12, 0.88]],
         "prior": [0.33, 0.33, 0.34], "rate": 0.41, "classConditionalRate": 0.4,
         "surestRate": 0.4, "confidentRate": 0.44, "freeEntries": 0}
        """)

    static func decoded<Value: Decodable>(_ text: String) -> Value {
        try! JSON.read(Value.self, Array(text.utf8))
    }

    static func result(
        learning: AuditedPart = part(), test: AuditedPart? = nil,
        source: AuditResult.Source = .folds(method: "early-learning", count: 5, seed: 7)
    ) -> AuditResult {
        AuditResult(
            name: "animals <3", source: source, classNames: names, learning: learning, test: test,
            noise: noise,
            overlaps: [
                ClassOverlap(classes: [0, 2], samples: 6, joint: 0.031),
                ClassOverlap(classes: [0, 1], samples: 0, joint: 0),
            ],
            classQuality: [
                ClassQuality(
                    index: 2, wronglyGiven: 20, missed: 3, givenNoise: 0.3, trueNoise: 0.05),
                ClassQuality(
                    index: 0, wronglyGiven: 2, missed: 9, givenNoise: 0.02, trueNoise: 0.1),
            ])
    }

    /// True labels: the suggestion is right of the first `wrong` but every tenth, all others were given right.
    static func truth(count: Int = 200, wrong: Int = 80) -> [Int: Int] {
        Dictionary(
            uniqueKeysWithValues: (0..<count).map { i in
                (i, i < wrong && i % 10 != 0 ? (i + 1) % 3 : i % 3)
            })
    }

    static let budget = AuditResult.Budget(
        count: 2, order: [3, 1], byWorth: [0, 0.002, 0.0031], byProbability: [0, 0.001, 0.0027],
        atRandom: [0, 0.0004, 0.0008])

    /// Fifty of 200 judged; `wrong` of them are, so are `found` of 20 of the list.
    static func sheet(wrong: Int = 20, found: Int = 17) -> SheetResult {
        var verdicts: [Int: Verdicts.Verdict] = [:]
        for i in 0..<20 { verdicts[i] = i < found ? .wrong : .right }
        for i in 100..<130 { verdicts[i] = i - 100 < wrong - found ? .wrong : .right }
        verdicts[150] = .unsure
        return SheetResult(
            Verdicts(verdicts), population: 200, list: Array(0..<80), auditedRate: 0.361...0.458,
            auditedPrecision: 0.818...0.93)
    }
}
