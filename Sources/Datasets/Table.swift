import Diagnostics
import Files

/// Reader of comma-, tab- or semicolon-separated tables (RFC 4180, UTF-8), plain or
/// gzip-compressed: one sample a line, a label column, the other columns numbers.
///
/// Cells that are empty or not a finite number are refused with line and column: how to fill gaps
/// is the user's decision. Numbers are written with a point, with or without an exponent, and are
/// rounded to float32; −0 becomes 0. Memory is at most a small multiple of the file.
///
/// With `options.text`, samples are the texts of one column instead. A text may be empty, and may
/// hold anything that UTF-8 can; only its first `options.length` characters are kept.
public enum Table {
    /// More content than this is not decompressed.
    public static let gzipLimit = 1 << 30
    /// More classes than this are taken for a mistaken label column.
    public static let mostClasses = 10_000

    public static func read(
        _ file: String, options: TableOptions = TableOptions(), name: String? = nil
    ) throws(Problem) -> Dataset {
        try dataset(try readFile(file), file: file, options: options, name: name ?? file)
    }

    /// The same from bytes in memory; the file name serves the delimiter and the error messages.
    public static func dataset(
        _ bytes: [UInt8], file: String, options: TableOptions = TableOptions(), name: String
    ) throws(Problem) -> Dataset {
        var reading = try Reading(bytes, file: file, options: options, labelled: true)
        try reading.readRows()
        let names = try reading.classNames()
        return try Dataset(
            name: name,
            features: options.text == nil
                ? .table(reading.values, columns: reading.columns)
                : .text(reading.texts, column: reading.columns[0]),
            labels: try reading.classes(reading.labels, names),
            clean: options.clean == nil ? nil : try reading.classes(reading.clean, names),
            groups: options.group == nil ? nil : reading.groups.ids, classNames: names)
    }

    /// A table's features without labels, for prediction: row-major values and column names. The
    /// label, clean and group columns are left out where they exist.
    public static func features(
        _ bytes: [UInt8], file: String, options: TableOptions = TableOptions()
    ) throws(Problem) -> (values: [Float], columns: [String]) {
        var reading = try Reading(bytes, file: file, options: options, labelled: false)
        try reading.readRows()
        return (reading.values, reading.columns)
    }

    /// A table's texts without labels, for prediction; `options.text` names their column.
    public static func texts(
        _ bytes: [UInt8], file: String, options: TableOptions
    ) throws(Problem) -> TextList {
        var reading = try Reading(bytes, file: file, options: options, labelled: false)
        try reading.readRows()
        return reading.texts
    }

    /// Different words and the order in which they came.
    struct Words {
        var ids: [Int] = []
        private(set) var names: [String] = []
        private var known: [String: Int] = [:]

        mutating func append(_ text: String) {
            if let id = known[text] {
                ids.append(id)
            } else {
                known[text] = names.count
                ids.append(names.count)
                names.append(text)
            }
        }
    }

    /// One pass over a file.
    struct Reading {
        let file: String
        let options: TableOptions
        var scanner: Scanner
        /// Names of all columns (their positions where they have none), and what becomes of each.
        private var header: [String] = []
        private var roles: [Role] = []
        private var atFirstRecord = true
        private(set) var lines: [Int] = []
        private(set) var values: [Float] = []
        private(set) var texts: TextList
        private(set) var labels = Words()
        private(set) var clean = Words()
        private(set) var groups = Words()

        enum Role { case feature, text, label, clean, group, dropped }

        /// The names of the feature columns, or of the one with the texts.
        var columns: [String] {
            zip(header, roles).filter { $0.1 == .feature || $0.1 == .text }.map(\.0)
        }

        init(
            _ bytes: [UInt8], file: String, options: TableOptions, labelled: Bool
        ) throws(Problem) {
            self.file = file
            self.options = options
            texts = TextList(length: options.length)
            var text = bytes
            if Gunzip.isGzip(bytes) {
                let (content, outcome) = try Gunzip.inflate(bytes, file: file, limit: gzipLimit)
                guard outcome == .whole else { throw .tableTooLarge(file, limit: gzipLimit) }
                text = content
            }
            scanner = try Scanner(text, file: file, options: options)
            guard try scanner.next() else { throw .emptyTable(file) }
            let first = scanner.cells.indices.map { scanner.text($0) }
            if options.header {
                try Reading.checkHeader(first, file: file, line: scanner.recordLine)
                header = first.enumerated().map { $1.isEmpty ? "\($0)" : $1 }
            } else {
                header = first.indices.map { "\($0)" }
            }
            roles = try Reading.roles(header, options, file: file, labelled: labelled)
            guard roles.contains(where: { $0 == .feature || $0 == .text }) else {
                throw .noFeatureColumn(file, header.count)
            }
        }

        private static func checkHeader(
            _ names: [String], file: String, line: Int
        ) throws(Problem) {
            var seen: Set<String> = []
            for name in names where !name.isEmpty && !seen.insert(name).inserted {
                throw .columnTwice(file, line: line, name)
            }
            // Numbered columns are a header, other numbers are somebody's first sample.
            let numbers = names.compactMap { Double($0) }
            let counted = names.indices.map { Double($0) }
            if numbers.count == names.count, numbers != counted,
                numbers != counted.map({ $0 + 1 })
            {
                throw .headerOfNumbers(file, line: line)
            }
        }

