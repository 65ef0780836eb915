import Diagnostics
import Files
import Foundation

/// A matrix of little-endian float32 in a .npy file (NumPy format 1.0 and 2.0), whose rows are read
/// as they are asked for: no more than its header and one row are in memory.
struct NumPyMatrix {
    let file: String
    let rows: Int
    let columns: Int
    private let isColumnMajor: Bool
    private let content: Content
    private let start: Int

    /// The longest header that is read, in bytes; a matrix needs about a hundred.
    private static let longestHeader = 65_536

    init(path: String) throws(Problem) {
        try self.init(try Content(path: path), file: path)
    }

    init(_ bytes: [UInt8], file: String) throws(Problem) {
        try self.init(Content(bytes), file: file)
    }

    private init(_ content: Content, file: String) throws(Problem) {
        self.file = file
        self.content = content
        let bytes = try content.read(0, 12, file)
        guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw .notNumPy(file, "the first bytes are not those of a .npy file")
        }
        let wide = bytes[6] == 2
        guard bytes[6] == 1 || wide else { throw .notNumPy(file, "version \(bytes[6])") }
        let length = bytes[8..<(wide ? 12 : 10)].reversed().reduce(0) { $0 << 8 | Int($1) }
        start = (wide ? 12 : 10) + length
        guard start <= content.count, length <= NumPyMatrix.longestHeader else {
            throw .notNumPy(file, "its header is cut")
        }
        let header = String(
            decoding: try content.read(start - length, length, file), as: UTF8.self
        )
        .filter { !$0.isWhitespace }
        guard header.contains("'descr':'<f4'") else { throw .notNumPy(file, "not float32") }
        isColumnMajor = header.contains("'fortran_order':True")
        guard isColumnMajor || header.contains("'fortran_order':False"),
            let shape = header.firstMatch(of: /'shape':\((\d{1,9}),(\d{1,9})\)/),
            let rows = Int(shape.1), let columns = Int(shape.2)
        else { throw .notNumPy(file, "not a matrix") }
        // Nine digits each: no overflow.
        guard content.count - start == rows * columns * 4 else {
            throw .notNumPy(
                file, "\(content.count - start) bytes for \(rows) x \(columns) values")
        }
        guard columns <= LabelEmbeddings.largestDimension else {
            throw .dimension(file, found: columns, classes: rows)
        }
        (self.rows, self.columns) = (rows, columns)
    }

    /// `columns` values.
    func row(_ index: Int) throws(Problem) -> [Float] {
        precondition((0..<rows).contains(index))
        guard isColumnMajor else {
            return floats(try content.read(start + 4 * index * columns, 4 * columns, file))
        }
        var row: [Float] = []
        for column in 0..<columns {
            row += floats(try content.read(start + 4 * (column * rows + index), 4, file))
        }
        return row
    }

    private func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { all in
            stride(from: 0, to: all.count, by: 4).map { at in
                let raw = all.loadUnaligned(fromByteOffset: at, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: raw))
            }
        }
    }

    /// Bytes in memory, or an open file.
    private final class Content {
        let count: Int
        private let bytes: [UInt8]
        private let descriptor: Int32?

        init(_ bytes: [UInt8]) { (self.bytes, count, descriptor) = (bytes, bytes.count, nil) }

        init(path: String) throws(Problem) {
            let (descriptor, size) = try openFile(path)
            (bytes, count, self.descriptor) = ([], size, descriptor)
        }

        deinit { if let descriptor { close(descriptor) } }

        /// `length` bytes from `offset`, or what there is of them in a shorter file.
        func read(_ offset: Int, _ length: Int, _ file: String) throws(Problem) -> [UInt8] {
            let length = max(0, min(length, count - offset))
            guard let descriptor else { return Array(bytes[offset..<offset + length]) }
            var done = 0
            let read = [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
                while done < length {
                    let made = pread(
                        descriptor, buffer.baseAddress! + done, length - done, off_t(offset + done))
                    if made <= 0 { break }
                    done += made
                }
                filled = done
            }
            guard done == length else { throw .cannot("read", file, EIO) }
            return read
        }
    }
}
