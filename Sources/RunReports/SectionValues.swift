import Report
import Training

/// The values of sections as tables, whatever they are about: one table for each title, with a line for
/// each row, phase and subject, and means over the phases of several seeds.
struct SectionValues {
    /// One phase's sections under the name of a row.
    struct Entry {
        var row: String
        var phase: String
        /// Phases of one key are one: a row that shares it with another adds nothing.
        var key: String
        var sections: [Section]
    }

    private let entries: [Entry]
    /// Head of the first column.
    private let head: String

    init(_ entries: [Entry], head: String) {
        self.entries = entries
        self.head = head
    }

    /// Of a run, in which a row is a phase. Sections with tables of their own show their values there.
    init(of run: RunRecord) {
        self.init(
            zip(run.scores.phases, run.sections).map { phase, sections in
                Entry(
                    row: phase.name, phase: phase.name, key: phase.key,
                    sections: sections.filter(\.tables.isEmpty))
            }, head: "phase")
    }

    /// Of a comparison.
    init(_ groups: [(name: String, cells: [Comparison.Cell])]) {
        self.init(
            groups.flatMap { name, cells in
                cells.flatMap { cell in
                    cell.results.map {
                        Entry(row: name, phase: $0.name, key: $0.key, sections: $0.sections)
                    }
                }
            }, head: "method")
    }

    var tables: [TableModel] {
        distinct(entries.flatMap { $0.sections.filter { !$0.values.isEmpty }.map(\.title) })
            .map(table)
    }

    /// What one line of a table is of.
    private struct Line: Hashable {
        var row: String
        var phase: String
        var subject: String?
    }

    private func table(_ title: String) -> TableModel {
        var lines: [Line] = []
        // By line, the values of each of its phases.
        var found: [Line: [String: [Section.Value]]] = [:]
        var sections: [Section] = []
        for entry in entries {
            for section in entry.sections where section.title == title && !section.values.isEmpty {
                sections.append(section)
                let subjects = distinct(section.values.compactMap(\.subject).map(Optional.init))
                for subject in subjects.isEmpty ? [nil] : subjects {
                    let line = Line(row: entry.row, phase: entry.phase, subject: subject)
                    if found[line] == nil { lines.append(line) }
                    // What has no subject is of all of them.
                    found[line, default: [:]][entry.key] = section.values.filter {
                        $0.subject == subject || $0.subject == nil
                    }
                }
            }
        }
        let columns = distinct(sections.flatMap { $0.values.map(\.name) }).map { name in
            sections.lazy.flatMap(\.values).first { $0.name == name }!
        }
        let inPercent = columns.allSatisfy(\.format.isPercent)
        let hasSubjects = lines.contains { $0.subject != nil }
        // A run's rows are its phases.
        let hasPhases = Set(lines.map(\.phase)).count > 1 && lines.contains { $0.row != $0.phase }
        let rows = merged(lines, found).map { line, name in
            [name] + (hasPhases ? [line.phase] : []) + (hasSubjects ? [line.subject ?? "–"] : [])
                + columns.map { column in
                    let values = found[line]!.sorted { $0.key < $1.key }.compactMap { _, values in
                        values.first { $0.name == column.name }?.value
                    }
                    return values.isEmpty ? "–" : column.format.text(Estimate(values: values))
                }
        }
        return TableModel(
            title: title + (inPercent ? ", in percent" : ""),
            columns: [.init(head)] + (hasPhases ? [.init("phase")] : [])
                + (hasSubjects ? [.init(sections.compactMap(\.subject).first ?? "of")] : [])
                + columns.map { column in
                    .init(
                        column.title + (column.format.isPercent && !inPercent ? " (%)" : ""),
                        .trailing)
                }, rows: rows, note: sections.compactMap(\.note).first)
    }

    /// Lines of the very same phases as one, under the first one's name.
    private func merged(
        _ lines: [Line], _ found: [Line: [String: [Section.Value]]]
    ) -> [(line: Line, name: String)] {
        struct Phases: Hashable {
            var keys: Set<String>
            var subject: String?
        }
        var groups: [Phases: [Line]] = [:]
        var order: [Phases] = []
        for line in lines {
            let phases = Phases(keys: Set(found[line]!.keys), subject: line.subject)
            if groups[phases] == nil { order.append(phases) }
            groups[phases, default: []].append(line)
        }
        return order.map { phases in
            let group = groups[phases]!
            let more = group.count == 1 ? "" : " and \(group.count - 1) more"
            return (group[0], group[0].row + more)
        }
    }
}

/// In the order of their first appearance.
private func distinct<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
}
