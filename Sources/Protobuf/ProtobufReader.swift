/// Reads the fields of one message in the wire format of Protocol Buffers, in the order of the bytes.
///
/// It never reads outside its bytes and allocates nothing in advance, so any bytes may be given to it.
/// A message inside is a slice; fields that the caller does not know are passed over by not being
/// asked for.
public struct ProtobufReader: Sendable {
    /// Bytes that are no message, and where.
    public struct Malformed: Error, Equatable, Sendable {
        public var reason: String
        /// Offset in the outermost bytes.
        public var offset: Int
    }

    public enum Value: Sendable {
        case varint(UInt64)
        case fixed64(UInt64)
        case delimited(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }

    public struct Field: Sendable {
        public var number: Int
        public var value: Value
        /// Where it begins.
        public var offset: Int
    }

    private var rest: ArraySlice<UInt8>

    public init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next field; nil at the end.
    public mutating func next() throws(Malformed) -> Field? {
        guard !rest.isEmpty else { return nil }
        let offset = rest.startIndex
        let tag = try varint()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
            throw Malformed(reason: "no field has this number", offset: offset)
        }
        guard let kind = ProtobufKind(rawValue: UInt8(tag & 7)) else {
            throw Malformed(reason: "a kind of field that is not in use", offset: offset)
        }
        let value: Value =
            switch kind {
            case .varint: .varint(try varint())
            case .fixed64: .fixed64(try fixed(UInt64.self))
            case .fixed32: .fixed32(try fixed(UInt32.self))
            case .delimited: .delimited(try delimited())
            }
        return Field(number: Int(tag >> 3), value: value, offset: offset)
    }

    /// Calls `body` with every field of the message.
    public static func forEach<Failure: Error>(
        _ bytes: ArraySlice<UInt8>, _ body: (Field) throws(Failure) -> Void,
        malformed: (Malformed) -> Failure
    ) throws(Failure) {
        var reader = ProtobufReader(bytes)
        while true {
            let field: Field?
            do { field = try reader.next() } catch { throw malformed(error) }
            guard let field else { return }
            try body(field)
        }
    }

    /// Whole numbers that stand one behind the other in one field (`packed`).
    public static func packedIntegers(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> [Int] {
        var reader = ProtobufReader(bytes)
        var values: [Int] = []
        while !reader.rest.isEmpty { values.append(Int(Int64(bitPattern: try reader.varint()))) }
        return values
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        let start = rest.startIndex
        var value: UInt64 = 0
        for shift in stride(from: 0, through: 63, by: 7) {
            guard let byte = rest.popFirst() else {
                throw Malformed(reason: "the bytes end inside a number", offset: start)
            }
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw Malformed(reason: "a number of more than 64 bits", offset: start)
    }

    private mutating func fixed<Bits: FixedWidthInteger>(_ type: Bits.Type) throws(Malformed)
        -> Bits
    {
        let count = Bits.bitWidth / 8
        guard rest.count >= count else {
            throw Malformed(reason: "the bytes end inside a number", offset: rest.startIndex)
        }
        var bits: Bits = 0
        for (i, byte) in rest.prefix(count).enumerated() { bits |= Bits(byte) << (8 * i) }
        rest = rest.dropFirst(count)
        return bits
    }

    private mutating func delimited() throws(Malformed) -> ArraySlice<UInt8> {
        let start = rest.startIndex
        let count = try varint()
        guard count <= UInt64(rest.count) else {
            throw Malformed(
                reason: "a field of \(count) bytes where \(rest.count) are left", offset: start)
        }
        let value = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return value
    }
}

extension ProtobufReader.Value {
    /// A varint as a signed number; nil for other kinds.
    public var integer: Int? {
        if case .varint(let bits) = self { Int(Int64(bitPattern: bits)) } else { nil }
    }
    public var float: Float? {
        if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil }
    }
    public var double: Double? {
        if case .fixed64(let bits) = self { Double(bitPattern: bits) } else { nil }
    }
    public var data: ArraySlice<UInt8>? {
        if case .delimited(let bytes) = self { bytes } else { nil }
    }
    /// Nil also where the bytes are no UTF-8.
    public var text: String? { data.flatMap { String(validating: $0, as: UTF8.self) } }
}
