/// Something a user can get wrong, said so that they can put it right: what went wrong, where,
/// what was found, what was expected, and a hint.
///
/// Every file reader, recipe check and command of Limbeck throws this type and no other. The
/// sentences themselves stand in one file per target (`Problem+Sentences.swift`), and tests pin
/// them. Mistakes of the *programmer* are not problems: they trap.
public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of mistake it is; decides the exit code.
    public enum Kind: Int32, Sendable {
        /// The command line is wrong (64, `EX_USAGE`).
        case usage = 64
        /// A data file or a recipe is wrong (65, `EX_DATAERR`).
        case data = 65
        /// A fault of ours (70, `EX_SOFTWARE`).
        case `internal` = 70
        /// The operating system refused a read or a write (74, `EX_IOERR`).
        case io = 74
        /// Stopped by Ctrl-C; a checkpoint was written (130).
        case interrupted = 130
    }

    public var kind: Kind
    /// What is wrong, in a few words and without a full stop: `unknown key`.
    public var what: String
    /// Where: a file, and behind it a line, key path, byte offset or sample index.
    public var place: Place?
    public var found: String?
    public var expected: String?
    public var hint: String?
    /// Whether a file of this program's own is not what it was when it was written: it can be made again.
    public var isDamage = false

    /// A spot in the user's material.
    public struct Place: Equatable, Sendable, CustomStringConvertible {
        /// A path as the user wrote it.
        public var file: String?
        /// Further detail, most general first: `line 12`, `data.path`, `byte 16`, `sample 31`.
        public var detail: [String]

        public init(file: String? = nil, detail: [String] = []) {
            self.file = file
            self.detail = detail
        }

        public static func file(_ path: String, _ detail: String...) -> Place {
            Place(file: path, detail: detail)
        }

        public var description: String {
            ((file.map { [$0] } ?? []) + detail).joined(separator: ", ")
        }
    }

    public init(
        _ kind: Kind, _ what: String, at place: Place? = nil, found: String? = nil,
        expected: String? = nil, hint: String? = nil
    ) {
        self.kind = kind
        self.what = what
        self.place = place
        self.found = found
        self.expected = expected
        self.hint = hint
    }

    /// One line: `PLACE: WHAT: found F, expected E (HINT)`. Control characters of hostile input
    /// are escaped; what was found is cut to 160 characters, so that what was expected stays
    /// readable behind it, and the whole to 1,000.
    public var description: String {
        var line = ""
        if let place { line += "\(place): " }
        line += what
        let facts = [
            found.map { "found \(Problem.oneLine($0, limit: 160))" },
            expected.map { "expected \($0)" },
        ]
        .compactMap { $0 }
        if !facts.isEmpty { line += ": " + facts.joined(separator: ", ") }
        if let hint { line += " (\(hint))" }
        return Problem.oneLine(line, limit: 1000)
    }

    /// `text` with control characters escaped and cut to `limit` characters.
    public static func oneLine(_ text: String, limit: Int = 120) -> String {
        var out = ""
        for scalar in text.unicodeScalars.prefix(limit + 1) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format:
                out += scalar.escaped(asASCII: true)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out.unicodeScalars.count > limit
            ? String(String.UnicodeScalarView(out.unicodeScalars.prefix(limit))) + "…" : out
    }
}

extension Problem {
    /// `KEY.PATH: value out of range: found F, expected E`: a value of a recipe, whose reader adds file
    /// and line.
    public static func outOfRange(_ key: String, found: String, expected: String) -> Problem {
        Problem(
            .data, "value out of range", at: Place(detail: [key]), found: found, expected: expected)
    }
}
