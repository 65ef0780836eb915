/// Text on its way into HTML and SVG.
enum Markup {
    /// `text` as character data or attribute value of HTML and XML.
    ///
    /// Works on Unicode scalars, not characters: `"` with a combining accent is one character,
    /// and would otherwise end an attribute unescaped. What XML does not allow becomes U+FFFD.
    static func escape(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\t": out.unicodeScalars.append(scalar)
            default:
                switch scalar.value {
                // Controls, bidirectional overrides (they reorder what follows), non-characters.
                case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF:
                    out.unicodeScalars.append("\u{FFFD}")
                default: out.unicodeScalars.append(scalar)
                }
            }
        }
        return out
    }

    /// A length in pixels for an attribute: two digits after the point, no trailing zeros. What
    /// lies far outside any drawing is brought near, so that no renderer overflows.
    static func pixels(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let hundredths = Int((min(max(value, -1e5), 1e5) * 100).rounded())
        let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
        var text = (hundredths < 0 ? "-" : "") + "\(whole)"
        if rest != 0 {
            text += rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
        }
        return text
    }

    /// About how wide `text` is in a sans-serif font of `size` pixels; on the generous side, as
    /// the reader's font is unknown.
    static func width(of text: String, size: Double) -> Double {
        var em = 0.0
        for character in text {
            switch character {
            case "i", "j", "l", "I", "|", "!", "'", ".", ",", ":", ";": em += 0.3
            case "f", "t", "r", "(", ")", "[", "]", "-", " ", "/", "\"": em += 0.38
            case "m", "w", "M", "W", "%", "@": em += 0.88
            case "0"..."9": em += 0.6
            case "A"..."Z": em += 0.7
            default: em += DisplayWidth.of(String(character)) == 2 ? 1 : 0.59
            }
        }
        return em * size * 1.06
    }

    /// `text` cut to about `limit` pixels, with `…` for what is missing.
    static func cut(_ text: String, to limit: Double, size: Double) -> String {
        guard width(of: text, size: size) > limit else { return text }
        var out = ""
        for character in text {
            if width(of: out + String(character) + "…", size: size) > limit { break }
            out.append(character)
        }
        return out + "…"
    }
}
