import Diagnostics

// MARK: - Tables

extension Problem {
    static func notUTF8(_ file: String, at offset: Int, byte: UInt8) -> Problem {
        Problem(
            .data, "text is not UTF-8", at: .file(file, "byte \(offset)"),
            found: hex([byte]), hint: "save the table as UTF-8")
    }

    static func tableTooLarge(_ file: String, limit: Int) -> Problem {
        Problem(
            .data, "gzip data unpacks to too much", at: .file(file),
            expected: "at most \(limit) bytes")
    }

    static func emptyTable(_ file: String) -> Problem {
        Problem(.data, "table has no samples", at: .file(file))
    }

    static func tooManyColumns(_ file: String, line: Int, most: Int) -> Problem {
        Problem(
            .data, "too many columns", at: .file(file, "line \(line)"), expected: "at most \(most)")
    }

    static func strayQuote(_ file: String, line: Int, at offset: Int) -> Problem {
        Problem(
            .data, "quote inside a cell without quotes",
            at: .file(file, "line \(line)", "byte \(offset)"),
            hint: "put the whole cell in quotes and double the quotes inside")
    }

    static func openQuote(_ file: String, line: Int, at offset: Int) -> Problem {
        Problem(
            .data, "quote is never closed", at: .file(file, "line \(line)", "byte \(offset)"))
    }

    static func afterQuote(_ file: String, line: Int, at offset: Int) -> Problem {
        Problem(
            .data, "text behind a closing quote", at: .file(file, "line \(line)", "byte \(offset)"),
            hint: "is the delimiter right?")
    }

    static func columnTwice(_ file: String, line: Int, _ name: String) -> Problem {
        Problem(
            .data, "column name occurs twice", at: .file(file, "line \(line)"),
            found: quote(name))
    }

    static func headerOfNumbers(_ file: String, line: Int) -> Problem {
        Problem(
            .data, "header holds only numbers", at: .file(file, "line \(line)"),
            hint: "for a table without a header set header: false")
    }

    static func noFeatureColumn(_ file: String, _ columns: Int) -> Problem {
        Problem(
            .data, "no column is left for the features", at: .file(file),
            found: "\(columns) column\(columns == 1 ? "" : "s")", hint: "is the delimiter right?")
    }

    static func noColumn(_ file: String, _ index: Int, count: Int) -> Problem {
        Problem(
            .data, "column does not exist", at: .file(file), found: "\(index)",
            expected: "\(-count) to \(count - 1)")
    }

    static func noColumn(_ file: String, _ name: String, among names: [String]) -> Problem {
        Problem(
            .data, "column does not exist", at: .file(file), found: quote(name),
            hint: Suggestion.hint(for: name, among: Array(names.prefix(20))))
    }

    static func columnRoles(_ file: String, _ name: String) -> Problem {
        Problem(.data, "column is asked for twice", at: .file(file), found: quote(name))
    }

    static func ragged(_ file: String, line: Int, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "wrong number of cells", at: .file(file, "line \(line)"), found: "\(found)",
            expected: "\(expected)")
    }

    static func notANumber(
        _ file: String, line: Int, column: String, _ text: String, maybeHeader: Bool
    ) -> Problem {
        if text.isEmpty { return emptyCell(file, line: line, column: column) }
        return Problem(
            .data, "cell is not a number", at: cell(file, line, column), found: quote(text),
            hint: maybeHeader ? "for a table with a header set header: true" : nil)
    }

    static func emptyCell(_ file: String, line: Int, column: String) -> Problem {
        Problem(
            .data, "cell is empty", at: cell(file, line, column),
            hint: "fill it in, or drop the row or the column")
    }

    static func tooManyClasses(_ file: String, line: Int, column: String, _ most: Int) -> Problem {
        Problem(
            .data, "more than \(most) different labels", at: cell(file, line, column),
            hint: "is this the label column?")
    }

    static func unknownClass(
        _ file: String, line: Int, _ name: String, among names: [String]
    ) -> Problem {
        Problem(
            .data, "label is not one of the classes", at: .file(file, "line \(line)"),
            found: quote(name), hint: Suggestion.hint(for: name, among: Array(names.prefix(20))))
    }

    private static func cell(_ file: String, _ line: Int, _ column: String) -> Place {
        .file(file, "line \(line)", "column \(Problem.oneLine(column, limit: 60))")
    }

    /// Text of the user's, cut and without control characters.
    private static func quote(_ text: String) -> String {
        "\"\(Problem.oneLine(text, limit: 60))\""
    }
}
