import Diagnostics

/// Takes numbers out of a part of a file, never beyond its end.
struct ByteReader {
    let bytes: [UInt8]
    let file: String
    /// What the part is called in messages: `data.pkl`.
    let part: String
    var at: Int
    let end: Int

    /// - Parameter range: within `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>, file: String, part: String) {
        (self.bytes, self.file, self.part) = (bytes, file, part)
        (at, end) = (range.lowerBound, range.upperBound)
    }

    /// The next `count` bytes.
    mutating func take(_ count: Int) throws(Problem) -> Range<Int> {
        guard count >= 0, count <= end - at else { throw .cut(file, part, at: at) }
        defer { at += count }
        return at..<at + count
    }

    /// A little-endian integer.
    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(Problem) -> Value {
        let range = try take(MemoryLayout<Value>.size)
        return bytes.withUnsafeBytes {
            Value(
                littleEndian: $0.loadUnaligned(fromByteOffset: range.lowerBound, as: Value.self))
        }
    }

    /// A length or an offset.
    mutating func size<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type
    ) throws(Problem) -> Int {
        let start = at
        guard let value = Int(exactly: try integer(type)) else {
            throw .cut(file, part, at: start)
        }
        return value
    }

    /// Up to the next line break, which is taken too.
    mutating func line() throws(Problem) -> Range<Int> {
        guard let stop = bytes[at..<end].prefix(1 << 10).firstIndex(of: UInt8(ascii: "\n")) else {
            throw .cut(file, part, at: at)
        }
        defer { at = stop + 1 }
        return at..<stop
    }
}
