/// Numbers as tables spell them.
enum Number {
    /// The number that `bytes[range]` spells: sign, digits with at most one point, exponent.
    /// Nothing else (no `nan`, no `0x10`, no `1 000`) and nothing beyond float32's range.
    ///
    /// - Parameter point: the byte before the fraction, a full stop or a comma.
    static func float(
        _ bytes: [UInt8], _ range: Range<Int>, point: UInt8 = UInt8(ascii: ".")
    ) -> Float? {
        guard let value = double(bytes, range, point: point), Float(value).isFinite else {
            return nil
        }
        return Float(value) + 0  // −0 + 0 = 0
    }

    /// The same, and beyond float32's range up to what float64 holds.
    static func double(
        _ bytes: [UInt8], _ range: Range<Int>, point: UInt8 = UInt8(ascii: ".")
    ) -> Double? {
        var i = range.lowerBound
        let end = range.upperBound
        func digits() -> Int {
            let start = i
            while i < end, bytes[i] &- 0x30 < 10 { i += 1 }
            return i - start
        }
        var negative = false
        if i < end, bytes[i] == 0x2b || bytes[i] == 0x2d {
            negative = bytes[i] == 0x2d
            i += 1
        }
        let first = i
        var count = digits()
        if i == end, 1...15 ~= count {  // whole numbers, most cells, are exact in a Double
            let value = bytes[first..<end].reduce(0) { $0 * 10 + Int($1 - 0x30) }
            return Double(negative ? -value : value)
        }
        let place = i
        if i < end, bytes[i] == point {
            i += 1
            count += digits()
        }
        guard count > 0 else { return nil }
        if i < end, bytes[i] | 0x20 == 0x65 {
            i += 1
            if i < end, bytes[i] == 0x2b || bytes[i] == 0x2d { i += 1 }
            guard digits() > 0 else { return nil }
        }
        guard i == end else { return nil }
        var spelt = Array(bytes[range])
        if place < end, bytes[place] == point { spelt[place - range.lowerBound] = 0x2e }
        let value = Double(String(decoding: spelt, as: UTF8.self))
        return value.flatMap { $0.isFinite ? $0 : nil }
    }

    /// Why `text` is no number, where that can be told, and what to do about it.
    static func hint(for text: String, decimal: TableOptions.Decimal) -> String? {
        if Absent.isWord(text) {
            return "it stands for an absent value: fill it in, or drop the row or the column"
        }
        let spelt = Array(text.utf8)
        func reads(_ bytes: [UInt8], _ point: UInt8) -> Bool {
            float(bytes, bytes.indices, point: point) != nil
        }
        let (comma, stop) = (UInt8(ascii: ","), UInt8(ascii: "."))
        let (own, other) = decimal == .point ? (stop, comma) : (comma, stop)
        if isGrouped(spelt, by: other, point: own) || isGrouped(spelt, by: 0x20, point: own)
            || isGrouped(spelt, by: UInt8(ascii: "'"), point: own)
        {
            let advice = "write thousands without separators"
            // 1,234 may be either.
            return reads(spelt, other) ? advice + ", or " + decimalAdvice(decimal) : advice
        }
        if reads(spelt, other) || isGrouped(spelt, by: own, point: other) {
            return decimalAdvice(decimal)
        }
        if let last = spelt.last, last == UInt8(ascii: "%") {
            return "write percentages as numbers"
        }
        return nil
    }

    private static func decimalAdvice(_ decimal: TableOptions.Decimal) -> String {
        decimal == .point
            ? "for a decimal comma set data.decimal: comma, or give --decimal comma"
            : "for a decimal point set data.decimal: point, or give --decimal point"
    }

    /// Whether groups of three digits stand between separators: `1,234,567.8`.
    private static func isGrouped(_ bytes: [UInt8], by separator: UInt8, point: UInt8) -> Bool {
        var body = bytes[...]
        if let sign = body.first, sign == 0x2b || sign == 0x2d { body = body.dropFirst() }
        let whole = body.prefix { $0 != point }
        let groups = whole.split(separator: separator, omittingEmptySubsequences: false)
        let isDigits = { (group: ArraySlice<UInt8>) in group.allSatisfy { $0 &- 0x30 < 10 } }
        return groups.count > 1 && 1...3 ~= groups[0].count
            && groups.dropFirst().allSatisfy { $0.count == 3 } && groups.allSatisfy(isDigits)
            && body.dropFirst(whole.count + 1).allSatisfy { $0 &- 0x30 < 10 }
    }
}

/// Words that tools write where a value is absent.
enum Absent {
    private static let words: Set<String> = [
        "nan", "na", "n/a", "#n/a", "<na>", "null", "nil", "none", "nat", "missing", "undefined",
        "-",
        "--", "?", ".", "#null!", "#value!", "#ref!", "#div/0!", "1.#qnan", "-nan", "\\n",
    ]

    static func isWord(_ text: String) -> Bool {
        text.utf8.count <= 10 && words.contains(text.lowercased())
    }
}
