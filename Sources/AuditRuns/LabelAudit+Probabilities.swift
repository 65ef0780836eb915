import Audit
import Datasets
import Diagnostics
import Foundation

extension LabelAudit {
    /// Judges by somebody's probabilities; nothing is trained, and no label changed on purpose, so that the
    /// transition matrix alone says how likely each label is wrong.
    ///
    /// - Parameter path: a row per sample of the data as read; see ``ProbabilityTable``.
    public func judge(
        _ path: String, asking question: Question = .init()
    ) throws(Problem) -> AuditOutcome {
        let table = try ProbabilityTable(path: path)
        let samples = try AuditSamples(recipe, files: files, ownTest: false)
        guard table.rows == samples.learning.data.count else {
            throw .probabilityRows(path, table.rows, samples.learning.data.count)
        }
        guard table.classes == samples.classes else {
            throw .probabilityClasses(path, table.classes, samples.classes)
        }
        // Refuses what are no probabilities.
        _ = try ConfidentLearning(table, labels: samples.learning.data.labels)
        func said(_ part: AuditSamples.Part) throws(Problem) -> OutOfSample {
            var rows: [Double] = []
            rows.reserveCapacity(part.count * table.classes)
            for row in part.rows { rows += table.row(row).map { log(max($0, 1e-30)) } }
            return try OutOfSample(
                logProbabilities: rows, labels: part.labels, classes: table.classes)
        }
        var judgement = Judgement(samples, try said(samples.learning), seed: recipe.seed)
        judgement.test = try samples.test.map { (part) throws(Problem) in try said(part) }
        return try judgement.outcome(name: recipe.name, source: .file(path), asking: question)
    }
}
