import Diagnostics
import Files

/// A CSV file of given labels.
///
/// The header names the columns, in any order: `label` (or `given`) is needed; with `index` the
/// rows may stand in any order, without it they stand in the data's order; `clean`, if there, must
/// agree with the data's labels, which catches a file made for other data or another order; where it
/// is empty, nothing is known. Fields may be quoted after RFC 4180. Every sample must have exactly one
/// row. Labels are names or numbers, all of the file the same (`ClassReader`).
struct LabelFile {
    /// Far above any real label file, far below the machine's memory.
    static let limit = 1 << 29

    let path: String

    init(_ path: String) { self.path = path }

    /// The given labels, `[N]`, of the samples `ids` with the labels `clean`.
    ///
    /// - Parameter total: size of the whole data where `ids` are only some of 0..<`total`; the
    ///   file then stands for the whole, and rows of other samples are checked and passed over.
    func labels(
        for clean: [Int], ids: [Int], total: Int?, classCount: Int, classNames: [String]?
    ) throws(Problem) -> [Int] {
        var rows = LabelRows(path: path, bytes: try readFile(path, limit: Self.limit))
        let columns = try header(&rows)
        let positions = Dictionary(zip(ids, 0...), uniquingKeysWith: { first, _ in first })
        let size = total ?? clean.count
        var lineOf: [Int: Int] = [:]  // of an id
        var found: [Found] = []
        var words = Table.Words()
        while let row = try rows.next() {
            guard row.fields.count == columns.count else {
                throw .labelFileColumns(path, row.line, row.fields.count, columns.count)
            }
            let id: Int
            if let column = columns.index {
                let word = row.fields[column]
                guard let number = Int(word) else { throw .labelFileIndex(path, row.line, word) }
                let isOther = total.map { number >= 0 && number < $0 } ?? false
                guard positions[number] != nil || isOther else {
                    throw .labelFileUnknownIndex(path, row.line, word, size)
                }
                id = number
            } else {
                guard found.count < size else { throw .labelFileTooLong(path, row.line, size) }
                id = total == nil ? ids[found.count] : found.count
            }
            if let before = lineOf.updateValue(row.line, forKey: id) {
                throw .labelFileIndexTwice(path, row.line, id, before)
            }
            let given = row.fields[columns.label]
            guard !given.isEmpty else { throw .labelFileBlank(path, row.line) }
            let said = columns.clean.map { row.fields[$0] } ?? ""
            found.append(
                Found(
                    id: id, line: row.line, given: words.number(of: given),
                    clean: said.isEmpty ? nil : words.number(of: said)))
        }
        let classes = ClassReader(
            classCount: classCount, classNames: classNames, words: words.names)
        let numbers = words.names.map { classes[$0] }
        var labels = clean
        for row in found {
            guard let given = numbers[row.given] else {
                throw .labelFileLabel(path, row.line, words.names[row.given], classes)
            }
            if let said = row.clean, numbers[said] == nil {
                throw .labelFileLabel(path, row.line, words.names[said], classes)
            }
            guard let position = positions[row.id] else { continue }
            labels[position] = given
            if let said = row.clean, numbers[said] != clean[position] {
                throw .labelFileClean(
                    path, row.line, words.names[said], clean[position], row.id, classes)
            }
        }
        if columns.index == nil, found.count < size {
            throw .labelFileTooShort(path, found.count, size)
        }
        if let missing = ids.first(where: { lineOf[$0] == nil }) {
            throw .labelFileMissing(path, missing)
        }
        return labels
    }

    /// A row; the words are numbers of those that were found.
    private struct Found {
        var id: Int
        var line: Int
        var given: Int
        var clean: Int?
    }

    private struct Columns {
        var label: Int
        var index: Int?
        var clean: Int?
        var count: Int
    }

    private func header(_ rows: inout LabelRows) throws(Problem) -> Columns {
        guard let row = try rows.next() else { throw .labelFileEmpty(path) }
        var found: [String: Int] = [:]
        for (i, word) in row.fields.enumerated() {
            var name = word.lowercased()
            if name == "given" { name = "label" }
            guard ["index", "label", "clean"].contains(name) else {
                throw .labelFileHeader(path, row.line, word)
            }
            guard found.updateValue(i, forKey: name) == nil else {
                throw .labelFileHeaderTwice(path, row.line, word)
            }
        }
        guard let label = found["label"] else { throw .labelFileNoLabel(path, row.line) }
        return Columns(
            label: label, index: found["index"], clean: found["clean"], count: row.fields.count)
    }
}

/// The rows of a CSV text. Empty lines at the end are passed over; elsewhere they are a mistake.
struct LabelRows {
    struct Row {
        /// The line the row starts on, from 1.
        var line: Int
        var fields: [String]
    }

    /// Longest field in bytes and most fields of a row: what is beyond is not a label file.
    static let fieldLimit = 8 * NameRule.limit
    static let columnLimit = 8

    let path: String
    let bytes: [UInt8]
    /// What a blank line among the rows is.
    var blankLine = Problem.labelFileBlank
    private var position = 0
    private var line = 1

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// The next row, nil at the end of the file.
    mutating func next() throws(Problem) -> Row? {
        let blank = line
        let start = position
        while let byte = peek, byte == .newline || byte == .return || byte.isBlank {
            if byte == .newline { line += 1 }
            position += 1
        }
        guard peek != nil else { return nil }
        guard line == blank else { throw blankLine(path, blank) }
        position = start
        var row = Row(line: line, fields: [])
        while true {
            guard row.fields.count < Self.columnLimit else {
                throw .labelFileWide(path, row.line, Self.columnLimit)
            }
            row.fields.append(try field(row.line))
            guard let byte = peek else { return row }
            position += 1
            if byte == .newline {
                line += 1
                return row
            }
        }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Reads one field and stops at the comma, the newline or the end behind it.
    private mutating func field(_ start: Int) throws(Problem) -> String {
        while let byte = peek, byte.isBlank { position += 1 }
        var text: [UInt8] = []
        let isQuoted = peek == .quote
        if isQuoted {
            position += 1
            while true {
                guard let byte = peek else { throw .labelFileOpenQuote(path, start) }
                position += 1
                if byte == .quote {
                    guard peek == .quote else { break }
                    position += 1
                }
                if byte == .newline { line += 1 }
                text.append(byte)
                guard text.count <= Self.fieldLimit else {
                    throw .labelFileLongField(path, start, Self.fieldLimit)
                }
            }
        }
        while let byte = peek, byte != .comma, byte != .newline {
            guard byte != .quote, !isQuoted || byte.isBlank || byte == .return else {
                throw .labelFileStrayQuote(path, start)
            }
            if !isQuoted { text.append(byte) }
            position += 1
            guard text.count <= Self.fieldLimit else {
                throw .labelFileLongField(path, start, Self.fieldLimit)
            }
        }
        if !isQuoted {
            while let last = text.last, last.isBlank || last == .return { text.removeLast() }
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw .labelFileNotUTF8(path, start)
        }
        return string
    }
}

extension UInt8 {
    fileprivate static let newline = UInt8(ascii: "\n")
    fileprivate static let `return` = UInt8(ascii: "\r")
    fileprivate static let comma = UInt8(ascii: ",")
    fileprivate static let quote = UInt8(ascii: "\"")
    /// A space or a tab.
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
