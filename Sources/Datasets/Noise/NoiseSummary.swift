import Diagnostics
import Foundation

/// Plain text about a ``NoisyLabels`` for a terminal: kind, rates, hash, warnings, a row per class
/// and the transition matrix.
public struct NoiseSummary: Sendable, CustomStringConvertible {
    /// Without newlines at their ends, at most about 100 columns wide.
    public let lines: [String]

    public var description: String { lines.joined(separator: "\n") }

    /// A matrix of more classes than this is told by its largest entries.
    static let widestMatrix = 12
    /// So many classes have a row of their own; the others are counted.
    static let longestTable = 100

    public init(_ noisy: NoisyLabels) {
        guard let transition = noisy.realisedTransition, let rate = noisy.realisedRate else {
            lines = Self.unknown(noisy)
            return
        }
        lines =
            Self.head(noisy, rate) + [""] + Self.classes(noisy, transition) + [""]
            + (noisy.classCount <= Self.widestMatrix
                ? Self.matrix(noisy, transition) : Self.flows(noisy, transition))
    }

    /// What can be said where no clean label is known: how often each class was given.
    private static func unknown(_ noisy: NoisyLabels) -> [String] {
        var given = [Int](repeating: 0, count: noisy.classCount)
        for label in noisy.labels { given[label] += 1 }
        var lines = [
            "noise      \(noisy.noise.kind.rawValue)",
            "realised   unknown: no clean label is known of these \(noisy.labels.count) labels",
            "sha256     \(noisy.sha256)",
        ]
        lines += noisy.warnings.map { "warning    \($0)" }
        lines += ["", pad("class", 20) + "     given"]
        for c in 0..<min(noisy.classCount, longestTable) {
            lines.append(pad(name(c, noisy), 20) + right("\(given[c])", 10))
        }
        if noisy.classCount > longestTable {
            lines.append("and \(noisy.classCount - longestTable) more classes")
        }
        return lines
    }

    /// `39.8 %`.
    static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

    private static func head(_ noisy: NoisyLabels, _ rate: Double) -> [String] {
        let noise = noisy.noise
        var kind = noise.kind.rawValue
        if noise.kind != .clean {
            if let wanted = noise.rate { kind += ", rate \(wanted)" }
            if let map = noise.map { kind += ", map \(map.name)" }
            if let path = noise.path {
                kind += " \(Problem.oneLine(path))"
            } else {
                kind += ", seed \(noisy.seed)"
            }
        }
        var lines = ["noise      \(kind)"]
        if noisy.compatibility { lines.append("mode       compatibility") }
        let intended = noisy.intendedRate.map { "intended \(percent($0))" } ?? "no intended rate"
        let changed = zip(noisy.clean, noisy.labels).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        lines.append(
            "realised   \(percent(rate)): \(changed) of \(noisy.labels.count) labels "
                + "(\(intended))")
        lines.append("sha256     \(noisy.sha256)")
        return lines + noisy.warnings.map { "warning    \($0)" }
    }

    private static func classes(
        _ noisy: NoisyLabels, _ transition: [[Double]]
    ) -> [String] {
        var lines = [pad("class", 20) + "   samples   changed   most often given instead"]
        for a in 0..<min(noisy.classCount, longestTable) {
            var line = pad(name(a, noisy), 20) + right("\(noisy.counts[a])", 10)
            if noisy.counts[a] == 0 {
                lines.append(line + right("-", 10) + "   no samples")
                continue
            }
            let row = transition[a]
            line += right(percent(1 - row[a]), 10)
            let others = row.indices.filter { $0 != a && row[$0] > 0 }
                .sorted { (row[$1], $0) < (row[$0], $1) }
            let told = others.prefix(3).map { "\(name($0, noisy)) \(percent(row[$0]))" }
            lines.append(told.isEmpty ? line : line + "   " + told.joined(separator: ", "))
        }
        if noisy.classCount > longestTable {
            lines.append("and \(noisy.classCount - longestTable) more classes")
        }
        return lines
    }

    private static func matrix(
        _ noisy: NoisyLabels, _ transition: [[Double]]
    ) -> [String] {
        let columns = 0..<noisy.classCount
        var lines = ["realised transition, row: clean, column: given"]
        lines.append(pad("", 20) + columns.map { right("\($0)", 6) }.joined())
        for a in columns {
            let row = transition[a].map { right(String(format: "%.3f", $0), 6) }
            let flag = noisy.counts[a] == 0 ? "  no samples" : ""
            lines.append(pad(name(a, noisy), 20) + row.joined() + flag)
        }
        return lines
    }

    private static func flows(_ noisy: NoisyLabels, _ matrix: [[Double]]) -> [String] {
        var flows: [(share: Double, from: Int, to: Int)] = []
        for a in matrix.indices {
            for b in matrix.indices where a != b && matrix[a][b] > 0 {
                flows.append((matrix[a][b], a, b))
            }
        }
        guard !flows.isEmpty else { return ["realised transition: the identity"] }
        flows.sort { ($1.share, $0.from, $0.to) < ($0.share, $1.from, $1.to) }
        return ["realised transition, largest of \(flows.count) entries off the diagonal"]
            + flows.prefix(10).map { flow in
                right(percent(flow.share), 8) + "   \(name(flow.from, noisy)) → "
                    + name(flow.to, noisy)
            }
    }

    /// `3 cat`, or `3` without names.
    private static func name(_ c: Int, _ noisy: NoisyLabels) -> String {
        guard let names = noisy.classNames, c < names.count else { return "\(c)" }
        return "\(c) \(Problem.oneLine(names[c], limit: 14))"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
