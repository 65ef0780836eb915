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
        var line: [UInt8] = []
        var (isFirst, isLong, isAfterReturn, hasLine) = (true, false, false, false)
        func close() {
            if isFirst, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
            body(isLong ? [] : line)
            line.removeAll(keepingCapacity: true)
            (isFirst, isLong, hasLine) = (false, false, false)
        }
        try forEachPiece(of: path) { piece in
            for byte in piece {
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
        if hasLine { close() }
    }
}
