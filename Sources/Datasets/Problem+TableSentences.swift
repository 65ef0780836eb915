import Diagnostics

// MARK: - Tables

extension Problem {
    static func tableTooLarge(_ file: String, limit: Int) -> Problem {
        Problem(
            .data, "gzip data unpacks to too much", at: .file(file),
            expected: "at most \(limit) bytes", hint: "unpack the file first")
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

    static func columnTwice(
        _ file: String, line: Int, _ name: String, isNumber: Bool
    ) -> Problem {
        Problem(
            .data, "column name occurs twice", at: .file(file, "line \(line)"),
            found: quote(name), hint: isNumber ? withoutHeader : "rename one of the columns")
    }

    static func headerOfNumbers(_ file: String, line: Int) -> Problem {
        Problem(
            .data, "header holds only numbers", at: .file(file, "line \(line)"),
            hint: withoutHeader)
    }

    static func headerIsData(_ file: String, line: Int, label: String?) -> Problem {
        Problem(
            .data, "the header seems to be a sample", at: .file(file, "line \(line)"),
            found: label.map { "the label \(quote($0)) as the name of a column" }
                ?? "numbers as names of the columns",
            hint: withoutHeader + "; in one with a header "
                + (label == nil
                    ? "name the label column \"label\"" : "rename the label column"))
    }

    private static var withoutHeader: String {
        "for a table without a header set data.header: false, or give --no-header"
    }

    static func unnamedColumn(_ file: String, line: Int, _ position: Int) -> Problem {
        Problem(
            .data, "a column has no name", at: .file(file, "line \(line)", "column \(position)"),
            expected: "a name for every feature",
            hint:
                "data.drop: [\(position)] leaves it out, data.id: \(position) carries it into the outputs"
        )
    }

    static func unusableName(
        _ file: String, line: Int, column: String, _ fault: String
    ) -> Problem {
        Problem(
            .data, "text that cannot be a name", at: cell(file, line, column), found: fault,
            expected: NameRule.expected)
    }

    static func noFeatureColumn(_ file: String, _ columns: Int, first: String) -> Problem {
        let others: [(Character, String)] = [(";", "semicolon"), ("\t", "tab"), (",", "comma")]
        let found = columns == 1 ? others.first { first.contains($0.0) } : nil
        return Problem(
            .data, "no column is left for the features", at: .file(file),
            found: "\(columns) column\(columns == 1 ? "" : "s")",
            hint: found.map { "set data.delimiter: \($0.1), or give --delimiter \($0.1)" }
                ?? "is the delimiter right?")
    }

    static func columnMissing(_ file: String, _ name: String, among names: [String]) -> Problem {
        let near = Suggestion.nearest(to: name, among: Array(names.prefix(1000)))
        let isData = names.allSatisfy { Double($0) != nil }
        return Problem(
            .data, "a column of training is missing", at: .file(file), found: "no \(quote(name))",
            hint: isData
                ? withoutHeader
                : near.map { "rename the column \(quote($0))" }
                    ?? "columns are matched by name, in any order")
    }

    static func columnCount(_ file: String, _ found: Int, expected: [Int]) -> Problem {
        Problem(
            .data, "wrong number of columns", at: .file(file), found: "\(found)",
            expected: expected.map(String.init).joined(separator: " or ") + " as in training",
            hint: "without a header columns are matched by position")
    }

    static func absentLabel(
        _ file: String, line: Int, column: String, _ word: String, rows: Int, isClass: Bool
    ) -> Problem {
        Problem(
            .data, "a word that stands for an absent value", at: cell(file, line, column),
            found: "\(quote(word)) in \(rows) row\(rows == 1 ? "" : "s")",
            expected: isClass ? "a label" : "a group",
            hint: isClass
                ? "remove these rows, or list the word in data.class-names if it is a class"
                : "remove these rows, or give each a group of its own")
    }

    static func noColumn(_ file: String, _ index: Int, count: Int, isName: Bool) -> Problem {
        Problem(
            .data, "column does not exist", at: .file(file), found: "position \(index)",
            expected: "\(-count) to \(count - 1)",
            hint: isName ? "the column of that name is \"\(index)\", in quotes" : nil)
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
        _ file: String, line: Int, column: String, _ text: String, maybeHeader: Bool,
        decimal: TableOptions.Decimal
    ) -> Problem {
        if text.isEmpty { return emptyCell(file, line: line, column: column) }
        return Problem(
            .data, "cell is not a number", at: cell(file, line, column), found: quote(text),
            hint: maybeHeader
                ? "for a table with a header set header: true"
                : Number.hint(for: text, decimal: decimal))
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
