import Diagnostics
import Files
import Foundation
import Report
import Synchronization

/// Where words go: results to standard output, everything else to standard error.
///
/// A word on standard error that cannot be written is lost, and nothing stops for it. Results that
/// cannot be written end the program with 74, after the work is done and its files are written.
enum Console {
    private static let failure = Mutex<Problem?>(nil)

    /// Why results did not get out, if any did not.
    static var outputFailure: Problem? { failure.withLock { $0 } }

    /// Names of the user's may be in it: what would move a terminal's cursor is escaped, here and in
    /// `print`, so that no caller has to think of it.
    static func say(_ line: String) { draw(PlainText.escaped(line, keepingLines: true) + "\n") }

    /// Words or control characters without a line's end, on standard error.
    static func draw(_ text: String) { _ = Streams.write(Array(text.utf8), to: STDERR_FILENO) }

    static func complain(_ line: String) {
        Progressing.shared.clear()
        say("limbeck: \(line)")
    }

    /// The result for people, on standard output.
    static func print(_ text: String) {
        write(PlainText.escaped(text, keepingLines: true))
    }

    private static func write(_ text: String) {
        // Nothing goes behind a gap.
        guard outputFailure == nil else { return }
        let code = Streams.write(Array((text + "\n").utf8), to: STDOUT_FILENO)
        if code != 0 { failure.withLock { $0 = .cannot("write", "standard output", code) } }
    }

    /// The one JSON object of `--json`, on standard output.
    static func print(json value: some Encodable) { write(encoded(value)) }

    static func encoded(_ value: some Encodable) -> String {
        let text = String(decoding: JSON.text(value), as: UTF8.self)
        // All of it is ASCII, so that no terminal is moved by a name; only strings hold anything else.
        guard text.utf8.contains(where: { $0 >= 0x7f }) else { return text }
        var out = ""
        for unit in text.utf16 {
            if unit < 0x7f {
                out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            } else {
                out += "\\u" + String(format: "%04x", unit)
            }
        }
        return out
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
