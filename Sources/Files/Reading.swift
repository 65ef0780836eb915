import Diagnostics
import Foundation

/// Reads a whole file, refusing what is missing, a folder, or longer than `limit` bytes.
public func readFile(_ path: String, limit: Int = 4 << 30) throws(Problem) -> [UInt8] {
    let (file, size) = try stream(path)
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
    let (file, size) = try stream(path)
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

/// A regular file, opened for reading, and its size in bytes. The caller closes it; a program that is
/// started meanwhile does not get it.
///
/// - Throws: for what is missing or not a regular file, without waiting for the writer of a pipe.
public func openFile(_ path: String) throws(Problem) -> (descriptor: Int32, size: Int) {
    var info = stat()
    // Before it is opened, which means something to a device.
    guard stat(path, &info) == 0 else { throw .cannot("read", path, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannot("read", path, errno) }
    // Another file may have come to the name.
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
        close(descriptor)
        throw .notRegular(path)
    }
    return (descriptor, Int(info.st_size))
}

private func stream(
    _ path: String
) throws(Problem) -> (file: UnsafeMutablePointer<FILE>, size: Int) {
    let (descriptor, size) = try openFile(path)
    guard let file = fdopen(descriptor, "rb") else {
        let code = errno
        close(descriptor)
        throw .cannot("read", path, code)
    }
    return (file, size)
}

extension Problem {
    fileprivate static func notRegular(_ path: String) -> Problem {
        Problem(.io, "cannot read: not a regular file", at: .file(path))
    }
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
    try checkUTF8(bytes, file: file)
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    return String(decoding: bytes[start...], as: UTF8.self)
}

/// Refuses bytes that are no UTF-8, with what they seem to be where that can be told.
public func checkUTF8(_ bytes: [UInt8], file: String) throws(Problem) {
    guard let bad = firstInvalidUTF8(bytes) else { return }
    let isWide = bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
    throw Problem(
        .data, "text is not UTF-8", at: .file(file, "byte \(bad)"),
        found: isWide ? "UTF-16" : String(bytes[bad], radix: 16),
        hint: "save the file as UTF-8")
}

/// The offset of the first byte that is not well-formed UTF-8 (Unicode 16, table 3-7).
func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBufferPointer { bytes in
        var i = 0
        while i < bytes.count {
            let lead = bytes[i]
            if lead < 0x80 {
                i += 1
                continue
            }
            // How many bytes follow, and what the first of them may be.
            let (more, second): (Int, ClosedRange<UInt8>)
            switch lead {
            case 0xc2...0xdf: (more, second) = (1, 0x80...0xbf)
            case 0xe0: (more, second) = (2, 0xa0...0xbf)  // no over-long forms
            case 0xed: (more, second) = (2, 0x80...0x9f)  // no surrogates
            case 0xe1...0xef: (more, second) = (2, 0x80...0xbf)
            case 0xf0: (more, second) = (3, 0x90...0xbf)
            case 0xf1...0xf3: (more, second) = (3, 0x80...0xbf)
            case 0xf4: (more, second) = (3, 0x80...0x8f)  // up to U+10FFFF
            default: return i
            }
            guard i + more < bytes.count, second.contains(bytes[i + 1]) else { return i }
            for k in 1..<more where bytes[i + 1 + k] & 0xc0 != 0x80 { return i }
            i += more + 1
        }
        return nil
    }
}
