import Diagnostics
import Foundation

/// A promise that an input broke: what a fuzz target traps on and a test reports.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func promise(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    guard holds else { throw BrokenPromise(what()) }
}

/// Whether the input is accepted; a refusal must be one readable line about the input's mistake.
func accepted(_ kinds: Set<Problem.Kind> = [.data], _ read: () throws -> Void) throws -> Bool {
    do {
        try read()
        return true
    } catch let problem as Problem {
        let sentence = problem.description
        try promise(kinds.contains(problem.kind), "kind \(problem.kind): \(sentence)")
        try promise(
            sentence.unicodeScalars.allSatisfy { $0 >= " " && $0.value != 0x7f }, "not one line")
        try promise(sentence.unicodeScalars.count <= 1001, "a line of \(sentence.utf8.count) bytes")
        return false
    }
}
