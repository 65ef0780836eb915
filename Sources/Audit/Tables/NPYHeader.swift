import Diagnostics

/// The header of an array file of numpy (.npy, versions 1 to 3): what the numbers are and where they begin.
///
/// Layout: the byte 0x93, `NUMPY`, two bytes of version, the length of the header (two bytes, from version 2 on
/// four, little-endian), and the header: a dictionary of Python with `descr`, `fortran_order`, `shape`.
struct NPYHeader: Equatable {
    /// The type of the numbers in numpy's words: `<f4`.
    var type: String
    var isFortranOrder: Bool
    var shape: [Int]
    /// Where the numbers begin, in bytes.
    var offset: Int

    /// More is no header.
    private static let limit = 1 << 16

    init(_ bytes: UnsafeRawBufferPointer, file: String) throws(Problem) {
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
        guard bytes.count >= 12, bytes.starts(with: magic) else {
            throw .npyHeader(file, "it does not begin with 0x93 NUMPY and a version")
        }
        let version = bytes[6]
        guard 1...3 ~= version else { throw .npyVersion(file, Int(version)) }
        let start = version == 1 ? 10 : 12
        var length = Int(bytes[8]) | Int(bytes[9]) << 8
        if version > 1 { length |= Int(bytes[10]) << 16 | Int(bytes[11]) << 24 }
        guard length <= Self.limit, start + length <= bytes.count else {
            throw .npyHeader(file, "it is longer than the file or than \(Self.limit) bytes")
        }
        offset = start + length
        var text = Substring(String(decoding: bytes[start..<offset], as: UTF8.self))
        guard let type = Self.value(of: "descr", in: text).flatMap(Self.quoted),
            let order = Self.value(of: "fortran_order", in: text),
            let shape = Self.value(of: "shape", in: text)
        else { throw .npyHeader(file, "it lacks descr, fortran_order or shape") }
        self.type = type
        isFortranOrder = order.hasPrefix("True")
        text = shape
        guard let end = text.firstIndex(of: ")"), text.first == "(" else {
            throw .npyHeader(file, "its shape is not in parentheses")
        }
        let sizes = text[text.index(after: text.startIndex)..<end].split(separator: ",")
            .map { Int($0.trimmingPrefix(while: \.isWhitespace)) }
        guard sizes.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else {
            throw .npyHeader(file, "its shape is not of whole numbers")
        }
        self.shape = sizes.compactMap(\.self)
    }

    /// What stands behind `'name':`.
    private static func value(of name: String, in text: Substring) -> Substring? {
        for quote in ["'", "\""] {
            guard let key = text.firstRange(of: "\(quote)\(name)\(quote)") else { continue }
            let rest = text[key.upperBound...].drop { $0 == ":" || $0.isWhitespace }
            return rest
        }
        return nil
    }

    private static func quoted(_ text: Substring) -> String? {
        guard let quote = text.first, quote == "'" || quote == "\"" else { return nil }
        let rest = text.dropFirst()
        return rest.firstIndex(of: quote).map { String(rest[..<$0]) }
    }
}
