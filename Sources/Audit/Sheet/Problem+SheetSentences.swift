import Diagnostics

// Every sentence about the sheet that a person fills in; tests pin them.
extension Problem {
    private static let column = "a column verdict with right, wrong or unsure"

    static func verdictsNotUTF8(_ path: String) -> Problem {
        Problem(
            .data, "the text is not UTF-8", at: .file(path), hint: "save the sheet as CSV UTF-8")
    }

    static func verdictsEmpty(_ path: String) -> Problem {
        Problem(.data, "the sheet is empty", at: .file(path), expected: column)
    }

    static func verdictsColumn(_ path: String, _ name: String, among names: [String]) -> Problem {
        Problem(
            .data, "the sheet has no column \"\(name)\"", at: .file(path, "line 1"),
            found: names.prefix(20).joined(separator: ", "),
            hint: Suggestion.nearest(to: name, among: Array(names.prefix(100)))
                .map { "is it \"\(oneLine($0, limit: 40))\"?" })
    }

    static func verdictsCells(_ path: String, _ line: Int, _ found: Int, _ expected: Int) -> Problem
    {
        Problem(
            .data, "wrong number of cells", at: .file(path, "line \(line)"), found: "\(found)",
            expected: "\(expected), as in the header")
    }

    static func verdictsSample(_ path: String, _ line: Int, _ word: String, _ count: Int) -> Problem
    {
        Problem(
            .data, "no such sample", at: .file(path, "line \(line)"), found: "\"\(word)\"",
            expected: "0...\(count - 1)", hint: "is the sheet of other data?")
    }

    static func verdictsTwice(_ path: String, _ line: Int, _ sample: Int, _ before: Int) -> Problem
    {
        Problem(
            .data, "sample \(sample) stands twice", at: .file(path, "line \(line)"),
            hint: "first on line \(before)")
    }

    static func verdictsGiven(_ path: String, _ line: Int, _ found: String, _ own: String)
        -> Problem
    {
        Problem(
            .data, "the sheet shows another given label than the data has",
            at: .file(path, "line \(line)"), found: "\"\(oneLine(found, limit: 60))\"",
            expected: "\"\(oneLine(own, limit: 60))\"", hint: "is the sheet of other labels?")
    }

    static func verdictsWord(_ path: String, _ line: Int, _ word: String) -> Problem {
        Problem(
            .data, "not a verdict", at: .file(path, "line \(line)"), found: "\"\(word)\"",
            expected: "right, wrong, unsure, or nothing",
            hint: Suggestion.nearest(
                to: word.lowercased(), among: Verdicts.words.keys.filter { $0.count > 2 }.sorted()
            ).map { "did you mean \"\($0)\"?" })
    }

    static func verdictsNone(_ path: String) -> Problem {
        Problem(.data, "no sample has a verdict", at: .file(path), expected: column)
    }
}
