import Datasets
import Files
import Foundation
import Testing

@testable import Audit
@testable import AuditReports

/// Made-up audits as large and as awkward as real ones. With `REPORT_SAMPLES=FOLDER` set, their pages are written
/// there, to be looked at in a browser.
@Suite struct SamplePages {
    /// Noise in [0, 1) without a generator: the fractional part of a sine.
    private static func wobble(_ i: Int, _ seed: Int) -> Double {
        let x = sin(Double(i) * 12.9898 + Double(seed) * 78.233) * 43758.5453
        return x - x.rounded(.down)
    }

    private struct Made {
        var part: AuditedPart
        var labels: [Int]
    }

    /// Labels of which a share is wrong, and an audit that finds most of them.
    private static func made(
        truth: [Int], names: [String], rate: Double, known: Bool, split: String = "train",
        ids: [String]? = nil, evidence: Bool = true
    ) -> Made {
        let c = names.count
        let labels = truth.enumerated().map { i, y -> Int in
            wobble(i, 1) < rate ? (y + 1 + Int(wobble(i, 2) * Double(c - 1))) % c : y
        }
        let scores = truth.indices.map { i -> Double in
            let noise = wobble(i, 3) + wobble(i, 4) + wobble(i, 5) - 1.5
            return (labels[i] != truth[i] ? 1.7 : -1.7) + 2.6 * noise
        }
        let probabilities = scores.map { 1 / (1 + exp(-2.4 * $0)) }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        let rows = order.map { i -> AuditRows.Row in
            let other = (labels[i] + 1 + Int(wobble(i, 6) * Double(c - 1))) % c
            let suggested = labels[i] != truth[i] && wobble(i, 7) < 0.8 ? truth[i] : other
            return .init(
                sample: i, split: split, given: labels[i], suggested: suggested,
                probability: probabilities[i], suggestedProbability: probabilities[i] * 0.8,
                evidence: evidence
                    ? [
                        scores[i] + wobble(i, 8), scores[i] + 2 * wobble(i, 9),
                        wobble(i, 10) + 0.2 * scores[i], wobble(i, 11),
                    ] : [scores[i]])
        }
        var sum = 0.0
        let expected = order.enumerated().map { n, i -> Double in
            sum += probabilities[i]
            return sum / Double(n + 1)
        }
        let model = WrongLabelModel(
            scores: scores, probabilities: probabilities,
            precision: ListPrecision(
                expected: expected, low: expected.map { max(0, 0.86 * $0 - 0.02) },
                high: expected.map { min(1, 1.06 * $0 + 0.02) }, wrong: sum),
            rate: RateInterval(
                estimate: sum / Double(truth.count), low: max(0, sum / Double(truth.count) - 0.05),
                high: sum / Double(truth.count) + 0.05), injectedArea: 0.957,
            weights: [("posterior", 0.61), ("margin", 0.24), ("area-under-margin", 0.9)])
        return Made(
            part: AuditedPart(
                rows: AuditRows(
                    rows, classNames: names, ids: ids,
                    evidenceNames: evidence
                        ? ["posterior", "margin", "area-under-margin", "neighbours-differ"]
                        : ["posterior"]), usefulness: Fixture.useful(false), model: model,
                truth: known
                    ? Dictionary(uniqueKeysWithValues: truth.enumerated().map { ($0, $1) }) : nil),
            labels: labels)
    }

    private static func matrix(_ truth: [Int], _ labels: [Int], _ c: Int) -> [[Double]] {
        var counts = [[Double]](repeating: [Double](repeating: 0, count: c), count: c)
        for (a, b) in zip(truth, labels) { counts[a][b] += 1 }
        return counts.map { row in row.map { $0 / max(1, row.reduce(0, +)) } }
    }

    private static func result(_ made: Made, _ name: String, _ names: [String], _ truth: [Int])
        -> AuditResult
    {
        let c = names.count
        let t = matrix(truth, made.labels, c)
        let text = t.map { "[" + $0.map { "\($0)" }.joined(separator: ",") + "]" }
        let noise: NoiseEstimate = Fixture.decoded(
            "{\"joint\": [[1]], \"transition\": [\(text.joined(separator: ","))], \"prior\": [1], "
                + "\"rate\": 0.4, \"classConditionalRate\": 0.4, \"surestRate\": 0.4, "
                + "\"confidentRate\": 0.44, \"freeEntries\": 0}")
        var pairs: [ClassOverlap] = []
        for a in 0..<c {
            for b in a + 1..<c {
                let n = zip(truth, made.labels).count { Set([$0, $1]) == [a, b] }
                pairs.append(
                    ClassOverlap(
                        classes: [a, b], samples: n, joint: Double(n) / Double(truth.count)))
            }
        }
        return AuditResult(
            name: name, source: .folds(method: "early-learning", count: 5, seed: 1),
            classNames: names, learning: made.part, noise: noise,
            trueTransition: made.part.truth == nil ? nil : t,
            overlaps: pairs.sorted { $0.samples > $1.samples },
            classQuality: (0..<c).map { k in
                ClassQuality(
                    index: k,
                    wronglyGiven: zip(truth, made.labels).count { $0 != k && $1 == k },
                    missed: zip(truth, made.labels).count { $0 == k && $1 != k },
                    givenNoise: 0.4 - 0.01 * Double(k), trueNoise: 0.4)
            })
    }

