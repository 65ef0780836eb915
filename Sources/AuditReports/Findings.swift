import Audit
import Report

/// What an audit has to say, in clauses without a capital and a stop: those of the terminal, and of the page.
struct Findings {
    let result: AuditResult

    init(_ result: AuditResult) { self.result = result }

    private var learning: AuditedPart { result.learning }

    /// Who judged what.
    var judged: String {
        let samples = Wording.count(learning.count, "sample")
        return switch result.source {
        case .folds(let method, let count, _):
            "\(samples) judged by \(Wording.word(count)) folds of \(method) (\(agreement))"
        case .file(let path): "\(samples) judged by the probabilities of \(path) (\(agreement))"
        }
    }

    private var agreement: String {
        let useful = learning.usefulness
        return "\(predictions) agree with \(Wording.measured(useful.hits)) of the given labels; "
            + "\(Wording.measured(useful.chance)) by chance"
    }

    /// What anybody's own probabilities are is not known.
    private var predictions: String {
        if case .file = result.source { return "predictions" }
        return "held-out predictions"
    }

    /// How many labels are wrong.
    var rate: String {
        learning.usefulness.isUseless
            ? "how many labels are wrong is not known"
            : Findings.rate(learning.model.rate)
    }

    private static func rate(_ rate: RateInterval) -> String {
        let high = Wording.percent(rate.high)
        if rate.estimate < 0.0005 {
            return "no label is expected to be wrong (at most \(high) % are)"
        }
        let about = "about \(Wording.percent(rate.estimate)) % of the labels are wrong"
        return rate.mayBeNone
            ? about + ", perhaps none (at most \(high) %)"
            : about + " (\(Wording.interval(rate.low, rate.high)))"
    }

    /// What is listed, and how much of it is expected to be wrong; or why nothing is.
    var list: String {
        guard let expected = learning.expected else { return "nothing is listed: " + reason }
        return "list: " + Findings.list(expected)
    }

    /// The same as a sentence of a page.
    private var listed: String {
        guard let expected = learning.expected else { return list }
        return Wording.count(expected.count, "sample")
            + (expected.count == 1 ? " is listed" : " are listed") + "; about "
            + Findings.wrong(expected) + " are wrong "
            + Findings.precision(expected)
    }

    static func list(_ expected: ListPrecision.Length) -> String {
        Wording.count(expected.count, "sample") + ", about " + wrong(expected)
            + " wrong " + precision(expected)
    }

    private static func precision(_ expected: ListPrecision.Length) -> String {
        "(precision \(Wording.percent(expected.precision)) %, "
            + Wording.interval(expected.low, expected.high) + ")"
    }

    /// `1,220 ± 80 of them`. The error is the longer arm of the interval.
    private static func wrong(_ expected: ListPrecision.Length) -> String {
        let arm = max(
            expected.precision - expected.low, expected.high - expected.precision)
        let n = Double(expected.count)
        return Wording.estimate(expected.precision * n, error: arm * n) + " of them"
    }

    /// Why nothing is listed.
    private var reason: String {
        let useful = learning.usefulness
        return useful.isUseless
            ? "\(predictions) tell nothing of the labels (they agree with "
                + "\(Wording.measured(useful.hits)), permuted labels with "
                + "\(Wording.measured(useful.chance)); p = \(Wording.p(useful.p)))"
            : "no label is expected to be wrong"
    }

    /// How the list does where true labels are known.
    var truth: String? {
        guard let rate = learning.trueRate else { return nil }
        var parts = ["rate \(Wording.measured(rate))"]
        if let measured = learning.measured {
            if let precision = measured.precision {
                parts.append("list precision \(Wording.measured(precision))")
                parts.append("recall \(Wording.measured(measured.recall))")
            }
            parts.append("AUC \(Wording.area(measured.area))")
        }
        return "truth: " + parts.joined(separator: ", ")
    }

