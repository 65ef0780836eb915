import Diagnostics
import Files
import Foundation
import Report

/// Where words go: results to standard output, everything else to standard error.
enum Console {
    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    static func complain(_ line: String) {
        Progressing.shared.clear()
        say("limbeck: \(line)")
    }

    /// The result for people, on standard output.
    static func print(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// The one JSON object of `--json`, on standard output.
    static func print(json value: some Encodable) { print(encoded(value)) }

    static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: (try? encoder.encode(value)) ?? Data("{}".utf8), as: UTF8.self)
    }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
