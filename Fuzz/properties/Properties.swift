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

/// Replays what the fuzzer of `target` starts from and what it found (`Fuzz/corpus`): inputs called good are
/// read, those called bad are refused, and others (crash-…, timeout-…) only keep the promises.
///
/// - Parameter test: the file of the test, two folders below the package's.
func replay(_ target: String, beside test: String, _ isRead: ([UInt8]) throws -> Bool) throws {
    let corpus = URL(filePath: test).deletingLastPathComponent()
        .appending(path: "../../Fuzz/corpus/\(target)").standardizedFileURL
    let names = try FileManager.default.contentsOfDirectory(atPath: corpus.path).sorted()
    try promise(names.count >= 5, "\(target) has \(names.count) seeds")
    for name in names {
        let began = ContinuousClock.now
        let wasRead = try isRead(Array(Data(contentsOf: corpus.appending(path: name))))
        let isSeed = name.hasPrefix("good-") || name.hasPrefix("bad-")
        try promise(
            !isSeed || wasRead == name.hasPrefix("good-"),
            "\(target), \(name): \(wasRead ? "read" : "refused")")
        // A second on a quiet machine.
        try promise(ContinuousClock.now - began < .seconds(20), "\(target), \(name): too slow")
    }
}
