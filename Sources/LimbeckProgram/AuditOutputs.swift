import Audit
import AuditReports
import AuditRuns
import Diagnostics
import Files
import Foundation

/// What an audit shows: page, words, JSON.
struct AuditOutputs {
    let outcome: AuditOutcome
    let folder: String
    /// Paths of what was written, by what it is.
    let files: [String: String]
    /// YAML.
    let recipe: String

    private var report: String { "\(folder)/report.html" }

    private var object: AuditJSON {
        AuditJSON(outcome.result, folder: folder, files: files, report: report)
    }

    func write() throws(Problem) {
        try LocalFileSystem().replace("\(folder)/audit.json", with: object.file)
        try AuditPage(
            outcome.result, data: outcome.data, testData: outcome.testData, recipe: recipe
        ).write(to: report, using: LocalFileSystem())
    }

    /// - Parameter json: instead of words.
    func show(json: Bool) {
        if json { return Console.print(json: object) }
        let names = files.values.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        Console.print(
            AuditText(
                outcome.result, folder: folder, files: names.sorted(), report: report
            ).text)
    }
}
