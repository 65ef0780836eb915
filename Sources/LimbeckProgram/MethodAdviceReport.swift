import Diagnostics
import Experiments
import Report
import RunReports
import Training

/// What `advise methods` says.
struct MethodAdviceReport {
    let facts: DataFacts
    let verdicts: [MethodProbe.Verdict]
    /// Why a method cannot be trained on these data.
    let faults: [String: Problem]
    let record: ComparisonRecord

    struct JSON: Encodable {
        struct Facts: Encodable {
            var samples: Int
            var classes: Int
            var dimension: Int
            var best: Double
            var last: Double
            var trained: Double
            var wrongAtMost: Double
            enum CodingKeys: String, CodingKey {
                case samples, classes, dimension, best, last, trained
                case wrongAtMost = "wrong_at_most"
            }
        }

        struct Gain: Encodable {
            var mean: Double
            var error: Double
            var seeds: Int
            var isBeyondChance: Bool
            enum CodingKeys: String, CodingKey {
                case mean, error, seeds
                case isBeyondChance = "beyond_chance"
            }
        }

        struct Method: Encodable {
            var method: String
            var worthTrying: String
            /// Of its condition alone; null for the recipe's own method.
            @OrNull var expected: String?
            var because: String
            /// Over cross-entropy, on given validation labels; null where it was not tried.
            @OrNull var gain: Gain?
            /// The same on the test labels, which decided nothing.
            @OrNull var testGain: Gain?
            /// For `--set`.
            var changes: [String]
            /// Why it could not be tried.
            var fault: String?
            enum CodingKeys: String, CodingKey {
                case method, expected, because, gain, changes, fault
                case worthTrying = "worth_trying"
                case testGain = "test_gain"
            }
        }

        var data: String
        var facts: Facts
        var methods: [Method]
        var report: String
    }

    func json(report: String) -> JSON {
        func gain(_ gain: PairedDifference?) -> JSON.Gain? {
            gain.map {
                .init(
                    mean: $0.mean, error: $0.error, seeds: $0.pairs,
                    isBeyondChance: $0.p < MethodProbe.level)
            }
        }
        return JSON(
            data: record.facts.dataName,
            facts: .init(
                samples: facts.samples, classes: facts.classes, dimension: facts.dimension,
                best: facts.best, last: facts.last, trained: facts.trained,
                wrongAtMost: facts.wrongAtMost),
            methods: verdicts.map { verdict in
                JSON.Method(
                    method: verdict.method, worthTrying: verdict.answer.rawValue,
                    expected: verdict.expectation?.rawValue, because: verdict.because,
                    gain: gain(verdict.gain),
                    testGain: gain(MethodProbe.testGain(of: verdict.method, record)),
                    changes: verdict.changes,
                    fault: faults[verdict.method].map { "\($0)" })
            }, report: report)
    }

    // MARK: For people

    private func points(_ gain: PairedDifference) -> String {
        (gain.mean < 0 ? "" : "+")
            + Numbers.estimate(Estimate(mean: gain.mean, sd: gain.error), scale: 100)
    }

    private func list(_ answer: MethodProbe.Verdict.Answer) -> String? {
        let found = verdicts.filter { $0.answer == answer }.map { verdict in
            verdict.method + (verdict.gain.map { " (\(points($0)))" } ?? "")
        }
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }

    var findings: [String] {
        let tried = verdicts.count { $0.gain != nil }
        var sentences = [
            list(.yes).map { "Worth trying, in points over cross-entropy: \($0)." }
                ?? "No method gained more over cross-entropy than chance gives."
        ]
        if let perhaps = list(.perhaps) { sentences.append("Perhaps: \(perhaps).") }
        if let no = list(.no) { sentences.append("Not worth trying: \(no).") }
        sentences.append(
            "Measured with \(facts.samples) training samples and \(record.seeds.count) seeds on the given "
                + "labels of the validation split. Among \(tried) rows, chance alone says yes to "
                + "\(Numbers.compact(0.05 * Double(tried), 2)).")
        sentences.append("Cross-entropy: \(facts.gapPhrase); \(facts.noisePhrase).")
        return sentences
    }

    var table: TableModel {
        TableModel(
            title: "Which methods are worth trying",
            columns: [
                .init("method"), .init("worth trying"), .init("gain in points", .trailing),
                .init("why"),
            ],
            rows: verdicts.map { verdict in
                [
                    verdict.method, verdict.answer.rawValue,
                    verdict.gain.map(points) ?? "not tried",
                    faults[verdict.method].map { "cannot be trained: \($0)" } ?? verdict.because,
                ]
            },
            note:
                "Gain over cross-entropy at the selected epoch, paired by seed, ± standard error, its variance "
                + "pooled over the rows. Yes and no: Student's t, two-sided, 10 %; perhaps: within chance. A method that was not tried "
                + "is judged by its condition alone.")
    }

    var terminal: String {
        // Reasons are longer than a line of a table.
        var short = table
        short.columns.removeLast()
        short.rows = short.rows.map { Array($0.dropLast()) }
        return
            ([TextTable(short).render()] + table.rows.map { "\($0[0]): \($0[3])" }
            + [""] + findings.map { "- " + $0 }).joined(separator: "\n")
    }

    func page(folder: String) throws(Problem) -> ComparisonPage {
        var page = try ComparisonReport(record).page(folder: folder)
        page.title = "Advice on methods for \(record.facts.dataName)"
        page.findings = findings
        page.answers = false
        page.lead = [table]
        return page
    }
}
