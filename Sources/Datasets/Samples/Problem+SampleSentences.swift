import Diagnostics

// Sentences on files that say something of single samples; tests pin them.

extension Problem {
    private static func row(
        _ path: String, _ line: Int, _ what: String, found: String? = nil,
        expected: String? = nil, hint: String? = nil
    ) -> Problem {
        Problem(
            .data, what, at: .file(path, "line \(line)"), found: found, expected: expected,
            hint: hint)
    }

    static func sampleFileEmpty(_ path: String, _ example: String) -> Problem {
        row(path, 1, "the file is empty", expected: example)
    }

    static func sampleFileBlank(_ path: String, _ line: Int) -> Problem {
        row(path, line, "blank line among the rows", hint: "samples without a row need no line")
    }

    static func sampleFileHeader(
        _ path: String, _ line: Int, _ word: String, _ known: [String]
    ) -> Problem {
        row(
            path, line, "unknown column", found: quoted(word),
            hint: Suggestion.hint(for: word, among: known))
    }

    static func sampleFileHeaderTwice(_ path: String, _ line: Int, _ word: String) -> Problem {
        row(path, line, "column named twice", found: quoted(word))
    }

    static func sampleFileHeaderShort(
        _ path: String, _ line: Int, _ found: String, _ example: String
    ) -> Problem {
        row(path, line, "a column is missing", found: quoted(found), expected: example)
    }

    static func sampleFileNoIDs(_ path: String, _ data: String) -> Problem {
        row(
            path, 1, "the data has no id column", found: "column id",
            expected: "column sample, counted from 0",
            hint: "data.id names a column of \(oneLine(data, limit: 60))")
    }

    static func sampleFileIDTwice(
        _ path: String, _ id: String, _ first: Int, _ second: Int
    ) -> Problem {
        Problem(
            .data, "two samples have one id", at: .file(path, "id \(oneLine(id, limit: 60))"),
            found: "samples \(first) and \(second)",
            hint: "name samples by column sample, counted from 0")
    }

    static func sampleFileUnknown(
        _ path: String, _ line: Int, _ word: String, _ count: Int
    ) -> Problem {
        row(
            path, line, "no such sample", found: quoted(word),
            expected: "0 to \(count - 1), rows of the data counted from 0")
    }

    static func sampleFileUnknownID(_ path: String, _ line: Int, _ word: String) -> Problem {
        row(path, line, "no sample has this id", found: quoted(word))
    }

    static func sampleFileOtherID(
        _ path: String, _ line: Int, _ sample: Int, is other: Int
    ) -> Problem {
        row(
            path, line, "sample and id do not agree",
            found: "sample \(sample) with the id of sample \(other)",
            hint: "is the file made for this data, in this order?")
    }

    static func sampleFileTwice(
        _ path: String, _ line: Int, _ sample: Int, _ before: Int
    ) -> Problem {
        row(path, line, "sample \(sample) stood before, on line \(before)")
    }

    static func sampleFileKeep(_ path: String, _ line: Int, _ word: String) -> Problem {
        row(
            path, line, "column keep is neither yes nor no", found: quoted(word),
            expected: "1 or 0, true or false, yes or no")
    }

    static func sampleFileWeight(_ path: String, _ line: Int, _ word: String) -> Problem {
        row(
            path, line, "not a weight", found: quoted(word), expected: "a number from 0 to 1000000")
    }

    private static func quoted(_ word: String) -> String { "\"\(oneLine(word, limit: 60))\"" }
}
