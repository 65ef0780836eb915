import Diagnostics

/// Every sentence label noise can say to its user.
extension Problem {
    // MARK: The recipe

    private static func noise(
        _ key: String, _ what: String, found: String? = nil, expected: String? = nil,
        hint: String? = nil
    ) -> Problem {
        Problem(
            .data, what, at: Place(detail: ["noise" + key]), found: found, expected: expected,
            hint: hint)
    }

    static func unknownNoise(kind: String) -> Problem {
        noise(
            ".kind", "unknown kind of label noise", found: quote(kind),
            hint: Suggestion.hint(for: kind, among: LabelNoise.Kind.allCases.map(\.rawValue)))
    }

    static func unknownNoiseMap(_ word: String) -> Problem {
        noise(
            ".map", "unknown map", found: quote(word),
            hint: Suggestion.hint(for: word, among: LabelNoise.Map.names)
                + ", or pairs such as {truck: automobile}")
    }

    static func noiseKey(_ key: String, neededBy kind: LabelNoise.Kind) -> Problem {
        noise(".\(key)", "missing: kind \(kind.rawValue) needs it")
    }

    static func noiseKey(_ key: String, unusedBy kind: LabelNoise.Kind) -> Problem {
        noise(".\(key)", "has no meaning for kind \(kind.rawValue)", hint: "remove it")
    }

    static func noiseRate(_ rate: Double) -> Problem {
        noise(".rate", "rate out of range", found: "\(rate)", expected: "0...1")
    }

    static func oneClass(_ kind: LabelNoise.Kind) -> Problem {
        noise(".kind", "\(kind.rawValue) needs at least two classes")
    }

    static func tooManyClasses(_ count: Int) -> Problem {
        noise(
            ".kind", "too many classes for a transition matrix", found: "\(count)",
            expected: "at most \(LabelNoise.classLimit)")
    }

    static func humanNoiseClasses(_ count: Int) -> Problem {
        noise(
            ".kind", "human-cifar10n-worst belongs to CIFAR-10", found: "\(count) classes",
            expected: "10")
    }

    static func missingNoiseMap(_ kind: LabelNoise.Kind) -> Problem {
        noise(
            ".map", "missing: kind \(kind.rawValue) needs it",
            expected: "one of " + LabelNoise.Map.names.joined(separator: ", ")
                + ", or pairs such as {truck: automobile}")
    }

    static func noiseMap(_ name: String, needs expected: Int, has count: Int) -> Problem {
        noise(
            ".map", "\(name) does not fit the data", found: "\(count) classes",
            expected: "\(expected)")
    }

    static var emptyNoiseMap: Problem { noise(".map", "names no pair of classes") }

    static func noiseMapClass(_ key: String, _ word: String, _ classes: ClassReader) -> Problem {
        noise(
            ".map.\(oneLine(key))", "no such class", found: quote(word),
            expected: classes.expected, hint: classes.hint(for: word))
    }

    static func noiseMapIdentity(_ key: String) -> Problem {
        noise(
            ".map.\(oneLine(key))", "a class is mapped to itself",
            hint: "leave out the classes that stay clean")
    }

    static func noiseMapTwice(_ key: String, _ number: Int) -> Problem {
        noise(".map.\(oneLine(key))", "class \(number) is mapped twice")
    }

    static func noiseMatrixRows(_ count: Int, _ classes: Int) -> Problem {
        noise(".matrix", "wrong number of rows", found: "\(count)", expected: "\(classes)")
    }

    static func noiseMatrixRow(_ row: Int, _ count: Int, _ classes: Int) -> Problem {
        noise(
            ".matrix[\(row)]", "wrong number of columns", found: "\(count)",
            expected: "\(classes)")
    }

    static func noiseMatrixEntry(_ row: Int, _ column: Int, _ value: Double) -> Problem {
        noise(
            ".matrix[\(row)][\(column)]", "not a probability", found: "\(value)",
            expected: "0...1")
    }

    static func noiseMatrixSum(_ row: Int, _ sum: Double) -> Problem {
        noise(
            ".matrix[\(row)]", "row does not add up", found: "\(sum)", expected: "1 within 1e-6",
            hint: "row = clean class, column = given label")
    }

    // MARK: The data

    static func labelOutOfRange(sample: Int, _ label: Int, _ classes: Int) -> Problem {
        Problem(
            .data, "label out of range", at: Place(detail: ["sample \(sample)"]),
            found: "\(label)", expected: "0...\(classes - 1)")
    }

    static func noFeatures(_ kind: LabelNoise.Kind) -> Problem {
        noise(".kind", "\(kind.rawValue) needs the inputs, and there are only labels here")
    }

