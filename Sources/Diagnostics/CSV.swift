/// The one writer of comma-separated tables (RFC 4180).
///
/// Quoting is decided by bytes, not by characters: a comma with a combining mark behind it is still a
/// comma to every reader. Every reader of this package reads back what is written here. A spreadsheet
/// may take a cell that begins with `=`, `+`, `-` or `@` for a formula, in quotes or not; cells are
/// written as they are, because a changed name would no longer be the user's.
public enum CSV {
    /// `text` as one cell: in quotes if it holds a comma, quote or line break, has blanks at an end,
    /// or is empty.
    public static func cell(_ text: some StringProtocol) -> String {
        let text = String(text)
        let bytes = text.utf8
        let isSpecial = bytes.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 10 || $0 == 13
        }
        let isPadded = bytes.first.map(isBlank) ?? true || bytes.last.map(isBlank) ?? true
        guard isSpecial || isPadded else { return text }
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { quoted.append(byte) }
            quoted.append(byte)
        }
        quoted.append(UInt8(ascii: "\""))
        return String(decoding: quoted, as: UTF8.self)
    }

    /// Cells as one line, with a line feed at its end. Nil is a cell whose value is not known: nothing
    /// stands there, while the empty text is written as `""`.
    public static func line(_ cells: [String?]) -> String {
        cells.map { $0.map { cell($0) } ?? "" }.joined(separator: ",") + "\n"
    }

    /// The content of a file: a line of names, then one for each row, each as ``line(_:)`` writes it.
    public static func file(
        _ names: [String], _ rows: some Sequence<[String?]>
    ) -> [UInt8] {
        var bytes = Array(line(names).utf8)
        for row in rows { bytes += line(row).utf8 }
        return bytes
    }

    /// Lines of tables of the same samples, each with or without its line feed, as one line of a table with
    /// all their columns.
    public static func line(of lines: [some StringProtocol]) -> String {
        lines.map { $0.hasSuffix("\n") ? String($0.dropLast()) : String($0) }
            .joined(separator: ",") + "\n"
    }

    /// How many cells a line without line breaks in its cells has.
    public static func count(of line: some StringProtocol) -> Int {
        var isQuoted = false
        var commas = 0
        for byte in line.utf8 {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ","), !isQuoted { commas += 1 }
        }
        return commas + 1
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
