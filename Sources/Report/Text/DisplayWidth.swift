/// How many terminal columns text takes.
enum DisplayWidth {
    /// Columns of `text`: 2 for wide East Asian characters and emoji, 0 for combining marks.
    static func of(_ text: String) -> Int {
        text.reduce(0) { $0 + of($1) }
    }

    /// `text` cut to `limit` columns, with `…` for what is missing.
    static func cut(_ text: String, to limit: Int) -> String {
        guard of(text) > limit else { return text }
        var width = 1
        var out = ""
        for character in text {
            width += of(character)
            if width > limit { break }
            out.append(character)
        }
        return out + "…"
    }

    private static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        if scalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return wide(first.value) ? 2 : 1
        }
    }

    /// The ranges of Unicode's EastAsianWidth.txt with W or F, rounded to whole blocks.
    private static func wide(_ c: UInt32) -> Bool {
        switch c {
        case 0x1100...0x115F, 0x231A...0x231B, 0x23E9...0x23EC, 0x2E80...0x303E, 0x3041...0x33FF,
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
