import Diagnostics
import Files
import Foundation
import Report

// What an objective has to show: `sections.json`, and `columns.csv` with a line per training sample.

extension PhaseTrainer {
    /// Writes the objective's sections, and keeps their numbers in the result.
    func addSections(to result: inout PhaseResult) throws {
        let context = EpochContext(trainer: self)
        result.metric = evaluator.metric
        try objective.finish(context)
        let sections =
            try objective.sections(of: result, context) + self.context.shown
            + (dynamics.map { [$0.section(of: self.context)] } ?? [])
        result.sections = sections.map(\.numbers)
        try SectionFiles.write(
            sections, of: spec.name, rows: self.context.rows, to: folder, using: environment.files)
    }
}

/// The sections of a finished phase, in its folder.
enum SectionFiles {
    private static let limit = 1 << 30  // bytes

    /// - Parameters:
    ///   - phase: whose name begins those of the columns, so that they differ from all others.
    ///   - rows: samples of the training split, as many as a column has cells.
    static func write(
        _ sections: [Section], of phase: String, rows: Int, to folder: String,
        using files: any FileSystem
    ) throws(Problem) {
        let shown = sections.map { section in
            var shown = section
            shown.columns = []
            shown.imageGrids = section.imageGrids.map { $0.bounded() }
            return shown
        }
        try files.replace("\(folder)/sections.json", with: JSON.line(shown))
        let columns = sections.flatMap(\.columns)
        guard !columns.isEmpty else { return }
        var names: Set<String> = []
        for column in columns {
            guard column.cells.count == rows else {
                throw .columnLength(column.name, column.cells.count, rows: rows, phase: phase)
            }
            guard names.insert(column.name).inserted else {
                throw .twoColumnsOfOneName(column.name, phase: phase)
            }
        }
        // One line for each sample, whatever stands in a cell.
        let lines = (0..<rows).lazy.map { row in
            columns.map { $0.cells[row].isEmpty ? nil : PlainText.escaped($0.cells[row]) }
        }
        try files.replace(
            "\(folder)/columns.csv",
            with: CSV.file(columns.map { PlainText.escaped("\(phase).\($0.name)") }, lines))
    }

    static func read(_ folder: String, remedy: Remedy) throws(Problem) -> [Section] {
        let path = "\(folder)/sections.json"
        let bytes = try readFile(path, limit: limit)
        guard let sections = try? JSON.read([Section].self, bytes) else {
            throw .recordDamaged(path, remedy)
        }
        return sections
    }

    /// Lines of a `columns.csv`.
    struct Columns {
        var names: Substring
        /// Of each sample of the training split.
        var rows: [Substring]
        /// Of a sample that the columns do not have.
        var unknown: Substring
    }

    /// Nil where no section has columns.
    static func columns(_ folder: String) throws(Problem) -> Columns? {
        let path = "\(folder)/columns.csv"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let lines = String(decoding: try readFile(path), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard let names = lines.first else { return nil }
        return Columns(
            names: names, rows: Array(lines.dropFirst()),
            unknown: CSV.line(Array(repeating: nil, count: CSV.count(of: names)))[...])
    }
}

extension Problem {
    static func columnLength(_ name: String, _ count: Int, rows: Int, phase: String) -> Problem {
        Problem(
            .internal, "a column of a section has not one cell per training sample",
            at: .init(detail: ["phase \(phase)", "column \(oneLine(name, limit: 60))"]),
            found: "\(count) cells", expected: "\(rows)")
    }
    static func twoColumnsOfOneName(_ name: String, phase: String) -> Problem {
        Problem(
            .internal, "two columns of sections have one name",
            at: .init(detail: ["phase \(phase)"]), found: "\"\(oneLine(name, limit: 60))\"")
    }
}
