import Diagnostics

// Every sentence about a recipe's `data` and what it leads to; tests pin them.

extension Problem {
    /// - Parameter key: without `data.` before it.
    static func dataRange(_ key: String, found: String, expected: String) -> Problem {
        Problem(
            .data, "value out of range", at: Place(detail: ["data.\(key)"]), found: found,
            expected: expected)
    }

    static func unknownKind(_ word: String, among known: [String]) -> Problem {
        Problem(
            .data, "unknown word \"\(oneLine(word, limit: 40))\"", at: Place(detail: ["data.kind"]),
            hint: Suggestion.hint(for: word, among: known))
    }

    static func dataInMemory() -> Problem {
        Problem(
            .data, "the samples were in the memory of a program", at: Place(detail: ["data.kind"]),
            found: "memory", expected: "that program, or a kind that names files")
    }

    static func keyOfOtherKind(_ key: String, _ kind: String) -> Problem {
        Problem(
            .data, "key does not go with data.kind", at: Place(detail: ["data.\(key)"]),
            found: "kind \(kind)")
    }

    /// - Parameter key: the one that is missing, without `data.` before it.
    static func missingFiles(_ key: String, or other: String? = nil) -> Problem {
        Problem(
            .data, "missing key \"data.\(key)\"", at: Place(detail: ["data"]),
            hint: other.map { "or give \($0)" })
    }

    static func filesTwice() -> Problem {
        Problem(
            .data, "the files are given twice", at: Place(detail: ["data.folder"]),
            hint: "either folder, or images and labels")
    }

    static func noStandardFile(_ folder: String, _ name: String) -> Problem {
        Problem(
            .io, "no such file", at: .file("\(folder)/\(name)"), expected: "\(name) or \(name).gz")
    }

    static func shapeUnknown() -> Problem {
        Problem(
            .data, "shape and classes of the images are unknown", at: Place(detail: ["data"]),
            expected: "image-shape and class-names, or a teacher's file that names them")
    }

    static func shapeTooLarge(_ shape: [Int], _ classes: Int) -> Problem {
        Problem(
            .data, "images too large to be made", at: Place(detail: ["data.image-shape"]),
            found: "\(shape) for \(classes) classes",
            expected: "at most 2^28 bytes for one of each class")
    }

    // MARK: Learning and test set

    static func labelsLost(_ name: String, _ found: Int, _ expected: Int) -> Problem {
        Problem(
            .data, "training and test set do not fit together", at: .file(name),
            found: "\(found) classes in the test set", expected: "at most \(expected)")
    }

    static func shapesDiffer(_ name: String, _ found: [Int], _ expected: [Int]) -> Problem {
        Problem(
            .data, "training and test samples differ in shape", at: .file(name), found: "\(found)",
            expected: "\(expected)")
    }
}
