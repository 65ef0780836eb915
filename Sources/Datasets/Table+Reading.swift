import Diagnostics
import Files

extension Table {
    /// One pass over a file.
    struct Reading {
        let file: String
        let options: TableOptions
        private var scanner: Scanner
        private let delimiter: TableOptions.Delimiter
        private let columns: Columns
        private var atFirstRecord = true
        private(set) var lines: [Int] = []
        private var values: [Float] = []
        private var texts: TextList
        private(set) var labels = Words()
        private(set) var clean = Words()
        private(set) var groups = Words()
        private(set) var ids: [String] = []

        func has(_ role: TableLayout.Role) -> Bool { columns.roles.contains(role) }

        var features: Dataset.Features {
            let names = columns.inputs.map { columns.names[$0] }
            return has(.text) ? .text(texts, column: names[0]) : .table(values, columns: names)
        }

        /// Inputs stand in the order in which a network sees them.
        var layout: TableLayout {
            var order = Array(columns.names.indices)
            if options.layout != nil {
                let inputs = Set(columns.inputs)
                order = columns.inputs + order.filter { !inputs.contains($0) }
            }
            return TableLayout(
                columns: order.map { .init(name: columns.names[$0], role: columns.roles[$0]) },
                header: options.header, delimiter: delimiter, decimal: options.decimal,
                skipAtLines: options.skipAtLines, quotes: options.quotes, length: options.length)
        }

        init(
            _ bytes: [UInt8], file: String, options: TableOptions, labelled: Bool
        ) throws(Problem) {
            self.file = file
            self.options = options
            texts = TextList(length: options.length)
            let text = try Reading.content(of: bytes, file: file)
            (scanner, delimiter, columns) = try Reading.opened(
                text, file: file, options: options, labelled: labelled)
        }

        private static func content(of bytes: [UInt8], file: String) throws(Problem) -> [UInt8] {
            var text = bytes
            if Gunzip.isGzip(bytes) {
                let (content, outcome) = try Gunzip.inflate(bytes, file: file, limit: gzipLimit)
                guard outcome == .whole else { throw .tableTooLarge(file, limit: gzipLimit) }
                text = content
            }
            try checkUTF8(text, file: file)
            return text
        }

        /// The scanner behind the first record, and what the columns are. Where the delimiter is not
        /// given but a layout is, the first that gives the layout's columns is taken.
        private static func opened(
            _ text: [UInt8], file: String, options: TableOptions, labelled: Bool
        ) throws(Problem) -> (Scanner, TableOptions.Delimiter, Columns) {
            var first: Problem?
            for delimiter in options.delimiters(for: file) {
                do throws(Problem) {
                    var scanner = Scanner(
                        text, file: file, options: options, delimiter: delimiter)
                    guard try scanner.next() else { throw .emptyTable(file) }
                    let columns = try Columns(
                        first: scanner.cells.indices.map { scanner.text($0) },
                        line: scanner.recordLine, file: file, options: options,
                        labelled: labelled)
                    return (scanner, delimiter, columns)
                } catch {
                    first = first ?? error
                }
            }
            throw first!
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
            if options.header, let label = columns.roles.firstIndex(of: .label) {
                try columns.checkIsHeader(labels: labels.names, label: label, file: file)
            }
        }

        private mutating func readRow() throws(Problem) {
            let line = scanner.recordLine
            guard scanner.cells.count == columns.names.count else {
                throw .ragged(
                    file, line: line, found: scanner.cells.count, expected: columns.names.count)
            }
            lines.append(line)
            for i in columns.inputs {
                if columns.roles[i] == .text {
                    let cell = scanner.cells[i]
                    texts.append(scanner.bytes[cell.range], doubledQuotes: cell.escaped)
                    continue
                }
                guard
                    let value = Number.float(
                        scanner.bytes, scanner.cells[i].range, point: options.decimal.byte)
                else {
                    throw .notANumber(
                        file, line: line, column: columns.names[i], scanner.text(i),
                        maybeHeader: atFirstRecord, decimal: options.decimal)
                }
                values.append(value)
            }
            for i in columns.others {
                let role = columns.roles[i]
                let text = scanner.text(i)
                // Before it is compared with others.
                if let fault = NameRule.fault(in: text) {
                    throw .unusableName(file, line: line, column: columns.names[i], fault)
                }
                // An identifier may be absent.
                guard !text.isEmpty || role == .id else {
                    throw .emptyCell(file, line: line, column: columns.names[i])
                }
                switch role {
                case .id: ids.append(text)
                case .label: labels.append(text)
                case .clean: clean.append(text)
                default: groups.append(text)
                }
                guard max(labels.names.count, clean.names.count) <= mostClasses else {
                    throw .tooManyClasses(file, line: line, column: columns.names[i], mostClasses)
                }
            }
        }

        /// The classes in order: as told, or as they occur.
        func classNames() throws(Problem) -> [String] {
            try checkPresence(of: groups, .group)
            if let names = options.classNames { return names }
            try checkPresence(of: labels, .label)
            try checkPresence(of: clean, .clean)
            let names = Array(Set(labels.names + clean.names))
            let numbers = names.compactMap { Int($0) }
            guard numbers.count == names.count else { return names.sorted() }
            return zip(numbers, names).sorted { $0 < $1 }.map(\.1)
        }

        /// Refuses words that stand for an absent value: they would become a class, or a group.
        private func checkPresence(of words: Words, _ role: TableLayout.Role) throws(Problem) {
            guard let absent = words.names.firstIndex(where: { Absent.isWord($0) }) else { return }
            throw .absentLabel(
                file, line: lines[words.ids.firstIndex(of: absent)!],
                column: columns.names[columns.roles.firstIndex(of: role)!], words.names[absent],
                rows: words.ids.count { $0 == absent }, isClass: role != .group)
        }

        /// The class of every sample.
        func classes(_ texts: Words, _ names: [String]) throws(Problem) -> [Int] {
            let place = places(of: names)
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
