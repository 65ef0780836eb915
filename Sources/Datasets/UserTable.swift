import Diagnostics
import Files
import Foundation

/// A table of the user's as cells, to be written again with other columns.
///
/// Records are those that `Table` reads, in the same order. The delimiter is the one that the first line has most
/// of; cells have blanks at their ends only if they were in quotes.
public struct UserTable: Sendable {
    public let path: String
    public let delimiter: TableOptions.Delimiter
    /// The first line.
    public let names: [String]
    public private(set) var rows: [[String]]
    /// Line of each row in the file, from 1.
    public private(set) var lines: [Int]

    /// - Throws: for a file that is no table with a header, or whose rows differ in length.
    public init(_ path: String) throws(Problem) {
        var bytes = try readFile(path)
        if Gunzip.isGzip(bytes) {
            let (content, outcome) = try Gunzip.inflate(bytes, file: path, limit: Table.gzipLimit)
            guard outcome == .whole else { throw .userTableTooLarge(path, Table.gzipLimit) }
            bytes = content
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .userTableNotUTF8(path) }
        self.path = path
        delimiter = UserTable.delimiter(bytes)
        var scanner = Table.Scanner(
            bytes, file: path, options: TableOptions(), delimiter: delimiter)
        guard try scanner.next() else { throw .userTableEmpty(path) }
        names = scanner.cells.indices.map { scanner.text($0) }
        (rows, lines) = ([], [])
        while try scanner.next() {
            guard scanner.cells.count == names.count else {
                throw .userTableCells(path, scanner.recordLine, scanner.cells.count, names.count)
            }
            rows.append(scanner.cells.indices.map { scanner.text($0) })
            lines.append(scanner.recordLine)
        }
        guard !rows.isEmpty else { throw .userTableEmpty(path) }
    }

    /// Where a column stands that an option names, by its name or its number from 0; −1 is the last one.
    public func column(_ word: String, option: String) throws(Problem) -> Int {
        if let place = names.firstIndex(of: word) { return place }
        if let number = Int(word) {
            let place = number < 0 ? names.count + number : number
            if names.indices.contains(place) { return place }
        }
        throw .userTableColumn(path, option, word, names)
    }

    public func cells(_ column: Int) -> [String] { rows.map { $0[column] } }

    /// The table without some columns, and with one more at the end.
    public func replacing(
        _ columns: Set<Int>, with name: String, _ cells: [String]
    ) -> [UInt8] {
        write(
            kept(names, without: columns) + [name],
            zip(rows, cells).lazy.map { kept($0, without: columns) + [$1] })
    }

    /// The table with other cells in some rows of a column.
    public func setting(_ column: Int, _ cells: [Int: String]) -> [UInt8] {
        write(
            names,
            rows.enumerated().lazy.map { i, row in
                guard let cell = cells[i] else { return row }
                var row = row
                row[column] = cell
                return row
            })
    }

    /// The table as it is.
    public var bytes: [UInt8] { write(names, rows) }

    /// A table of some of the rows, in the order given.
    public func subset(_ chosen: [Int]) -> UserTable {
        var subset = self
        (subset.rows, subset.lines) = (chosen.map { rows[$0] }, chosen.map { lines[$0] })
        return subset
    }

    private func kept(_ row: [String], without columns: Set<Int>) -> [String] {
        row.indices.filter { !columns.contains($0) }.map { row[$0] }
    }

    private func write(_ names: [String], _ rows: some Sequence<[String]>) -> [UInt8] {
        var bytes = line(names)
        for row in rows { bytes += line(row) }
        return bytes
    }

    private func line(_ cells: [String]) -> [UInt8] {
        let separator =
            switch delimiter {
            case .comma: ","
            case .tab: "\t"
            case .semicolon: ";"
            }
        // In quotes where the cell holds the delimiter; a comma puts it there in any case.
        let words = cells.map { cell in
            guard !cell.isEmpty else { return "" }
            let quoted = CSV.cell(cell)
            let isPlain = quoted.utf8.first != UInt8(ascii: "\"")
            return isPlain && cell.contains(separator) ? "\"\(cell)\"" : quoted
        }
        return Array((words.joined(separator: separator) + "\n").utf8)
    }

    /// Of the first line, whichever is there most often outside quotes.
    private static func delimiter(_ bytes: [UInt8]) -> TableOptions.Delimiter {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == 10 || byte == 13 { break }
            counts[byte, default: 0] += 1
        }
        let (commas, semicolons, tabs) = (counts[0x2c] ?? 0, counts[0x3b] ?? 0, counts[9] ?? 0)
        if semicolons > max(commas, tabs) { return .semicolon }
        return tabs > commas ? .tab : .comma
    }
}

extension Problem {
    fileprivate static func userTableNotUTF8(_ path: String) -> Problem {
        Problem(
            .data, "the text is not UTF-8", at: .file(path), hint: "save the table as CSV UTF-8")
    }

    fileprivate static func userTableTooLarge(_ path: String, _ limit: Int) -> Problem {
        Problem(
            .data, "the table is too large", at: .file(path),
            expected: "at most \(limit >> 20) MiB when decompressed")
    }

    fileprivate static func userTableEmpty(_ path: String) -> Problem {
        Problem(
            .data, "the table is empty", at: .file(path),
            expected: "a line of column names and a line for each sample")
    }

    fileprivate static func userTableCells(
        _ path: String, _ line: Int, _ found: Int, _ expected: Int
    ) -> Problem {
        Problem(
            .data, "wrong number of cells", at: .file(path, "line \(line)"), found: "\(found)",
            expected: "\(expected), as in the first line")
    }

    fileprivate static func userTableColumn(
        _ path: String, _ option: String, _ word: String, _ names: [String]
    ) -> Problem {
        Problem(
            .data, "no such column", at: .file(path, option),
            found: "\"\(oneLine(word, limit: 60))\"",
            expected: oneLine(names.prefix(20).joined(separator: ", "), limit: 200)
                + (names.count > 20 ? ", …" : ""),
            hint: Suggestion.nearest(to: word, among: Array(names.prefix(100)))
                .map { "is it \"\(oneLine($0, limit: 40))\"?" })
    }
}
