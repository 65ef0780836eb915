/// Texts, each cut to its first `length` characters (Unicode scalars).
///
/// One representation serves every network: a text is its characters' code points, and the batch
/// carries those, padded with 0, as `[N, 1, length]` numbers (float32 holds every code point
/// exactly). What a network makes of them, one-hot letters or hashed words, is its own affair; so a
/// teacher and a student, or two peers, of different kinds can share one batch. In memory texts are
/// UTF-8 one behind the other, without padding, so they take no more room than their file.
public struct TextList: Sendable, Equatable {
    /// What `length` may be.
    public static let lengths = 16...16_384

    public let length: Int
    /// UTF-8 of all texts, without anything between them.
    public private(set) var bytes: [UInt8] = []
    /// Where in `bytes` each text ends.
    public private(set) var ends: [Int] = []

    /// - Parameter length: characters kept of each text; outside `lengths` it traps.
    public init(_ texts: some Sequence<String> = [], length: Int) {
        precondition(TextList.lengths ~= length, "text length \(length)")
        self.length = length
        for text in texts { append(Array(text.utf8)[...]) }
    }

    public var count: Int { ends.count }

    /// Texts without any character.
    public var emptyCount: Int { (0..<count).count { range($0).isEmpty } }

    /// Where text `index` lies in `bytes`.
    func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    public subscript(index: Int) -> String {
        String(decoding: bytes[range(index)], as: UTF8.self)
    }

    /// Adds a text of well-formed UTF-8; with `doubledQuotes` every `""` in it stands for `"`.
    mutating func append(_ text: ArraySlice<UInt8>, doubledQuotes: Bool = false) {
        var characters = 0
        var isSecondQuote = false
        for byte in text {
            if doubledQuotes, byte == 0x22 {
                isSecondQuote.toggle()
                if !isSecondQuote { continue }
            }
            if byte & 0xc0 != 0x80 {  // the first byte of a character
                characters += 1
                if characters > length { break }
            }
            bytes.append(byte)
        }
        ends.append(bytes.count)
    }

    /// The texts at `indices`, in that order.
    func subset(_ indices: [Int]) -> TextList {
        var list = TextList(length: length)
        list.bytes.reserveCapacity(indices.reduce(0) { $0 + range($1).count })
        for i in indices {
            list.bytes += bytes[range(i)]
            list.ends.append(list.bytes.count)
        }
        return list
    }

    /// Code points of text `index`, and 0 behind them up to `length`.
    func write(_ index: Int, to target: UnsafeMutablePointer<Float>) {
        var place = 0
        var code: UInt32 = 0
        bytes[range(index)].withUnsafeBufferPointer { text in
            for byte in text {
                if byte & 0xc0 == 0x80 {
                    code = code << 6 | UInt32(byte & 0x3f)
                    target[place - 1] = Float(code)
                    continue
                }
                // The first byte: 1, 2, 3 or 4 of them, with 7, 5, 4 or 3 bits here.
                code = UInt32(
                    byte < 0x80
                        ? byte : byte < 0xe0 ? byte & 0x1f : byte < 0xf0 ? byte & 0xf : byte & 7)
                target[place] = Float(code)
                place += 1
            }
        }
        for i in place..<length { target[i] = 0 }
    }
}