    static let recipe = """
        # What made the folds.
        name: audit
        data: {kind: embedded}
        method: {name: early-learning}
        training: {epochs: 40, batch-size: 128}

        """

    static func images() throws -> AuditPage {
        let (train, test) = (try Dataset.embedded(.train), try Dataset.embedded(.test))
        let chosen = Array(0..<3400)
        let truth = chosen.map { train.labels[$0] }
        let own = made(truth: truth, names: train.classNames, rate: 0.4, known: true)
        var result = result(own, "Fashion-MNIST 5k", train.classNames, truth)
        result.test =
            made(
                truth: test.labels, names: train.classNames, rate: 0.05, known: true, split: "test",
                evidence: false
            ).part
        result.testAccuracy = .init(all: 0.812, trusted: 0.848, trustedSamples: 948)
        result.conflicts = [[11, 912, 1503], [44, 45], [190, 2000], [7, 8, 9, 10, 12, 13, 14]]
        result.outliers = Array(stride(from: 5, to: 900, by: 17))
        result.warnings = [
            "class Bag has five samples in a fold: its column of the matrix is rough"
        ]
        let steps = (0...200).map(Double.init)
        result.budget = .init(
            count: 200, order: Array(0..<200), byWorth: steps.map { 0.06 * (1 - exp(-$0 / 120)) },
            byProbability: steps.map { 0.04 * (1 - exp(-$0 / 150)) },
            atRandom: steps.map { 0.00005 * $0 })
        result.sheet = Fixture.sheet()
        result.annotators = [
            .init(name: "Anna", labels: 2100, agreement: 0.91, quality: 0.88),
            .init(name: "Bo", labels: 1800, agreement: 0.74, quality: 0.69),
        ]
        return AuditPage(
            result, data: train.subset(chosen), testData: test, recipe: recipe)
    }

    static func texts() throws -> AuditPage {
        let words = [
            "the", "train", "was late again", "and nobody", "said a word about it", "I love",
            "this",
            "little", "place", "so much", "@somebody", "honestly", "worst coffee", "ever", "but",
            "the staff are lovely", "https", "never", "coming", "back :)", "don't", "miss it",
        ]
        let texts = (0..<1200).map { i in
            (0..<4 + i % 29).map { words[Int(wobble(i * 31 + $0, 3) * Double(words.count))] }
                .joined(separator: " ")
        }
        let names = ["negative", "neutral", "positive"]
        let truth = (0..<1200).map { Int(wobble($0, 20) * 3) }
        let own = made(truth: truth, names: names, rate: 0.19, known: false)
        var result = result(own, "tweets", names, truth)
        result.conflicts = [[1, 2], [30, 40, 50]]
        return AuditPage(
            result,
            data: try Dataset(
                name: "tweets", features: .text(TextList(texts, length: 400), column: "text"),
                labels: own.labels, classNames: names), recipe: recipe)
    }

    static func table() throws -> AuditPage {
        let names = (0..<26).map { String(UnicodeScalar(UInt8(65 + $0))) }
        let truth = (0..<4000).map { Int(wobble($0, 20) * 26) }
        let ids = (0..<4000).map { "letter-\($0)" }
        let own = made(truth: truth, names: names, rate: 0.2, known: true, ids: ids)
        var result = result(own, "letter", names, truth)
        result.conflicts = [[1, 2], [30, 40, 50]]
        return AuditPage(
            result,
            data: try Dataset(
                name: "letter",
                features: .table(
                    (0..<4000 * 16).map { Float(Int(wobble($0, 30) * 16)) },
                    columns: (0..<16).map { "x-box-\($0)" }), labels: own.labels,
                classNames: names, ids: ids), recipe: recipe)
    }

    @Test func pagesAreOfReasonableSize() throws {
        var useless = Fixture.result(learning: Fixture.part(isUseless: true))
        useless.name = "shuffled"
        let pages = [
            "audit-images": try SamplePages.images(), "audit-texts": try SamplePages.texts(),
            "audit-table": try SamplePages.table(),
            "audit-useless": AuditPage(useless, recipe: SamplePages.recipe),
        ]
        for (name, page) in pages {
            let html = try page.html()
            #expect(html.utf8.count < 700_000, "\(name)")
            if let folder = ProcessInfo.processInfo.environment["REPORT_SAMPLES"] {
                try LocalFileSystem().replace("\(folder)/\(name).html", with: Array(html.utf8))
            }
        }
    }
}