    static func featureNotFinite(sample: Int, _ value: Float) -> Problem {
        Problem(
            .data, "input is not finite", at: Place(detail: ["sample \(sample)"]),
            found: "\(value)")
    }

    static func projectionTooLarge(_ dimension: Int, _ classes: Int) -> Problem {
        noise(
            ".kind", "inputs too large for instance noise",
            found: "\(dimension) values x \(classes) classes",
            expected: "at most \(LabelNoise.projectionLimit) in all")
    }

    // MARK: Label files

    private static func file(
        _ path: String, _ line: Int, _ what: String, found: String? = nil,
        expected: String? = nil, hint: String? = nil
    ) -> Problem {
        Problem(
            .data, what, at: .file(path, "line \(line)"), found: found, expected: expected,
            hint: hint)
    }

    static func labelFileEmpty(_ path: String) -> Problem {
        file(path, 1, "label file is empty", expected: headerExample)
    }

    private static let headerExample = "a header such as index,label or label"

    static func labelFileHeader(_ path: String, _ line: Int, _ word: String) -> Problem {
        file(path, line, "unknown column", found: quote(word), expected: headerExample)
    }

    static func labelFileHeaderTwice(_ path: String, _ line: Int, _ word: String) -> Problem {
        file(
            path, line, "column named twice", found: quote(word),
            hint: "given and label are the same column")
    }

    static func labelFileNoLabel(_ path: String, _ line: Int) -> Problem {
        file(path, line, "no label column", expected: headerExample)
    }

    static func labelFileColumns(
        _ path: String, _ line: Int, _ count: Int, _ expected: Int
    ) -> Problem {
        file(
            path, line, "wrong number of columns", found: "\(count)",
            expected: "\(expected) as in the header")
    }

    static func labelFileWide(_ path: String, _ line: Int, _ limit: Int) -> Problem {
        file(path, line, "too many columns for a label file", expected: "at most \(limit)")
    }

    static func labelFileIndex(_ path: String, _ line: Int, _ word: String) -> Problem {
        file(path, line, "index is not a whole number", found: quote(word))
    }

    static func labelFileUnknownIndex(
        _ path: String, _ line: Int, _ word: String, _ count: Int
    ) -> Problem {
        file(
            path, line, "no sample has this index", found: oneLine(word),
            hint: "the data has \(count) samples, counted from 0")
    }

    static func labelFileIndexTwice(
        _ path: String, _ line: Int, _ index: Int, _ before: Int
    ) -> Problem {
        file(path, line, "index \(index) was labelled before, on line \(before)")
    }

    static func labelFileBlank(_ path: String, _ line: Int) -> Problem {
        file(path, line, "label missing", hint: "every sample needs exactly one")
    }

    static func labelFileLabel(
        _ path: String, _ line: Int, _ word: String, _ classes: ClassReader
    ) -> Problem {
        file(
            path, line, "unknown label", found: quote(word), expected: classes.expected,
            hint: classes.hint(for: word))
    }

    static func labelFileClean(
        _ path: String, _ line: Int, _ word: String, _ label: Int, _ index: Int,
        _ classes: ClassReader
    ) -> Problem {
        let names = classes.classNames ?? []
        return file(
            path, line, "clean label differs from the data's label of sample \(index)",
            found: quote(word),
            expected: label < names.count ? quote(names[label]) : "\(label)",
            hint: "is the file made for this data, in this order?")
    }

    static func labelFileTooLong(_ path: String, _ line: Int, _ count: Int) -> Problem {
        file(path, line, "more rows than samples", expected: "\(count) rows")
    }

    static func labelFileTooShort(_ path: String, _ rows: Int, _ count: Int) -> Problem {
        Problem(
            .data, "label file ends too early", at: .file(path), found: "\(rows) rows",
            expected: "\(count)")
    }

    static func labelFileMissing(_ path: String, _ index: Int) -> Problem {
        Problem(
            .data, "no row for sample \(index)", at: .file(path),
            hint: "every sample needs exactly one")
    }

    static func labelFileOpenQuote(_ path: String, _ line: Int) -> Problem {
        file(path, line, "quotation mark is never closed")
    }

    static func labelFileStrayQuote(_ path: String, _ line: Int) -> Problem {
        file(
            path, line, "text outside its quotation marks",
            hint: "quote the whole field and double the marks inside")
    }

    static func labelFileLongField(_ path: String, _ line: Int, _ limit: Int) -> Problem {
        file(path, line, "field too long for a label", expected: "at most \(limit) bytes")
    }

    static func labelFileNotUTF8(_ path: String, _ line: Int) -> Problem {
        file(path, line, "not UTF-8", hint: "save the file as UTF-8")
    }

    private static func quote(_ word: String) -> String { "\"\(oneLine(word, limit: 60))\"" }
}
