import Diagnostics

// Every sentence a user of safetensors files can meet.

extension Problem {
    private static func bad(
        _ what: String, _ file: String, _ detail: String? = nil, found: String? = nil,
        expected: String? = nil, hint: String? = nil
    ) -> Problem {
        Problem(
            .data, what, at: Place(file: file, detail: detail.map { [$0] } ?? []), found: found,
            expected: expected, hint: hint)
    }

    private static func tensor(_ name: String) -> String { "tensor \(quote(name))" }

    private static func quote(_ text: String) -> String { "\"\(oneLine(text, limit: 80))\"" }

    /// `"x"` for what can be printed, `byte 0x07` for what cannot.
    private static func character(_ byte: UInt8?) -> String {
        guard let byte else { return "the end of the header" }
        return 0x21..<0x7F ~= byte ? "\"\(Character(Unicode.Scalar(byte)))\"" : hex(byte)
    }

    private static func hex(_ byte: UInt8) -> String {
        "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    // MARK: The frame

    static func tooShort(_ file: String, _ count: Int) -> Problem {
        bad(
            "too short for a safetensors file", file, found: "\(count) bytes",
            expected: "at least 8 bytes")
    }

    static func headerTooLong(_ file: String, _ length: UInt64) -> Problem {
        bad(
            "header length out of range", file, "byte 0", found: "\(length) bytes",
            expected: "at most \(SafeTensorsFile.headerLimit) bytes",
            hint: "this may not be a safetensors file")
    }

    static func headerCutOff(_ file: String, _ count: Int, needed: Int) -> Problem {
        bad(
            "file ends inside its header", file, found: "\(count) bytes",
            expected: "at least \(needed) bytes", hint: "was it copied to the end?")
    }

    static func headerStart(_ file: String, _ byte: UInt8?) -> Problem {
        bad(
            "header does not start with an object", file, "byte 8", found: character(byte),
            expected: "\"{\"", hint: "this may not be a safetensors file")
    }

    static func afterHeader(_ file: String, _ byte: UInt8, _ at: Int) -> Problem {
        bad(
            "text after the header's object", file, "byte \(at)", found: character(byte),
            expected: "spaces up to the end of the header")
    }

    // MARK: JSON

    static func unexpected(
        _ byte: UInt8?, _ expected: String, _ file: String, _ at: Int
    ) -> Problem {
        bad("malformed header", file, "byte \(at)", found: character(byte), expected: expected)
    }

    static func controlCharacter(_ file: String, _ byte: UInt8, _ at: Int) -> Problem {
        bad(
            "control character in a string of the header", file, "byte \(at)", found: hex(byte),
            expected: "an escape such as \\n")
    }

    static func badEscape(_ file: String, _ at: Int) -> Problem {
        bad(
            "invalid escape in a string of the header", file, "byte \(at)",
            expected: "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t or "
                + "\\u and four hexadecimal digits, surrogates in pairs"
        )
    }

    static func notUTF8(_ file: String, _ at: Int) -> Problem {
        bad("string of the header is not UTF-8", file, "byte \(at)")
    }

    static func nameTooLong(_ file: String, _ count: Int, _ at: Int) -> Problem {
        bad(
            "name too long", file, "byte \(at)", found: "\(count) bytes",
            expected: "at most \(SafeTensorsFile.nameLimit) bytes")
    }

    static func tooManyMarks(_ file: String, _ at: Int) -> Problem {
        bad(
            "name with too many combining marks in a row", file, "byte \(at)",
            expected: "at most 30")
    }

    static func numberTooLarge(_ file: String, _ at: Int) -> Problem {
        bad("number too large", file, "byte \(at)", expected: "at most \(Int.max)")
    }

    static func notWhole(_ what: String, _ file: String, _ at: Int) -> Problem {
        bad("malformed header", file, "byte \(at)", found: what, expected: "a whole number")
    }

    static func duplicate(_ what: String, _ name: String, _ file: String, _ at: Int) -> Problem {
        bad("duplicate \(what)", file, "byte \(at)", found: "\(quote(name)) again")
    }

    // MARK: One tensor

    static func unknownKey(_ file: String, _ name: String, _ key: String) -> Problem {
        bad(
            "unknown key", file, tensor(name), found: quote(key),
            hint: Suggestion.hint(for: key, among: ["dtype", "shape", "data_offsets"]))
    }

    static func missingKey(_ file: String, _ name: String, _ key: String) -> Problem {
        bad("missing key", file, tensor(name), expected: quote(key))
    }

    static func dtype(_ file: String, _ name: String, _ word: String) -> Problem {
        let known = SafeTensorsFile.DType.allCases.map(\.rawValue)
        if SafeTensorsFile.DType.unsupported.contains(word) {
            return bad(
                "dtype not supported", file, tensor(name), found: word,
                expected: "one of " + known.joined(separator: ", "),
                hint: "convert the tensor before saving it")
        }
        return bad(
            "unknown dtype", file, tensor(name), found: quote(word),
            hint: Suggestion.hint(for: word, among: known))
    }

    static func rank(_ file: String, _ name: String) -> Problem {
        bad(
            "too many dimensions", file, tensor(name),
            found: "more than \(SafeTensorsFile.rankLimit)",
            expected: "at most \(SafeTensorsFile.rankLimit)")
    }

    static func offsetCount(_ file: String, _ name: String, _ found: String) -> Problem {
        bad(
            "wrong number of data_offsets", file, tensor(name), found: found,
            expected: "2, begin and end")
    }

    static func reversed(_ file: String, _ name: String, _ begin: Int, _ end: Int) -> Problem {
        bad(
            "data_offsets run backwards", file, tensor(name), found: "[\(begin), \(end)]",
            expected: "begin at most end")
    }

    static func shapeOverflow(_ file: String, _ name: String) -> Problem {
        bad("shape too large", file, tensor(name), expected: "at most \(Int.max) bytes")
    }

    static func sizeMismatch(
        _ file: String, _ name: String, _ dtype: SafeTensorsFile.DType, _ shape: [Int], found: Int,
        expected: Int
    ) -> Problem {
        bad(
            "data_offsets do not fit dtype and shape", file, tensor(name), found: "\(found) bytes",
            expected: "\(expected) bytes for \(dtype.rawValue) \(shape)")
    }

    // MARK: All tensors together; offsets count from the end of the header

    static func overlap(_ file: String, _ name: String, begin: Int, reached: Int) -> Problem {
        bad(
            "tensors overlap", file, tensor(name), found: "begin \(begin)",
            expected: "begin \(reached), the end of the tensor before it")
    }

    static func hole(_ file: String, _ name: String, begin: Int, reached: Int) -> Problem {
        bad(
            "bytes that belong to no tensor", file, tensor(name), found: "begin \(begin)",
            expected: "begin \(reached), the end of what is before it")
    }

    static func dataCutOff(_ file: String, _ name: String, end: Int, available: Int) -> Problem {
        bad(
            "file ends inside its tensors", file, tensor(name),
            found: "\(available) bytes of data", expected: "at least \(end) bytes",
            hint: "was it copied to the end?")
    }

    static func trailingBytes(_ file: String, _ count: Int, at: Int) -> Problem {
        bad("bytes after the last tensor", file, "byte \(at)", found: "\(count) more bytes")
    }

    // MARK: Asking for values

    static func missingTensor(_ file: String, _ name: String, among names: [String]) -> Problem {
        bad(
            "no such tensor", file, tensor(name),
            hint: Suggestion.nearest(to: name, among: names)
                .map { "did you mean \(quote($0))?" } ?? "the file has \(names.count) tensors")
    }

    static func wrongDType(
        _ file: String, _ entry: SafeTensorsFile.Entry, _ expected: String
    ) -> Problem {
        bad(
            "wrong dtype", file, tensor(entry.name), found: entry.dtype.rawValue,
            expected: expected)
    }

    static func integerTooLarge(
        _ file: String, _ entry: SafeTensorsFile.Entry, element: Int, _ value: UInt64
    ) -> Problem {
        bad(
            "integer too large", file, "\(tensor(entry.name)), element \(element)",
            found: "\(value)", expected: "at most \(Int.max)")
    }

    static func notBoolean(
        _ file: String, _ entry: SafeTensorsFile.Entry, element: Int, _ value: UInt8
    ) -> Problem {
        bad(
            "not a BOOL", file, "\(tensor(entry.name)), element \(element)", found: "\(value)",
            expected: "0 or 1")
    }

    // MARK: Writing

    private static func unwritable(
        _ what: String, _ name: String? = nil, found: String? = nil, expected: String? = nil
    ) -> Problem {
        Problem(
            .data, "cannot encode as safetensors: \(what)",
            at: name.map { Place(detail: [tensor($0)]) }, found: found, expected: expected)
    }

    static func headerToWriteTooLong(_ length: Int, _ limit: Int) -> Problem {
        unwritable(
            "header too long", found: "\(length) bytes",
            expected: "at most \(limit) bytes")
    }

    static func nameToWrite(_ what: String, _ name: String) -> Problem {
        unwritable(
            what, found: "\(name.utf8.count) bytes",
            expected: "at most \(SafeTensorsFile.nameLimit) bytes")
    }

    static func marksToWrite(_ name: String) -> Problem {
        unwritable(
            "name with too many combining marks in a row", found: quote(name),
            expected: "at most 30")
    }

    static func reservedName() -> Problem {
        unwritable("reserved name", "__metadata__")
    }

    static func nameTwice(_ name: String) -> Problem {
        unwritable("two tensors of one name", name)
    }

    static func rankToWrite(_ name: String, _ rank: Int) -> Problem {
        unwritable(
            "too many dimensions", name, found: "\(rank)",
            expected: "at most \(SafeTensorsFile.rankLimit)")
    }

    static func shapeToWrite(_ name: String, _ shape: [Int]) -> Problem {
        unwritable(
            "shape negative or too large", name, found: oneLine("\(shape)"),
            expected: "at most \(Int.max) bytes")
    }

    static func bytesToWrite(
        _ name: String, _ dtype: SafeTensorsFile.DType, _ shape: [Int], found: Int, expected: Int
    ) -> Problem {
        unwritable(
            "bytes do not fit dtype and shape", name, found: "\(found) bytes",
            expected: "\(expected) bytes for \(dtype.rawValue) \(shape)")
    }
}
