import Diagnostics
import Foundation

/// Reads a whole file, refusing what is missing, a folder, or longer than `limit` bytes.
public func readFile(_ path: String, limit: Int = 4 << 30) throws(Problem) -> [UInt8] {
    let (file, size) = try opened(path)
    defer { fclose(file) }
    guard size <= limit else {
        throw Problem(
            .data, "file too large", at: .file(path), found: "\(size) bytes",
            expected: "at most \(limit) bytes")
    }
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = size == 0 ? 0 : fread(buffer.baseAddress!, 1, size, file)
    }
    guard bytes.count == size else { throw .cannot("read", path, EIO) }
    return bytes
}

/// Calls `body` with the file's content in pieces of at most 1 MiB, to the end or for `length` bytes.
///
/// - Throws: for what is missing, not a regular file, or shorter than `length`.
public func forEachPiece(
    of path: String, length: Int? = nil, _ body: (UnsafeRawBufferPointer) -> Void
) throws(Problem) {
    let (file, size) = try opened(path)
    defer { fclose(file) }
    var left = length ?? size
    let piece = UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(1, min(left, 1 << 20)), alignment: 16)
    defer { piece.deallocate() }
    while left > 0 {
        let count = fread(piece.baseAddress!, 1, min(left, piece.count), file)
        guard count > 0 else { throw .cannot("read", path, EIO) }
        body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
        left -= count
    }
}

/// A regular file, opened for reading, and its size in bytes. The caller closes it.
private func opened(
    _ path: String
) throws(Problem) -> (file: UnsafeMutablePointer<FILE>, size: Int) {
    var info = stat()
    guard stat(path, &info) == 0 else { throw .cannot("read", path, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else {
        throw Problem(.io, "cannot read: not a regular file", at: .file(path))
    }
    guard let file = fopen(path, "rb") else { throw .cannot("read", path, errno) }
    return (file, Int(info.st_size))
}

/// Reads a text file of a user's (a recipe, a list of names): UTF-8, without the byte order mark that
/// some editors put before it.
///
/// - Throws: `.data` for bytes that are not UTF-8, with the offset of the first.
public func readText(_ path: String, limit: Int) throws(Problem) -> String {
    try text(of: readFile(path, limit: limit), file: path)
}

/// The same from bytes in memory; `file` serves the message.
public func text(of bytes: [UInt8], file: String) throws(Problem) -> String {
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard let text = String(validating: bytes[start...], as: UTF8.self) else {
        throw .notUTF8Text(file, bytes)
    }
    return text
}

extension Problem {
    /// Bytes that are no UTF-8, with what they seem to be where that can be told.
    static func notUTF8Text(_ file: String, _ bytes: [UInt8]) -> Problem {
        let isWide = bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
        return Problem(
            .data, "text is not UTF-8", at: .file(file, "byte \(firstInvalidByte(bytes))"),
            found: isWide ? "UTF-16" : nil, hint: "save the file as UTF-8")
    }

    private static func firstInvalidByte(_ bytes: [UInt8]) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: return offset
            }
        }
    }
}
