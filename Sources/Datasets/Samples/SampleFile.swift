import Diagnostics
import Files

/// A file that says something of single samples, as a recipe names it: `labels: {file: labels.csv}`.
public struct SampleFileOptions: Codable, Equatable, Sendable {
    public var file: String

    public init(file: String) { self.file = file }
}

/// A CSV file with a row for each of some samples, in any order.
///
/// The header names the columns, in any order: `sample`, the zero-based row of the data as read, or `id`, the
/// data's own name of the sample, or both, which then have to agree and so catch a file made for other data.
/// Fields may be quoted after RFC 4180. A sample has at most one row; of those without a row, the file says
/// nothing.
struct SampleFile {
    /// One line of the file.
    struct Row {
        /// From 0, in the data as read.
        var sample: Int
        /// From 1.
        var line: Int
        fileprivate var fields: [String]
    }

    let path: String
    let rows: [Row]
    private let columns: [String: Int]

    /// - Parameters:
    ///   - needed: a column that the file must have.
    ///   - optional: others that it may have, besides `sample` and `id`.
    /// - Throws: for anything else in the header, a row of another length, and a sample that is not there or
    ///   stands twice.
    init(
        _ path: String, of data: Dataset, needed: String, optional: [String] = []
    ) throws(Problem) {
        self.path = path
        var lines = LabelRows(path: path, bytes: try readFile(path, limit: LabelFile.limit))
        lines.blankLine = Problem.sampleFileBlank
        let known = ["sample", "id", needed] + optional
        columns = try SampleFile.header(&lines, known, needed: needed)
        if columns["id"] != nil, data.ids == nil { throw .sampleFileNoIDs(path, data.name) }
        let named = try columns["id"].map { _ throws(Problem) in
            try SampleFile.samples(byID: data.ids ?? [], path)
        }
        var lineOf: [Int: Int] = [:]
        var rows: [Row] = []
        while let row = try lines.next() {
            guard row.fields.count == columns.count else {
                throw .labelFileColumns(path, row.line, row.fields.count, columns.count)
            }
            var sample: Int?
            if let column = columns["id"] {
                let word = row.fields[column]
                guard let found = named?[word] else {
                    throw .sampleFileUnknownID(path, row.line, word)
                }
                sample = found
            }
            if let column = columns["sample"] {
                let word = row.fields[column]
                guard let number = Int(word), 0..<data.count ~= number else {
                    throw .sampleFileUnknown(path, row.line, word, data.count)
                }
                if let sample, sample != number {
                    throw .sampleFileOtherID(path, row.line, number, is: sample)
                }
                sample = number
            }
            guard let sample else { preconditionFailure("a header without samples") }
            if let before = lineOf.updateValue(row.line, forKey: sample) {
                throw .sampleFileTwice(path, row.line, sample, before)
            }
            rows.append(Row(sample: sample, line: row.line, fields: row.fields))
        }
        self.rows = rows
    }

    /// The cell of a row; nil where the file has no such column.
    func cell(_ column: String, of row: Row) -> String? { columns[column].map { row.fields[$0] } }

    private static func header(
        _ lines: inout LabelRows, _ known: [String], needed: String
    ) throws(Problem) -> [String: Int] {
        let example = "a header such as sample,\(needed)"
        guard let row = try lines.next() else { throw .sampleFileEmpty(lines.path, example) }
        var columns: [String: Int] = [:]
        for (i, word) in row.fields.enumerated() {
            let name = word.lowercased()
            guard known.contains(name) else {
                throw .sampleFileHeader(lines.path, row.line, word, known)
            }
            guard columns.updateValue(i, forKey: name) == nil else {
                throw .sampleFileHeaderTwice(lines.path, row.line, word)
            }
        }
        guard columns["sample"] ?? columns["id"] != nil, columns[needed] != nil else {
            throw .sampleFileHeaderShort(
                lines.path, row.line, row.fields.joined(separator: ","), example)
        }
        return columns
    }

    /// Ids as they are, and with their control characters escaped as outputs have them.
    private static func samples(byID ids: [String], _ path: String) throws(Problem) -> [String: Int]
    {
        var samples: [String: Int] = [:]
        for (sample, id) in ids.enumerated() {
            if let before = samples.updateValue(sample, forKey: id) {
                throw .sampleFileIDTwice(path, id, before, sample)
            }
        }
        for (sample, id) in ids.enumerated() {
            let escaped = PlainText.escaped(id)
            if samples[escaped] == nil { samples[escaped] = sample }
        }
        return samples
    }
}
