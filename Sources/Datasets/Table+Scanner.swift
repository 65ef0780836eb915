import Diagnostics

extension Table {
    /// Cuts text into records after RFC 4180: cells in quotes may hold delimiters, line breaks and
    /// doubled quotes; lines end with LF, CR LF or CR. Blanks around a cell without quotes, blank
    /// lines and a byte order mark are left out; in a table of one column a blank line is an empty cell,
    /// unless nothing but blank lines is behind it.
    package struct Scanner {
        /// A cell: a range of the text, with doubled quotes still in it if `escaped`.
        package struct Cell {
            var range: Range<Int>
            var escaped = false
        }

        static let mostColumns = 1_000_000

        let bytes: [UInt8]
        let file: String
        let delimiter: UInt8
        let skipAtLines: Bool
        let quotes: Bool
        private var position: Int
        /// The line at `position`, from 1.
        private var line = 1
        /// The line the last record starts on.
        package private(set) var recordLine = 0
        /// The last record.
        package private(set) var cells: [Cell] = []
        /// Nothing but line breaks is behind it.
        private let contentEnd: Int
        /// Whether a blank line is a record with one empty cell.
        private var countsBlankLines = false

        /// - Parameter bytes: well-formed UTF-8.
        package init(
            _ bytes: [UInt8], file: String, options: TableOptions,
            delimiter: TableOptions.Delimiter
        ) {
            self.bytes = bytes
            self.file = file
            self.delimiter = delimiter.byte
            skipAtLines = options.skipAtLines
            quotes = options.quotes
            position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
            contentEnd = (bytes.lastIndex { $0 != 0x0a && $0 != 0x0d } ?? -1) + 1
        }

        /// The text of cell `index` of the last record.
        package func text(_ index: Int) -> String {
            let text = String(decoding: bytes[cells[index].range], as: UTF8.self)
            return cells[index].escaped ? text.replacing("\"\"", with: "\"") : text
        }

        /// Reads the next record into `cells`; false at the end.
        package mutating func next() throws(Problem) -> Bool {
            while position < bytes.count {
                if isBreak(bytes[position]) {
                    if countsBlankLines, position < contentEnd { return blankRecord() }
                    skipBreak()
                } else if skipAtLines, bytes[position] == 0x40 {
                    while position < bytes.count, !isBreak(bytes[position]) { position += 1 }
                } else {
                    break
                }
            }
            guard position < bytes.count else { return false }
            recordLine = line
            cells.removeAll(keepingCapacity: true)
            while true {
                cells.append(
                    quotes && bytes[at: position] == 0x22 ? try quoted() : try plain())
                guard cells.count <= Scanner.mostColumns else {
                    throw .tooManyColumns(file, line: recordLine, most: Scanner.mostColumns)
                }
                guard position < bytes.count else { break }
                if isBreak(bytes[position]) {
                    skipBreak()
                    break
                }
                position += 1  // the delimiter
            }
            countsBlankLines = cells.count == 1
            return true
        }

        private mutating func blankRecord() -> Bool {
            recordLine = line
            cells = [Cell(range: position..<position)]
            skipBreak()
            return true
        }

        private mutating func plain() throws(Problem) -> Cell {
            var start = position
            while position < bytes.count, bytes[position] != delimiter, !isBreak(bytes[position]) {
                if quotes, bytes[position] == 0x22 {
                    throw .strayQuote(file, line: line, at: position)
                }
                position += 1
            }
            var end = position
            while start < end, isBlank(bytes[start]) { start += 1 }
            while end > start, isBlank(bytes[end - 1]) { end -= 1 }
            return Cell(range: start..<end)
        }

        private mutating func quoted() throws(Problem) -> Cell {
            let opened = (line: line, at: position)
            var cell = Cell(range: position..<position)
            position += 1
            let start = position
            while true {
                guard position < bytes.count else {
                    throw .openQuote(file, line: opened.line, at: opened.at)
                }
                if isBreak(bytes[position]) {
                    skipBreak()
                } else if bytes[position] != 0x22 {
                    position += 1
                } else if bytes[at: position + 1] == 0x22 {
                    cell.escaped = true
                    position += 2
                } else {
                    break
                }
            }
            cell.range = start..<position
            position += 1
            if let after = bytes[at: position], after != delimiter, !isBreak(after) {
                throw .afterQuote(file, line: line, at: position)
            }
            return cell
        }

        private func isBreak(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }
        private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

        private mutating func skipBreak() {
            position += bytes[position] == 0x0d && bytes[at: position + 1] == 0x0a ? 2 : 1
            line += 1
        }
    }
}

extension Array {
    /// The element at `index`, or nil past the end.
    subscript(at index: Int) -> Element? { index < count ? self[index] : nil }
}