    /// The classes that are taken for one another most often.
    var overlaps: String? {
        let pairs = result.overlaps.filter { $0.samples > 0 }.prefix(3)
        guard !learning.usefulness.isUseless, !pairs.isEmpty else { return nil }
        let names = pairs.map { pair in
            let words = pair.classes.map { result.classNames[$0] }
            return Wording.list(words) + " (\(Wording.percent(pair.joint)) % of all)"
        }
        return "classes most often mistaken: " + names.joined(separator: ", ")
    }

    var conflicts: String? {
        guard !result.conflicts.isEmpty else { return nil }
        let samples = result.conflicts.reduce(0) { $0 + $1.count }
        return "duplicates with different labels: " + Wording.count(result.conflicts.count, "set")
            + ", \(Wording.count(samples, "sample"))"
    }

    /// The test split, of which nothing is learnt.
    var test: String? {
        guard let test = result.test else { return nil }
        var clauses: [String] = []
        let samples = Wording.count(test.count, "sample")
        if test.usefulness.isUseless {
            clauses.append(
                "test split: \(samples), predictions tell nothing of their labels, nothing is listed"
            )
        } else {
            clauses.append(
                "test split: \(samples), \(Findings.rate(test.model.rate))")
            clauses.append(
                test.expected.map {
                    "\(Wording.count($0.count)) listed, about \(Findings.wrong($0)) wrong"
                }
                    ?? "nothing listed")
        }
        if let rate = test.trueRate {
            clauses.append(
                rate == 0
                    ? "in truth all are right" : "in truth \(Wording.measured(rate)) are wrong")
        }
        if let accuracy = result.testAccuracy { clauses.append(Findings.accuracy(accuracy)) }
        return clauses.joined(separator: "; ")
    }

    private static func accuracy(_ accuracy: AuditResult.Accuracy) -> String {
        "accuracy \(Wording.measured(accuracy.all)) on all"
            + (accuracy.trusted.map {
                ", \(Wording.measured($0)) on the \(Wording.count(accuracy.trustedSamples)) that are "
                    + "not listed"
            } ?? "")
    }

    /// Those who gave labels, the best first.
    var annotators: String? {
        guard !result.annotators.isEmpty else { return nil }
        let best = result.annotators.sorted { $0.quality > $1.quality }
        let shown = best.count > 4 ? Array(best.prefix(2) + best.suffix(2)) : best
        let names = shown.map { "\($0.name) \(Wording.percent($0.quality)) %" }
        return "\(Wording.count(best.count, "annotator")), how often they are right: "
            + (best.count > 4
                ? names.prefix(2).joined(separator: ", ") + ", … "
                    + names.suffix(2).joined(separator: ", ") : names.joined(separator: ", "))
    }

    /// What checking some labels gains.
    var budget: String? {
        guard let budget = result.budget else { return nil }
        func last(_ gains: [Double]) -> String { Numbers.fixed(100 * (gains.last ?? 0), 2) }
        return
            "checking \(Wording.count(budget.count, "label")) by worth is expected to raise the mean "
            + "probability of the true class by \(last(budget.byWorth)) points "
            + "(by probability \(last(budget.byProbability)), at random \(last(budget.atRandom)))"
    }

    /// What a person found, and whether the audit agrees.
    var sheet: String? {
        guard let sheet = result.sheet, let rate = sheet.rate.estimate else { return nil }
        var text =
            "sheet: \(Wording.count(sheet.rate.found)) of \(Wording.count(sheet.rate.drawn)) judged "
            + "labels wrong, \(Wording.percent(rate)) % "
            + "(\(Wording.interval(sheet.rate.low, sheet.rate.high))): "
            + (sheet.agreesOnRate ? "the audit agrees" : "the audit does not agree")
        if let precision = sheet.precision.estimate {
            text +=
                "; of the list \(Wording.count(sheet.precision.found)) of "
                + "\(Wording.count(sheet.precision.drawn)), \(Wording.percent(precision)) %"
                + (sheet.agreesOnPrecision.map { $0 ? ": it agrees" : ": it does not" } ?? "")
        }
        return text
    }

    /// All that is there, the answer first.
    func all(onPage: Bool = false) -> [String] {
        [rate, onPage ? listed : list, truth, conflicts, overlaps, test, annotators, sheet, budget]
            .compactMap(\.self)
    }
}
