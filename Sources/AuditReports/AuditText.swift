import Audit
import Diagnostics

/// What an audit says in a terminal: a few lines, the answer first.
///
///     3,400 samples judged by five folds of early-learning (held-out predictions agree with 55.1 % of …)
///     about 41 % of the labels are wrong (36 to 46 %)
///     list: 1,380 samples, about 1,220 ± 80 of them wrong (precision 88 %, 82 to 93 %)
///
/// Of wrong labels nobody knows the number: it is an estimate with its interval, and where predictions tell nothing
/// it is said to be unknown.
public struct AuditText: Sendable {
    public let lines: [String]

    /// - Parameters:
    ///   - folder: that of the audit.
    ///   - files: names in it that are worth reading; empty where nothing was written.
    ///   - report: path of the page; nil where there is none.
    public init(
        _ result: AuditResult, folder: String, files: [String] = [], report: String? = nil
    ) {
        let findings = Findings(result)
        var lines = [findings.judged] + findings.all()
        lines += result.warnings.map { "warning: " + $0 }
        let made =
            (files.isEmpty ? [] : ["files in \(folder): \(files.joined(separator: ", "))"])
            + (report.map { ["report: \($0)"] } ?? [])
        if !made.isEmpty { lines.append(made.joined(separator: "; ")) }
        self.lines = lines.map { PlainText.escaped($0) }
    }

    /// The lines, without a line feed at the end.
    public var text: String { lines.joined(separator: "\n") }
}
