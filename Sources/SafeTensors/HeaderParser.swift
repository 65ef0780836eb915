import Diagnostics

/// A JSON parser that accepts one shape only: that of a safetensors header.
///
/// It is driven by the expected shape, not by the text, so that nesting cannot go deeper than the
/// three levels there are, no tree is built, and whatever stands in the wrong place is named.
/// Grammar: RFC 8259, less what a header cannot hold (fractions, `true`, `null`, nested lists).
struct HeaderParser {
    /// A tensor as the header declares it; offsets count from the end of the header.
    struct Declared {
        let name: String
        let dtype: SafeTensorsFile.DType
        let shape: [Int]
        let begin: Int
        let end: Int
    }

    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [Declared] = []

    private let bytes: [UInt8]
    private let end: Int
    private let file: String
    private var at = 8
    private var names: Set<String> = []

    /// - Parameters:
    ///   - bytes: the file, at least to the end of its header.
    ///   - end: where its header ends; at most `bytes.count`.
    init(bytes: [UInt8], end: Int, file: String) {
        self.bytes = bytes
        self.end = end
        self.file = file
    }

    mutating func parse() throws(Problem) {
        guard at < end, bytes[at] == UInt8(ascii: "{") else {
            throw .headerStart(file, at < end ? bytes[at] : nil)
        }
        var hasMetadata = false
        try object { (parser, key, keyAt) throws(Problem) in
            if key == "__metadata__" {
                guard !hasMetadata else { throw .duplicate("key", key, parser.file, keyAt) }
                hasMetadata = true
                try parser.metadataObject()
            } else {
                guard parser.names.insert(key).inserted else {
                    throw .duplicate("tensor name", key, parser.file, keyAt)
                }
                try parser.tensor(key)
            }
        }
        // The specification pads with spaces and nothing else.
        while at < end {
            guard bytes[at] == UInt8(ascii: " ") else { throw .afterHeader(file, bytes[at], at) }
            at += 1
        }
    }

    private mutating func metadataObject() throws(Problem) {
        try object { (parser, key, keyAt) throws(Problem) in
            let value = try parser.string("a string")
            guard parser.metadata.updateValue(value, forKey: key) == nil else {
                throw .duplicate("metadata key", key, parser.file, keyAt)
            }
        }
    }

    private mutating func tensor(_ name: String) throws(Problem) {
        var dtype: SafeTensorsFile.DType?
        var shape: [Int]?
        var offsets: [Int]?
        let file = file
        try object { (parser, key, keyAt) throws(Problem) in
            switch key {
            case "dtype":
                guard dtype == nil else { throw .duplicate("key", key, file, keyAt) }
                let word = try parser.string("a string", limit: SafeTensorsFile.nameLimit)
                guard let known = SafeTensorsFile.DType(rawValue: word) else {
                    throw .dtype(file, name, word)
                }
                dtype = known
            case "shape":
                guard shape == nil else { throw .duplicate("key", key, file, keyAt) }
                shape = try parser.list(limit: SafeTensorsFile.rankLimit) { .rank(file, name) }
            case "data_offsets":
                guard offsets == nil else { throw .duplicate("key", key, file, keyAt) }
                let pair = try parser.list(limit: 2) { .offsetCount(file, name, "more") }
                guard pair.count == 2 else {
                    throw .offsetCount(file, name, "\(pair.count)")
                }
                offsets = pair
            default: throw .unknownKey(file, name, key)
            }
        }
        guard let dtype else { throw .missingKey(file, name, "dtype") }
        guard let shape else { throw .missingKey(file, name, "shape") }
        guard let offsets else { throw .missingKey(file, name, "data_offsets") }
        let (begin, end) = (offsets[0], offsets[1])
        guard begin <= end else { throw .reversed(file, name, begin, end) }
        guard let count = dtype.byteCount(of: shape) else { throw .shapeOverflow(file, name) }
        guard count == end - begin else {
            throw .sizeMismatch(file, name, dtype, shape, found: end - begin, expected: count)
        }
        tensors.append(Declared(name: name, dtype: dtype, shape: shape, begin: begin, end: end))
    }

    // MARK: The pieces of JSON

