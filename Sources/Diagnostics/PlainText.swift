/// Text of a user's (a class, a column, a recipe's name), made safe to show.
public enum PlainText {
    /// `text` with everything escaped that would move a terminal's cursor, break a line or turn the
    /// direction of writing: control characters, line and paragraph separators, and the controls of
    /// bidirectional text. Joiners stay, since real words hold them.
    ///
    /// - Parameter keepingLines: leaves line feeds and tabs, for texts of several lines.
    public static func escaped(_ text: String, keepingLines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            let isKept = keepingLines && (scalar == "\n" || scalar == "\t")
            if isUnsafe(scalar), !isKept {
                out += scalar.escaped(asASCII: true)
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
        case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
