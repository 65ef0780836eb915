import Foundation

/// Numbers as text: short, the same on every machine, never longer than a label can hold.
public enum Numbers {
    /// `value` with `digits` after the point; very large or very small ones in powers of ten,
    /// what is not finite as `nan` or `inf`. The minus sign is ASCII.
    public static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        let digits = min(max(digits, 0), 9)
        guard abs(value) < 1e9 else { return power(value, 3) }
        let text = String(format: "%.\(digits)f", value)
        // "-0.00" says a sign that the digits do not show.
        return text.allSatisfy { "-0.".contains($0) } && text.hasPrefix("-")
            ? String(text.dropFirst()) : text
    }

    /// `value` in at most `digits` significant digits: `0.812`, `12.3k`, `1.2e-5`;
    /// whole thousands below 10,000 keep their four.
    public static func compact(_ value: Double, _ digits: Int = 3) -> String {
        guard value.isFinite else { return fixed(value, 0) }
        let digits = (1000..<1e4).contains(abs(value)) ? max(digits, 4) : max(digits, 1)
        // Rounded before the unit is chosen: 999,999 is 1M, not 1000k.
        let value = Double(String(format: "%.\(digits - 1)e", value)) ?? value
        let size = abs(value)
        if size == 0 { return "0" }
        if size < 1e-3 || size >= 1e12 { return power(value, digits) }
        for (limit, unit, suffix) in [(1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")]
        where size >= limit {
            return significant(value / unit, digits) + suffix
        }
        return significant(value, digits)
    }

    /// `0.712 ± 0.004` in percent with one digit: `71.2 ± 0.4`; without a deviation `71.2`.
    public static func estimate(
        _ estimate: Estimate, scale: Double = 1, digits: Int = 1
    ) -> String {
        let mean = fixed(estimate.mean * scale, digits)
        guard let sd = estimate.sd, sd.isFinite else { return mean }
        return mean + " ± " + fixed(sd * scale, digits)
    }

    /// `0:07`, `12:40`, `3:05:09`; at most 99 hours and more is `>99 h`.
    public static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 360_000 else { return ">99 h" }
        let s = Int(max(0, seconds).rounded())
        let rest = String(format: "%02d", s % 60)
        return s < 3600
            ? "\(s / 60):\(rest)"
            : "\(s / 3600):\(String(format: "%02d", s / 60 % 60)):\(rest)"
    }

    private static func significant(_ value: Double, _ digits: Int) -> String {
        trimmed(String(format: "%.\(digits)g", value))
    }

    private static func power(_ value: Double, _ digits: Int) -> String {
        let parts = String(format: "%.\(max(digits - 1, 0))e", value).split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(value)" }
        return trimmed(String(parts[0])) + "e\(exponent)"
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains("."), !text.contains("e") else { return text }
        var text = text[...]
        while text.hasSuffix("0") { text = text.dropLast() }
        return String(text.hasSuffix(".") ? text.dropLast() : text)
    }
}