    /// An object; `member` is called behind each `"key":` and has to take the value.
    private mutating func object(
        _ member: (inout HeaderParser, String, Int) throws(Problem) -> Void
    ) throws(Problem) {
        try take("{", else: "an object")
        if skipped(to: "}") { return }
        repeat {
            skipSpace()
            let keyAt = at
            let key = try string("a key in quotes", limit: SafeTensorsFile.nameLimit)
            try take(":", else: "\":\"")
            try member(&self, key, keyAt)
        } while skipped(to: ",")
        try take("}", else: "\",\" or \"}\"")
    }

    /// A list of at most `limit` whole numbers.
    private mutating func list(
        limit: Int, tooLong: () -> Problem
    ) throws(Problem) -> [Int] {
        try take("[", else: "a list")
        var numbers: [Int] = []
        if skipped(to: "]") { return numbers }
        repeat {
            guard numbers.count < limit else { throw tooLong() }
            numbers.append(try number())
        } while skipped(to: ",")
        try take("]", else: "\",\" or \"]\"")
        return numbers
    }

    /// A whole number from 0 to `Int.max`, without sign, fraction, exponent or leading zero.
    private mutating func number() throws(Problem) -> Int {
        skipSpace()
        let start = at
        var value = 0
        while at < end, case let digit = bytes[at] &- UInt8(ascii: "0"), digit <= 9 {
            let (tens, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(digit))
            if high || carry { throw .numberTooLarge(file, start) }
            value = sum
            at += 1
        }
        let follower = at < end ? bytes[at] : nil
        if start == at {
            if follower == UInt8(ascii: "-") { throw .notWhole("a negative number", file, start) }
            throw .unexpected(follower, "a whole number", file, at)
        }
        if bytes[start] == UInt8(ascii: "0"), at - start > 1 {
            throw .notWhole("a leading zero", file, start)
        }
        if follower == UInt8(ascii: ".") { throw .notWhole("a fraction", file, start) }
        if follower == UInt8(ascii: "e") || follower == UInt8(ascii: "E") {
            throw .notWhole("an exponent", file, start)
        }
        return value
    }

    /// A string of at most `limit` UTF-8 bytes. Whatever is compared or hashed must have one: both
    /// normalise, which takes time that grows with the square of a run of combining marks.
    private mutating func string(
        _ expected: String, limit: Int = .max
    ) throws(Problem) -> String {
        try take("\"", else: expected)
        let start = at
        var plain = start  // what lies between `plain` and `at` is still to be copied
        var decoded: [UInt8] = []
        while true {
            guard at < end else { throw .unexpected(nil, "\"\\\"\"", file, at) }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 { throw .controlCharacter(file, byte, at) }
            if byte == UInt8(ascii: "\\") {
                decoded += bytes[plain..<at]
                decoded += String(try escape()).utf8
                plain = at
            } else {
                at += 1
            }
        }
        decoded += bytes[plain..<at]
        at += 1
        guard decoded.count <= limit else { throw .nameTooLong(file, decoded.count, start - 1) }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw .notUTF8(file, start - 1)
        }
        if limit < .max, !NameRule.isStreamSafe(text) { throw .tooManyMarks(file, start - 1) }
        return text
    }

    private mutating func escape() throws(Problem) -> Unicode.Scalar {
        let start = at
        at += 1
        guard at < end else { throw .unexpected(nil, "an escape", file, at) }
        let letter = bytes[at]
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let first = try fourHexDigits(start)
            if let scalar = Unicode.Scalar(first) { return scalar }
            // A surrogate: only the high half followed by an escaped low half is a character.
            guard first < 0xDC00, at + 1 < end, bytes[at] == UInt8(ascii: "\\"),
                bytes[at + 1] == UInt8(ascii: "u")
            else { throw .badEscape(file, start) }
            at += 2
            let second = try fourHexDigits(start)
            guard 0xDC00...0xDFFF ~= second,
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            else { throw .badEscape(file, start) }
            return scalar
        default: throw .badEscape(file, start)
        }
    }

    private mutating func fourHexDigits(_ start: Int) throws(Problem) -> UInt32 {
        guard end - at >= 4 else { throw .badEscape(file, start) }
        var value: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .badEscape(file, start)
            }
            value = value << 4 | UInt32(digit)
        }
        at += 4
        return value
    }

    private mutating func skipSpace() {
        while at < end {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private mutating func skipped(to character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < end, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func take(
        _ character: Unicode.Scalar, else expected: String
    ) throws(Problem) {
        guard skipped(to: character) else {
            throw .unexpected(at < end ? bytes[at] : nil, expected, file, at)
        }
    }
}
