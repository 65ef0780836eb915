import Diagnostics

// Every sentence a user of PyTorch's files can meet; tests pin them.

extension Problem {
    private static let resave =
        "nothing of the file was executed; save it with torch.save(model.state_dict(), FILE)"

    fileprivate static func bad(
        _ what: String, _ file: String, _ detail: String..., found: String? = nil,
        expected: String? = nil, hint: String? = nil
    ) -> Problem {
        Problem(
            .data, what, at: Place(file: file, detail: detail), found: found, expected: expected,
            hint: hint)
    }

    fileprivate static func quote(_ text: String) -> String { "\"\(oneLine(text, limit: 80))\"" }

    static func notPyTorch(_ file: String) -> Problem {
        bad(
            "not a file that torch.save wrote", file, "byte 0",
            expected: "a zip archive, or the magic number of PyTorch before 1.6")
    }
    static func cut(_ file: String, _ part: String, at: Int) -> Problem {
        bad("file ends inside its \(part)", file, "byte \(at)", hint: "was it copied to the end?")
    }

    // MARK: The archive

    static func noZipEnd(_ file: String) -> Problem {
        bad("zip archive without its directory", file, hint: "was it copied to the end?")
    }
    static func zipDamaged(_ file: String, _ at: Int) -> Problem {
        bad("zip archive is damaged", file, "byte \(at)")
    }
    static func zipOverlap(_ file: String, _ at: Int) -> Problem {
        bad("two entries of the zip archive share bytes", file, "byte \(at)")
    }
    static func tooManyEntries(_ file: String, _ count: Int) -> Problem {
        bad(
            "zip archive with too many entries", file, found: "\(count)",
            expected: "at most \(ZipArchive.entryLimit)")
    }
    static func entryTwice(_ file: String, _ name: String) -> Problem {
        bad("zip archive has two entries of one name", file, found: quote(name))
    }
    static func compressed(_ file: String, _ name: String) -> Problem {
        bad(
            "zip entry is compressed", file, oneLine(name, limit: 80),
            expected: "stored bytes, as torch.save writes them")
    }
    static func encrypted(_ file: String, _ name: String) -> Problem {
        bad("zip entry is encrypted", file, oneLine(name, limit: 80))
    }
    static func checksum(_ file: String, _ name: String) -> Problem {
        bad("checksum does not match: the file is damaged", file, oneLine(name, limit: 80))
    }
    static func noPickle(_ file: String, _ count: Int) -> Problem {
        bad(
            "not an archive that torch.save wrote", file, found: "\(count) entries NAME/data.pkl",
            expected: "one")
    }
    static func torchScript(_ file: String) -> Problem {
        bad(
            "a TorchScript archive is a program, not a state dictionary", file,
            hint: resave)
    }
    static func bigEndian(_ file: String) -> Problem {
        bad("numbers are not little-endian", file)
    }
    static func version(_ file: String, _ text: String) -> Problem {
        bad(
            "unknown version of the format", file, found: quote(text),
            expected: "1 to 10 in a zip archive, 1001 in an older file")
    }
    static func noStorage(_ file: String, _ key: String) -> Problem {
        bad("numbers of a tensor are missing", file, found: "no entry data/\(oneLine(key))")
    }
    static func storageSize(
        _ file: String, _ key: String, _ found: Int, _ expected: Int, unit: String = "bytes"
    ) -> Problem {
        bad(
            "a storage has the wrong size", file, "storage \(oneLine(key, limit: 80))",
            found: "\(found) \(unit)", expected: "\(expected)")
    }
    static func trailing(_ file: String, _ at: Int) -> Problem {
        bad("bytes behind the last storage", file, "byte \(at)")
    }

    // MARK: The pickle

