import Diagnostics
import Foundation

/// Reads a whole file, refusing what is missing, a folder, or longer than `limit` bytes.
public func readFile(_ path: String, limit: Int = 4 << 30) throws(Problem) -> [UInt8] {
    var info = stat()
    guard stat(path, &info) == 0 else { throw .cannot("read", path, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else {
        throw Problem(.io, "cannot read: not a regular file", at: .file(path))
    }
    guard info.st_size <= limit else {
        throw Problem(
            .data, "file too large", at: .file(path), found: "\(info.st_size) bytes",
            expected: "at most \(limit) bytes")
    }
    guard let file = fopen(path, "rb") else { throw .cannot("read", path, errno) }
    defer { fclose(file) }
    let size = Int(info.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = size == 0 ? 0 : fread(buffer.baseAddress!, 1, size, file)
    }
    guard bytes.count == size else { throw .cannot("read", path, EIO) }
    return bytes
}
