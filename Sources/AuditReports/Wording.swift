import Foundation
import Report

/// Numbers as the sentences of an audit have them.
enum Wording {
    /// `3,400`
    static func count(_ n: Int) -> String {
        var digits = String(abs(n))
        var parts: [String] = []
        while digits.count > 3 {
            parts.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (n < 0 ? "-" : "") + ([digits] + parts).joined(separator: ",")
    }

    /// `1,380 samples`, `1 sample`
    static func count(_ n: Int, _ word: String) -> String {
        "\(count(n)) \(word)\(n == 1 ? "" : "s")"
    }

    /// `five`; digits from thirteen on.
    static func word(_ n: Int) -> String {
        let words = [
            "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve",
        ]
        return words.indices.contains(n) ? words[n] : count(n)
    }

    /// A share in percent, without the sign: whole from ten percent on, with a digit after the point below. What
    /// would look like nothing or all and is not says so.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "?" }
        if share <= 0 { return "0" }
        if share >= 1 { return "100" }
        if share < 0.0005 { return "under 0.1" }
        if share > 0.995 { return share > 0.9995 ? "over 99.9" : Numbers.fixed(100 * share, 1) }
        return Numbers.fixed(100 * share, share < 0.0995 ? 1 : 0)
    }

    /// The same where there is no room for words: `>99.9`.
    static func sign(_ share: Double) -> String {
        percent(share).replacing("over ", with: ">").replacing("under ", with: "<")
    }

    /// `36 to 46 %`; `at most 5.1 %` and `at least 90 %` where one end says nothing.
    static func interval(_ low: Double, _ high: Double) -> String {
        switch (low <= 0, high >= 1) {
        case (true, true): "0 to 100 %"
        case (true, false): "at most \(percent(high)) %"
        case (false, true): "at least \(percent(low)) %"
        case (false, false): "\(percent(low)) to \(percent(high)) %"
        }
    }

    /// A measured share in percent, one digit: `40.1 %`.
    static func measured(_ share: Double) -> String { Numbers.fixed(100 * share, 1) + " %" }

    /// `.972`
    static func area(_ area: Double) -> String {
        let text = Numbers.fixed(area, 3)
        return text.hasPrefix("0.") ? String(text.dropFirst()) : text
    }

    /// A p value: `.36`, `.003`, `under .001`.
    static func p(_ p: Double) -> String {
        if p < 0.001 { return "under .001" }
        let text = Numbers.fixed(p, p < 0.1 ? 3 : 2)
        return text.hasPrefix("0.") ? String(text.dropFirst()) : text
    }

    /// `1,220 ± 80`: the error with one significant digit, two where the first is a one, and the number with as
    /// many.
    static func estimate(_ value: Double, error: Double) -> String {
        var unit = 1.0
        let error = max(0, error)
        if error >= 1 {
            unit = pow(10, log10(error).rounded(.down))
            if error / unit < 1.95, unit > 1 { unit /= 10 }
        }
        let rounded = Int((value / unit).rounded() * unit)
        let margin = error == 0 ? 0 : max(1, Int((error / unit).rounded() * unit))
        return margin == 0 ? count(rounded) : "\(count(rounded)) ± \(count(margin))"
    }

    /// `a`, `a and b`, `a, b and c`
    static func list(_ parts: [String]) -> String {
        parts.count < 2
            ? parts.first ?? ""
            : parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
    }

    /// With a capital at its beginning and a stop at its end.
    static func sentence(_ clause: String) -> String {
        clause.prefix(1).uppercased() + clause.dropFirst() + (clause.hasSuffix(".") ? "" : ".")
    }
}
