import Diagnostics

// Sentences on the text of recipes; tests pin them.

extension Problem {
    static func notYAML(_ file: String, line: Int?, _ message: String) -> Problem {
        // What libyaml says of the three mistakes that people make most does not help them.
        var hint: String?
        if message.contains("cannot start any token") {
            hint = "YAML indents with spaces, not tabs; a word that begins with % @ or ` is quoted"
        } else if message.contains("escape") || message.contains("hexdecimal") {
            hint = "in double quotes a backslash begins an escape: use single quotes"
        }
        return Problem(
            .data, "not YAML: \(oneLine(message, limit: 160))",
            at: Place(file: file, detail: line.map { ["line \($0)"] } ?? []), hint: hint)
    }
    static func recipeMarks(_ file: String, line: Int) -> Problem {
        Problem(
            .data, "text that cannot be compared", at: .file(file, "line \(line)"),
            found: "more than 30 combining marks in a row", expected: "at most 30")
    }
    static func recipeWord(_ file: String, line: Int?, _ fault: String) -> Problem {
        Problem(
            .data, "a word is too long",
            at: Place(file: file, detail: line.map { ["line \($0)"] } ?? []), found: fault,
            expected: NameRule.expected)
    }
    static func recipeKey(_ file: String, line: Int?) -> Problem {
        Problem(
            .data, "a key must be a word",
            at: Place(file: file, detail: line.map { ["line \($0)"] } ?? []),
            found: "a list, a mapping or an alias")
    }
    static func decimalComma(_ key: String, _ found: String) -> Problem {
        Problem(
            .data, "a number with a comma", at: Place(detail: [key]), found: oneLine(found),
            hint: "write \(oneLine(found).replacing(",", with: "."))")
    }
    static func maxStagesOfFixedOnes() -> Problem {
        Problem(
            .data, "a key that belongs to stages: auto", at: Place(detail: ["method.max-stages"]),
            found: "a fixed number of stages", expected: "stages: auto, or no max-stages")
    }
    static func tooManySettings(_ file: String, _ count: Int, limit: Int) -> Problem {
        Problem(
            .data, "the comparison is too large", at: .file(file, "rows"),
            found: "\(count) settings over all rows", expected: "at most \(limit)")
    }
    static func tooManyRows(_ file: String, _ count: Int, limit: Int) -> Problem {
        Problem(
            .data, "the comparison is too large", at: .file(file, "rows"), found: "\(count) rows",
            expected: "at most \(limit)")
    }

    // MARK: Folders

    static func comparisonHasNoNetwork(_ folder: String) -> Problem {
        Problem(
            .data, "this is a comparison, which keeps no network", at: .file(folder),
            expected: "a run folder of train, or a weights file",
            hint: "limbeck report \(folder) writes its page; limbeck train makes a network of a row"
        )
    }
    static func runNotFinished(_ folder: String) -> Problem {
        Problem(
            .data, "the run is not finished", at: .file(folder),
            hint: "limbeck train --resume --out \(folder)")
    }
    static func noNetworkInFolder(_ folder: String) -> Problem {
        Problem(
            .data, "no network in this folder", at: .file(folder, "model.safetensors"),
            expected: "a run folder of train, or a weights file")
    }
}