    static func instruction(
        _ file: String, _ part: String, _ at: Int, _ name: String
    ) -> Problem {
        bad(
            "an instruction that state dictionaries do not need", file, part, "byte \(at)",
            found: name, hint: resave)
    }
    static func global(_ file: String, _ part: String, _ at: Int, _ name: String) -> Problem {
        bad(
            "a name that state dictionaries do not need", file, part, "byte \(at)",
            found: oneLine(name, limit: 120), hint: resave)
    }
    static func protocolVersion(
        _ file: String, _ part: String, _ at: Int, _ version: Int
    ) -> Problem {
        bad(
            "unknown pickle protocol", file, part, "byte \(at)", found: "\(version)",
            expected: "2 to 5")
    }
    static func tooManySteps(_ file: String, _ part: String, _ limit: Int) -> Problem {
        bad("pickle too long", file, part, expected: "at most \(limit) instructions")
    }
    static func pickleDamaged(
        _ file: String, _ part: String, _ at: Int, _ what: String
    ) -> Problem {
        bad("pickle does not make sense", file, part, "byte \(at)", found: what)
    }
    static func outside(
        _ file: String, _ part: String, _ at: Int, _ shape: [Int], _ strides: [Int],
        _ offset: Int, _ available: Int
    ) -> Problem {
        bad(
            "a tensor does not fit its storage", file, part, "byte \(at)",
            found:
                "shape \(oneLine("\(shape)", limit: 40)), strides \(oneLine("\(strides)", limit: 40)), offset \(offset), \(available) elements stored",
            hint: "expanded tensors have to be saved as .contiguous()")
    }

    // MARK: The dictionary

    static func noStateDictionary(_ file: String) -> Problem {
        bad("no state dictionary", file, expected: "a dictionary from names to tensors")
    }
    static func noTensors(_ file: String) -> Problem {
        bad("no tensors in the file", file, expected: "a dictionary from names to tensors")
    }
    static func severalParts(_ file: String, _ names: [String]) -> Problem {
        bad(
            "several parts of the file hold tensors", file,
            hint: "say which with --part: " + oneLine(names.joined(separator: ", "), limit: 400))
    }
    static func noPart(_ file: String, _ part: String, among names: [String]) -> Problem {
        bad(
            "no such part with tensors", file, found: quote(part),
            hint: names == [StateDictionary.outermost]
                ? "the tensors are not inside a part"
                : Suggestion.hint(for: part, among: names.map { oneLine($0, limit: 80) }))
    }
    static func unnamedTensor(_ file: String) -> Problem {
        bad("a tensor whose key is not a text", file)
    }
    static func unusableName(_ file: String, at: Int) -> Problem {
        bad(
            "a key that cannot be a tensor's name", file, "byte \(at)",
            expected: "at most 1024 bytes of UTF-8")
    }
    static func nameTwice(_ file: String, _ name: String) -> Problem {
        bad("two tensors of one name", file, found: quote(name))
    }
    static func sharesTooMuch(_ file: String) -> Problem {
        bad(
            "tensors share their numbers too often", file,
            expected: "at most \(PyTorchFile.shareLimit) times the file's size in all")
    }
    static func missingTensor(_ file: String, _ name: String, among names: [String]) -> Problem {
        bad(
            "no such tensor", file, found: quote(name),
            hint: Suggestion.nearest(to: name, among: names).map { "did you mean \(quote($0))?" })
    }
    static func notBoolean(_ file: String, _ name: String, element: Int, _ byte: UInt8) -> Problem {
        bad(
            "a truth value that is neither 0 nor 1", file, "tensor \(quote(name))",
            "element \(element)", found: "\(byte)")
    }
}

// MARK: Name maps

extension Problem {
    static func tooManyRules(_ map: String, _ limit: Int) -> Problem {
        bad("too many rules in the name map", map, expected: "at most \(limit)")
    }
    static func badRule(_ map: String, _ index: Int, _ from: String, _ fault: String) -> Problem {
        bad("rule makes no sense", map, "rule \(index + 1)", found: "\(quote(from)): \(fault)")
    }
    static func clash(_ file: String, _ a: String, _ b: String, _ to: String) -> Problem {
        bad(
            "two tensors would get one name", file,
            found: "\(quote(a)) and \(quote(b))", expected: "one for \(quote(to))")
    }
}
