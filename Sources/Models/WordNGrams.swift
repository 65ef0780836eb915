/// Hashed words and word pairs of a text: what the fastText classifier looks up (Joulin, Grave,
/// Bojanowski, Mikolov 2016, arXiv 1607.01759: bags of n-grams with the hashing trick).
///
/// **Words.** Letters, digits and combining marks (Unicode's Alphabetic, Numeric_Type, Mark) that
/// stand together are a word; every other visible character is a word of its own, so that ":)" and
/// "don't" are words in a row; blanks and control characters only separate; ignorable characters
/// (variation selectors, joiners) are skipped. Letters are lower-cased one by one where the lower
/// case is a single character.
///
/// **Hash.** FNV-1a of 64 bits (offset 0xcbf29ce484222325, prime 0x100000001b3) over the UTF-8 of the
/// words with one space (0x20) between two of them; h xor (h >> 32), modulo the number of buckets,
/// plus 1. Id 0 is left for padding. The same text has the same ids on every machine; different
/// n-grams may share an id.
public enum WordNGrams {
    /// The longest n-gram.
    public static let longest = 2

    static let offset: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let prime: UInt64 = 0x100_0000_01b3

    private enum Kind { case blank, ignored, word, symbol }

    /// - Parameters:
    ///   - codes: code points; 0 and whatever is no Unicode scalar separates words.
    ///   - buckets: at least 1.
    /// - Returns: ids in 1...buckets, at most `longest` per character; of no word, none.
    public static func ids(
        _ codes: UnsafeBufferPointer<Float>, buckets: Int, longest: Int = longest
    ) -> [Int] {
        precondition(buckets > 0 && longest > 0)
        var ids: [Int] = []
        // The hashes of the n-grams that end with the last word and with the one being read; the
        // n-gram of n words is at n − 1.
        var last: [UInt64] = []
        var current: [UInt64] = []
        func feed(_ byte: UInt8) {
            for n in current.indices { current[n] = step(current[n], byte) }
        }
        func feed(_ code: UInt32, _ scalar: Unicode.Scalar?) {
            guard let scalar, code >= 0x80 else { return feed(UInt8(code)) }
            for byte in Unicode.UTF8.encode(scalar)! { feed(byte) }
        }
        func begin() {
            guard current.isEmpty else { return }
            current = [offset]
            for hash in last.prefix(longest - 1) { current.append(step(hash, 0x20)) }
        }
        func end() {
            guard !current.isEmpty else { return }
            for hash in current { ids.append(id(hash, buckets)) }
            swap(&last, &current)
            current.removeAll(keepingCapacity: true)
        }
        for value in codes {
            if value >= 0, value < 128 {
                let byte = UInt8(value)
                switch byte {
                case 0x41...0x5a:
                    begin()
                    feed(byte | 0x20)
                case 0x61...0x7a, 0x30...0x39:
                    begin()
                    feed(byte)
                case 0...0x20, 0x7f: end()
                default:
                    end()
                    begin()
                    feed(byte)
                    end()
                }
                continue
            }
            guard let code = UInt32(exactly: value), let scalar = Unicode.Scalar(code) else {
                end()
                continue
            }
            switch kind(scalar) {
            case .blank: end()
            case .ignored: break
            case .word:
                begin()
                let lower = scalar.properties.lowercaseMapping.unicodeScalars
                let own = lower.count == 1 ? lower[lower.startIndex] : scalar
                feed(own.value, own)
            case .symbol:
                end()
                begin()
                feed(code, scalar)
                end()
            }
        }
        end()
        return ids
    }

    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* prime }

    private static func id(_ hash: UInt64, _ buckets: Int) -> Int {
        Int((hash ^ hash >> 32) % UInt64(buckets)) + 1
    }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint { return .ignored }
        if properties.isWhitespace { return .blank }
        if properties.isAlphabetic || properties.numericType != nil { return .word }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return .word
        case .control, .format, .surrogate: return .blank
        default: return .symbol
        }
    }
}
