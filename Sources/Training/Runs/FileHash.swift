import Crypto
import Diagnostics
import Files
import Foundation

/// SHA-256 of a file's content in hexadecimal; in pieces, because libraries and data may be large.
public func fileHash(_ path: String) throws(Problem) -> String {
    var info = stat()
    guard stat(path, &info) == 0 else { throw .cannot("read", path, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else {
        throw Problem(.io, "cannot read: not a regular file", at: .file(path))
    }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .cannot("read", path, errno) }
    defer { close(file) }
    var hash = SHA256()
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = read(file, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw .cannot("read", path, errno) }
        if count == 0 { return hex(hash.finalize()) }
        piece[..<count].withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
}