        private static func roles(
            _ header: [String], _ options: TableOptions, file: String, labelled: Bool
        ) throws(Problem) -> [Role] {
            // What becomes of a column of which nothing is said.
            let rest: Role = options.text == nil ? .feature : .dropped
            var roles = [Role](repeating: rest, count: header.count)
            func place(_ column: TableOptions.Column) throws(Problem) -> Int {
                switch column {
                case .index(let index):
                    let place = index < 0 ? header.count + index : index
                    guard header.indices ~= place else {
                        throw .noColumn(file, index, count: header.count)
                    }
                    return place
                case .name(let name):
                    guard let place = header.firstIndex(of: name) else {
                        throw .noColumn(file, name, among: header)
                    }
                    return place
                }
            }
            func give(_ column: TableOptions.Column, _ role: Role) throws(Problem) {
                let at: Int
                do {
                    at = try place(column)
                } catch {
                    // Without labels, a file need not have the columns that go with them.
                    let mayLack = role != .dropped && role != .text
                    if !labelled, mayLack, case .name = column { return }
                    throw error
                }
                guard roles[at] == rest else { throw .columnRoles(file, header[at]) }
                roles[at] = labelled || role == .text ? role : .dropped
            }
            if let column = options.text { try give(column, .text) }
            if labelled || options.label != .index(-1) { try give(options.label, .label) }
            if let column = options.clean { try give(column, .clean) }
            if let column = options.group { try give(column, .group) }
            for column in options.dropped { try give(column, .dropped) }
            return roles
        }

        mutating func readRows() throws(Problem) {
            if options.header {
                guard try scanner.next() else { throw .emptyTable(file) }
                atFirstRecord = false
            }
            repeat {
                try readRow()
                atFirstRecord = false
            } while try scanner.next()
        }

        private mutating func readRow() throws(Problem) {
            let line = scanner.recordLine
            guard scanner.cells.count == header.count else {
                throw .ragged(file, line: line, found: scanner.cells.count, expected: header.count)
            }
            lines.append(line)
            for (i, role) in roles.enumerated() {
                switch role {
                case .dropped: continue
                case .text:
                    let cell = scanner.cells[i]
                    texts.append(scanner.bytes[cell.range], doubledQuotes: cell.escaped)
                case .feature:
                    guard let value = Number.float(scanner.bytes, scanner.cells[i].range) else {
                        throw .notANumber(
                            file, line: line, column: header[i], scanner.text(i),
                            maybeHeader: atFirstRecord)
                    }
                    values.append(value)
                case .label, .clean, .group:
                    let text = scanner.text(i)
                    guard !text.isEmpty else {
                        throw .emptyCell(file, line: line, column: header[i])
                    }
                    switch role {
                    case .label: labels.append(text)
                    case .clean: clean.append(text)
                    default: groups.append(text)
                    }
                    guard max(labels.names.count, clean.names.count) <= mostClasses else {
                        throw .tooManyClasses(file, line: line, column: header[i], mostClasses)
                    }
                }
            }
        }

        /// The classes in order: as told, or as they occur.
        func classNames() throws(Problem) -> [String] {
            if let names = options.classNames { return names }
            let names = Array(Set(labels.names + clean.names))
            let numbers = names.compactMap { Int($0) }
            guard numbers.count == names.count else { return names.sorted() }
            return zip(numbers, names).sorted { $0 < $1 }.map(\.1)
        }

        /// The class of every sample.
        func classes(_ texts: Words, _ names: [String]) throws(Problem) -> [Int] {
            let place = Dictionary(
                names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let classes = texts.names.map { place[$0] }
            if let unknown = classes.firstIndex(of: nil) {
                throw .unknownClass(
                    file, line: lines[texts.ids.firstIndex(of: unknown)!], texts.names[unknown],
                    among: names)
            }
            return texts.ids.map { classes[$0]! }
        }
    }
}

enum Number {
    /// The number that `bytes[range]` spells: sign, digits with at most one point, exponent.
    /// Nothing else (no `nan`, no `0x10`, no `1,5`) and nothing beyond float32's range.
    static func float(_ bytes: [UInt8], _ range: Range<Int>) -> Float? {
        var i = range.lowerBound
        let end = range.upperBound
        func digits() -> Int {
            let start = i
            while i < end, bytes[i] &- 0x30 < 10 { i += 1 }
            return i - start
        }
        var negative = false
        if i < end, bytes[i] == 0x2b || bytes[i] == 0x2d {
            negative = bytes[i] == 0x2d
            i += 1
        }
        let first = i
        var count = digits()
        if i == end, 1...15 ~= count {  // whole numbers, most cells, are exact in a Double
            let value = bytes[first..<end].reduce(0) { $0 * 10 + Int($1 - 0x30) }
            return Float(negative ? -value : value)
        }
        if i < end, bytes[i] == 0x2e {
            i += 1
            count += digits()
        }
        guard count > 0 else { return nil }
        if i < end, bytes[i] | 0x20 == 0x65 {
            i += 1
            if i < end, bytes[i] == 0x2b || bytes[i] == 0x2d { i += 1 }
            guard digits() > 0 else { return nil }
        }
        guard i == end, let value = Double(String(decoding: bytes[range], as: UTF8.self)),
            Float(value).isFinite
        else { return nil }
        return Float(value) + 0  // −0 + 0 = 0
    }
}
