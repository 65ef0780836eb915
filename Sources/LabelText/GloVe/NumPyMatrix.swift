import Diagnostics
import Foundation

/// A matrix of little-endian float32 in a .npy file (NumPy format 1.0 and 2.0), whose rows are read
/// as they are asked for.
struct NumPyMatrix {
    let file: String
    let rows: Int
    let columns: Int
    private let isColumnMajor: Bool
    private let bytes: [UInt8]
    private let start: Int

    init(_ bytes: [UInt8], file: String) throws(Problem) {
        self.file = file
        self.bytes = bytes
        guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            throw .notNumPy(file, "the first bytes are not those of a .npy file")
        }
        let wide = bytes[6] == 2
        guard bytes[6] == 1 || wide else { throw .notNumPy(file, "version \(bytes[6])") }
        let length = bytes[8..<(wide ? 12 : 10)].reversed().reduce(0) { $0 << 8 | Int($1) }
        start = (wide ? 12 : 10) + length
        guard start <= bytes.count, length <= 65_536 else {
            throw .notNumPy(file, "its header is cut")
        }
        let header = String(decoding: bytes[(start - length)..<start], as: UTF8.self)
            .filter { !$0.isWhitespace }
        guard header.contains("'descr':'<f4'") else { throw .notNumPy(file, "not float32") }
        isColumnMajor = header.contains("'fortran_order':True")
        guard isColumnMajor || header.contains("'fortran_order':False"),
            let shape = header.firstMatch(of: /'shape':\((\d{1,9}),(\d{1,9})\)/),
            let rows = Int(shape.1), let columns = Int(shape.2)
        else { throw .notNumPy(file, "not a matrix") }
        // Nine digits each: no overflow.
        guard (bytes.count - start) == rows * columns * 4 else {
            throw .notNumPy(file, "\(bytes.count - start) bytes for \(rows) x \(columns) values")
        }
        (self.rows, self.columns) = (rows, columns)
    }

    /// `columns` values.
    func row(_ index: Int) -> [Float] {
        precondition((0..<rows).contains(index))
        return bytes.withUnsafeBytes { all in
            (0..<columns).map { column in
                let at = isColumnMajor ? column * rows + index : index * columns + column
                let raw = all.loadUnaligned(fromByteOffset: start + 4 * at, as: UInt32.self)
                return Float(bitPattern: UInt32(littleEndian: raw))
            }
        }
    }
}
