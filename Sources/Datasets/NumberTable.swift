import Diagnostics
import Files

/// A table of text (CSV, RFC 4180) that holds nothing but numbers, as float64.
///
/// The first line is a header if one of its cells is no number. Every line has as many cells as the first.
public struct NumberTable: Sendable {
    /// Row after row.
    public let values: [Double]
    public let rows: Int
    public let columns: Int
    /// Of the header; nil if there is none.
    public let names: [String]?

    /// - Throws: `Problem` with the line, and the column of what is not a finite number.
    public init(path: String) throws(Problem) {
        try self.init(readFile(path), file: path)
    }

    /// The same from bytes in memory; the file name serves the delimiter and the error messages.
    public init(_ bytes: [UInt8], file: String) throws(Problem) {
        try checkUTF8(bytes, file: file)
        let options = TableOptions()
        var scanner = Table.Scanner(
            bytes, file: file, options: options, delimiter: options.delimiters(for: file)[0])
        var names: [String]?
        var values: [Double] = []
        var (rows, columns) = (0, 0)
        while try scanner.next() {
            if columns == 0 {
                columns = scanner.cells.count
                let isHeader = scanner.cells.contains {
                    Number.double(bytes, $0.range) == nil
                }
                if isHeader {
                    names = scanner.cells.indices.map { scanner.text($0) }
                    continue
                }
            }
            guard scanner.cells.count == columns else {
                throw .ragged(
                    file, line: scanner.recordLine, found: scanner.cells.count, expected: columns)
            }
            for (k, cell) in scanner.cells.enumerated() {
                guard let value = Number.double(bytes, cell.range) else {
                    throw .notANumber(
                        file, line: scanner.recordLine, column: names?[k] ?? "\(k + 1)",
                        scanner.text(k), maybeHeader: false, decimal: .point)
                }
                values.append(value)
            }
            rows += 1
        }
        guard rows > 0 else { throw .emptyTable(file) }
        (self.values, self.rows, self.columns, self.names) = (values, rows, columns, names)
    }
}
