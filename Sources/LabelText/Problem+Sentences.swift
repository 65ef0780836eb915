import Diagnostics

/// The sentences of the `LabelText` target. Tests pin them.
extension Problem {
    private static func quoted(_ text: String) -> String { "\"\(oneLine(text, limit: 60))\"" }
    private static func row(_ name: String) -> String { "class \(quoted(name))" }

    // MARK: Recipes

    static func needsMapping(_ key: String, _ kind: EmbeddingOptions.Kind) -> Problem {
        let more = kind == .file ? "file: PATH" : "folder: PATH"
        return Problem(
            .data, "label embeddings of kind \(kind.rawValue) need a path",
            at: Place(detail: [key]), expected: "{kind: \(kind.rawValue), \(more)}")
    }

    static func promptWithoutName(_ key: String, _ prompt: String) -> Problem {
        Problem(
            .data, "the prompt is the same for every class", at: Place(detail: [key]),
            found: quoted(prompt), expected: "{name} somewhere in it")
    }

    // MARK: Any vectors

    static func noClasses() -> Problem {
        Problem(.data, "no class names to embed")
    }

    static func dimension(_ source: String, found: Int, classes: Int) -> Problem {
        Problem(
            .data, "label vectors of an unusable size", at: .file(source),
            found: "\(classes) of \(found) values",
            expected:
                "1 to \(LabelEmbeddings.largestDimension) values, \(LabelEmbeddings.largestCount) together at most"
        )
    }

    static func notFinite(_ file: String, _ name: String, _ value: Float) -> Problem {
        Problem(.data, "value is not finite", at: .file(file, row(name)), found: "\(value)")
    }

    // MARK: Files

    static func noRows(_ file: String) -> Problem {
        Problem(.data, "no label vectors", at: .file(file))
    }

    static func noRow(_ file: String, _ name: String, among names: [String]) -> Problem {
        Problem(
            .data, "no vector for a class", at: .file(file, row(name)),
            hint: Suggestion.nearest(to: name, among: names).map { "did you mean \(quoted($0))?" }
                ?? "the file has: "
                + names.prefix(8).map { oneLine($0, limit: 30) }
                .joined(separator: ", ") + (names.count > 8 ? ", …" : ""))
    }

    static func rowTwice(_ file: String, _ name: String) -> Problem {
        Problem(.data, "two vectors for one class", at: .file(file, row(name)))
    }

    static func notAVector(_ file: String, _ name: String, _ shape: [Int]) -> Problem {
        Problem(
            .data, "a tensor that is no label vector", at: .file(file, row(name)),
            found: "shape \(oneLine("\(shape)", limit: 60))",
            expected: "one dimension, or a single matrix and its names in the metadata")
    }

    static func ragged(
        _ file: String, _ name: String, found: Int, _ first: String, expected: Int
    ) -> Problem {
        Problem(
            .data, "label vectors of different lengths", at: .file(file, row(name)),
            found: "\(found) values", expected: "\(expected), as for \(quoted(first))")
    }

    static func noNames(_ file: String) -> Problem {
        Problem(
            .data, "the matrix does not say which row is which class", at: .file(file),
            expected: "metadata \"classes\": a JSON list of the names")
    }

    static func nameCount(_ file: String, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "names and rows differ in number", at: .file(file), found: "\(found) names",
            expected: "\(expected)")
    }

    // MARK: Tables of the program

    static func noTables(_ folder: String) -> Problem {
        Problem(
            .io, "the label tables are not beside the program", at: .file(folder),
            hint: "copy limbeck_LabelText.resources along with the program")
    }

    static func noTable(_ classes: [String]) -> Problem {
        Problem(
            .data, "no label table of the program knows these classes",
            found: classes.prefix(3).map(quoted).joined(separator: ", ")
                + (classes.count > 3 ? ", …" : ""),
            expected: "those of " + LabelTable.allCases.map(\.rawValue).joined(separator: ", "),
            hint: "limbeck embed-labels makes a file for others")
    }

    // MARK: MiniLM

    static func vocabularyTooLarge(_ file: String, _ count: Int, _ limit: Int) -> Problem {
        Problem(
            .data, "too many entries for a vocabulary", at: .file(file), found: "\(count)",
            expected: "at most \(limit)")
    }

    static func noEntry(_ file: String, _ entry: String) -> Problem {
        Problem(
            .data, "not a vocabulary of WordPiece", at: .file(file), expected: "a line \(entry)")
    }

    static func vocabularySize(_ file: String, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "vocabulary and config.json do not belong together", at: .file(file),
            found: "\(found) entries", expected: "\(expected)")
    }

    static func notAConfiguration(_ file: String, _ reason: String) -> Problem {
        Problem(.data, "not the configuration of a BERT", at: .file(file), found: reason)
    }

    static func otherEncoder(
        _ file: String, _ key: String, found: String, expected: String
    ) -> Problem {
        Problem(
            .data, "an encoder of another build", at: .file(file, key),
            found: oneLine(found, limit: 40), expected: expected)
    }

    static func weightShape(
        _ file: String, _ tensor: String, _ shape: [Int], expected: [Int]
    ) -> Problem {
        Problem(
            .data, "weights and config.json do not belong together",
            at: .file(file, "tensor \(tensor)"), found: "shape \(oneLine("\(shape)", limit: 60))",
            expected: "\(expected)")
    }

    // MARK: GloVe

    static func notNumPy(_ file: String, _ reason: String) -> Problem {
        Problem(
            .data, "not a matrix of float32 in NumPy's format", at: .file(file), found: reason)
    }

    static func wordCount(_ file: String, found: Int, expected: Int) -> Problem {
        Problem(
            .data, "words and vectors do not belong together", at: .file(file),
            found: "\(found) words", expected: "\(expected)")
    }

    static func unknownWord(_ file: String, _ name: String, _ word: String) -> Problem {
        Problem(
            .data, "no vector for a word", at: .file(file, row(name)), found: quoted(word),
            hint: "MiniLM knows every word; or write a file of vectors")
    }
}
