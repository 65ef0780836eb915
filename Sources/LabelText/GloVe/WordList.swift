import Diagnostics
import Files
import Foundation

/// The lines of a list of words, one after the other: the list is never in memory as a whole.
enum WordList {
    /// A word of more bytes than this is nobody's; it counts as a line without a word.
    static let longest = 1024

    /// Calls `body` with every line, without its LF, CR LF or CR and without a byte order mark before
    /// the first.
    static func read(_ path: String, _ body: ([UInt8]) -> Void) throws(Problem) {
        var info = stat()
        guard stat(path, &info) == 0 else { throw .cannot("read", path, errno) }
        guard info.st_mode & S_IFMT == S_IFREG else {
            throw Problem(.io, "cannot read: not a regular file", at: .file(path))
        }
        guard let file = fopen(path, "rb") else { throw .cannot("read", path, errno) }
        defer { fclose(file) }
        var line: [UInt8] = []
        var (isFirst, isLong, isAfterReturn, hasLine) = (true, false, false, false)
        func close() {
            if isFirst, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
            body(isLong ? [] : line)
            line.removeAll(keepingCapacity: true)
            (isFirst, isLong, hasLine) = (false, false, false)
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { break }
            for byte in chunk[..<count] {
                if byte == 0x0a, isAfterReturn {
                    isAfterReturn = false
                    continue
                }
                isAfterReturn = byte == 0x0d
                if byte == 0x0a || byte == 0x0d {
                    close()
                } else {
                    hasLine = true
                    if line.count < longest { line.append(byte) } else { isLong = true }
                }
            }
        }
        guard ferror(file) == 0 else { throw .cannot("read", path, EIO) }
        if hasLine { close() }
    }
}
