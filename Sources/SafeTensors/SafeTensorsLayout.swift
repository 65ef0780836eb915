import Diagnostics
import Files

/// Where the tensors of a safetensors file lie. Only the header is read, so that the file may be a mapped one
/// of any size.
public struct SafeTensorsLayout: Sendable {
    /// As in ``SafeTensorsFile``.
    public let metadata: [String: String]
    /// In the order of their bytes.
    public let tensors: [SafeTensorsFile.Entry]

    /// Checks the header, and the ranges against the length of the file.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what errors call the file.
    /// - Throws: `Problem` of kind `.data` that names the byte or the tensor.
    public init(_ bytes: UnsafeRawBufferPointer, name: String) throws(Problem) {
        if let kind = FileKind(Array(bytes.prefix(1 << 13))), kind != .safeTensors {
            throw .notSafeTensors(name, kind)
        }
        guard bytes.count >= 8 else { throw .tooShort(name, bytes.count) }
        let length = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafeTensorsFile.headerLimit) else {
            throw .headerTooLong(name, length)
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw .headerCutOff(name, bytes.count, needed: dataStart)
        }
        var parser = HeaderParser(
            bytes: Array(bytes[..<dataStart]), end: dataStart, file: name)
        try parser.parse()
        tensors = try Self.laidOut(parser.tensors, dataStart, bytes.count, name)
        metadata = parser.metadata
    }

    /// Sorts the declared ranges and proves the invariant.
    private static func laidOut(
        _ declared: [HeaderParser.Declared], _ dataStart: Int, _ fileEnd: Int, _ file: String
    ) throws(Problem) -> [SafeTensorsFile.Entry] {
        // Ties can only be empty tensors (or an overlap, found below): keep the header's order.
        let order = declared.indices.sorted {
            let (a, b) = (declared[$0], declared[$1])
            return (a.begin, a.end, $0) < (b.begin, b.end, $1)
        }
        var entries: [SafeTensorsFile.Entry] = []
        entries.reserveCapacity(declared.count)
        var reached = 0
        for tensor in order.lazy.map({ declared[$0] }) {
            guard tensor.begin >= reached else {
                throw .overlap(file, tensor.name, begin: tensor.begin, reached: reached)
            }
            guard tensor.begin == reached else {
                throw .hole(file, tensor.name, begin: tensor.begin, reached: reached)
            }
            guard tensor.end <= fileEnd - dataStart else {
                throw .dataCutOff(
                    file, tensor.name, end: tensor.end, available: fileEnd - dataStart)
            }
            reached = tensor.end
            entries.append(
                SafeTensorsFile.Entry(
                    name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
                    range: dataStart + tensor.begin..<dataStart + tensor.end))
        }
        guard reached == fileEnd - dataStart else {
            throw .trailingBytes(file, fileEnd - dataStart - reached, at: dataStart + reached)
        }
        return entries
    }
}
