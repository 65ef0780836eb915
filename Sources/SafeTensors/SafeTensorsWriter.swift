import Diagnostics
import Files

/// Collects tensors and encodes them as a safetensors file.
///
///     var writer = SafeTensorsWriter(metadata: ["format": "pt"])
///     writer.add("fc.bias", floats: bias, shape: [10])
///     try writer.write(to: "student.safetensors")
///
/// The same tensors give the same bytes in whatever order they were added: tensors stand by dtype
/// (widest first, so that each is aligned to its element size), then by the bytes of their names;
/// metadata by the bytes of its keys; the header is padded with spaces to a multiple of 8. That is
/// the layout of the reference writer, byte for byte.
public struct SafeTensorsWriter: Sendable {
    /// Free text for `__metadata__`; left out of the file if empty.
    public var metadata: [String: String]
    private var tensors: [Item] = []

    private struct Item: Sendable {
        let name: String
        let dtype: SafeTensorsFile.DType
        let shape: [Int]
        let bytes: [UInt8]
    }

    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds a tensor; `encoded` checks it.
    ///
    /// - Parameters:
    ///   - name: unique, at most 1,024 UTF-8 bytes, not `__metadata__`.
    ///   - shape: sizes of the dimensions, outermost first; empty for a scalar.
    ///   - bytes: the elements, row-major and little-endian.
    public mutating func add(
        _ name: String, _ dtype: SafeTensorsFile.DType, shape: [Int], bytes: [UInt8]
    ) {
        tensors.append(Item(name: name, dtype: dtype, shape: shape, bytes: bytes))
    }

    /// Adds an F32 tensor.
    public mutating func add(_ name: String, floats: [Float], shape: [Int]) {
        add(name, .f32, shape: shape, bytes: Self.littleEndian(floats.lazy.map(\.bitPattern)))
    }

    /// Adds an F64 tensor.
    public mutating func add(_ name: String, doubles: [Double], shape: [Int]) {
        add(name, .f64, shape: shape, bytes: Self.littleEndian(doubles.lazy.map(\.bitPattern)))
    }

    /// Adds an I64 tensor.
    public mutating func add(_ name: String, ints: [Int], shape: [Int]) {
        add(name, .i64, shape: shape, bytes: Self.littleEndian(ints.lazy.map(Int64.init)))
    }

    /// Adds a BOOL tensor.
    public mutating func add(_ name: String, bools: [Bool], shape: [Int]) {
        add(name, .bool, shape: shape, bytes: bools.map { $0 ? 1 : 0 })
    }

    /// The file.
    ///
    /// - Throws: `Problem` (`.data`) for a name that comes twice, is reserved or that the reader
    ///   would refuse, a shape that does not fit its bytes, and a header above its limit: a file that
    ///   `SafeTensorsFile` would refuse is never made.
    public func encoded() throws(Problem) -> [UInt8] {
        try encoded(headerLimit: SafeTensorsFile.headerLimit)
    }

    func encoded(headerLimit: Int) throws(Problem) -> [UInt8] {
        let sorted = try checked().sorted {
            $0.dtype != $1.dtype
                ? $0.dtype.rank > $1.dtype.rank
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        var header = "{"
        if !metadata.isEmpty {
            let keys = metadata.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            header += "\"__metadata__\":{"
            header += keys.map { Self.quoted($0) + ":" + Self.quoted(metadata[$0]!) }
                .joined(separator: ",")
            header += "}"
        }
        var end = 0
        for tensor in sorted {
            if header.utf8.count > 1 { header += "," }
            let begin = end
            end += tensor.bytes.count
            header += Self.quoted(tensor.name)
            header += ":{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":["
            header += tensor.shape.map(String.init).joined(separator: ",")
            header += "],\"data_offsets\":[\(begin),\(end)]}"
        }
        header += "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        let length = header.utf8.count
        guard length <= headerLimit else { throw .headerToWriteTooLong(length, headerLimit) }

        var file: [UInt8] = []
        file.reserveCapacity(8 + length + end)
        file += Self.littleEndian([UInt64(length)])
        file += header.utf8
        for tensor in sorted { file += tensor.bytes }
        return file
    }

    /// Writes the file so that a reader sees the old content or the new, never a mixture.
    ///
    /// - Throws: `Problem`: what `encoded` throws, or `.io` from the file system.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try files.replace(path, with: encoded())
    }

    private func checked() throws(Problem) -> [Item] {
        for key in metadata.keys where key.utf8.count > SafeTensorsFile.nameLimit {
            throw .nameToWrite("metadata key too long", key)
        }
        for key in metadata.keys where !NameRule.isStreamSafe(key) { throw .marksToWrite(key) }
        var names: Set<String> = []
        for tensor in tensors {
            guard tensor.name.utf8.count <= SafeTensorsFile.nameLimit else {
                throw .nameToWrite("tensor name too long", tensor.name)
            }
            guard NameRule.isStreamSafe(tensor.name) else { throw .marksToWrite(tensor.name) }
            guard tensor.name != "__metadata__" else { throw .reservedName() }
            guard names.insert(tensor.name).inserted else { throw .nameTwice(tensor.name) }
            guard tensor.shape.count <= SafeTensorsFile.rankLimit else {
                throw .rankToWrite(tensor.name, tensor.shape.count)
            }
            guard let count = tensor.dtype.byteCount(of: tensor.shape) else {
                throw .shapeToWrite(tensor.name, tensor.shape)
            }
            guard count == tensor.bytes.count else {
                throw .bytesToWrite(
                    tensor.name, tensor.dtype, tensor.shape, found: tensor.bytes.count,
                    expected: count)
            }
        }
        return tensors
    }

    /// A JSON string with the escapes JSON demands and no others.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{8}": out += "\\b"
            case "\u{C}": out += "\\f"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\0"..<" ":
                out += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func littleEndian<Values: Sequence>(_ values: Values) -> [UInt8]
    where Values.Element: FixedWidthInteger {
        values.map(\.littleEndian).withUnsafeBytes { Array($0) }
    }
}
