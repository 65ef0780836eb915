/// Writes messages in the wire format of Protocol Buffers, field by field.
///
///     var message = ProtobufWriter()
///     message.integer(1, 8)
///     message.text(2, "limbeck")
///     message.message(7) { graph in graph.text(2, "main") }
///
/// By hand, because two small parts of two formats are all that Limbeck writes: a dozen messages of
/// ONNX and of TensorBoard's event files. The wire format needs four kinds of fields (varint, 64 bits,
/// length-delimited, 32 bits) and about a hundred lines; the library and the generated code for both
/// schemas would be some ten thousand lines and one dependency more. Bytes are compared with those of
/// other writers in the tests.
///
/// Fields stand in the order of the calls, so equal calls give equal bytes.
public struct ProtobufWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// A whole number, an enumeration or a truth value; negative ones take ten bytes.
    public mutating func integer(_ field: Int, _ value: Int) {
        tag(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    public mutating func float(_ field: Int, _ value: Float) {
        tag(field, .fixed32)
        fixed(value.bitPattern)
    }

    public mutating func double(_ field: Int, _ value: Double) {
        tag(field, .fixed64)
        fixed(value.bitPattern)
    }

    public mutating func data(_ field: Int, _ value: some Collection<UInt8>) {
        tag(field, .delimited)
        varint(UInt64(value.count))
        bytes += value
    }

    /// UTF-8.
    public mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

    /// A message inside this one.
    public mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        fill(&inner)
        data(field, inner.bytes)
    }

    private mutating func tag(_ field: Int, _ kind: ProtobufKind) {
        precondition(field > 0 && field < 1 << 29, "the number of a field")
        varint(UInt64(field) << 3 | UInt64(kind.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func fixed(_ bits: some FixedWidthInteger) {
        withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
    }
}

/// How a field's value is laid out.
enum ProtobufKind: UInt8 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
}
