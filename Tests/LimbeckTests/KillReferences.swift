import Files
import Foundation
import Synchronization
import Testing

/// A run never killed, to compare with: the library's, inside this process.
struct KillReference {
    /// The recipe's file.
    let recipe: String
    let folder: String
    let seconds: Double
    /// The calls of the file system, in order: what a kill can be aimed at.
    let calls: [String]

    /// Numbers of the calls that write a checkpoint.
    var checkpointCalls: [Int] { calls.indices.filter { calls[$0].contains("/checkpoints") } }

    /// Those of the second and later checkpoints of the last phase.
    var lateCalls: [Int] {
        let last = calls.last { $0.contains("/checkpoints") }!.split(separator: "/phases/")[1]
            .prefix(2)
        return checkpointCalls.filter {
            calls[$0].contains("/phases/\(last)") && !calls[$0].contains("step-000000000003")
        }
    }
}

/// The references of a suite: each is trained once, when the first test asks for it.
final class KillReferences: Sendable {
    /// Those of the suite that runs.
    @TaskLocal static var current: KillReferences?

    private let folder: String
    private let known = Mutex<[String: KillReference]>([:])

    fileprivate init() throws {
        folder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-references-\(UUID())").path
        try LocalFileSystem().createDirectory(folder)
    }

    fileprivate func remove() { try? LocalFileSystem().remove(folder) }

    /// The run of `text`, which has to be the same at every call with this name.
    func callAsFunction(_ name: String, _ text: String) throws -> KillReference {
        try known.withLock { known in
            if let reference = known[name] { return reference }
            let recipe = "\(folder)/\(name).yaml"
            try LocalFileSystem().write(Array(text.utf8), to: recipe)
            let began = ContinuousClock.now
            let calls = try TinyRuns.calls(of: text, folder: "\(folder)/\(name)")
            let reference = KillReference(
                recipe: recipe, folder: "\(folder)/\(name)",
                seconds: (ContinuousClock.now - began) / .seconds(1), calls: calls)
            known[name] = reference
            return reference
        }
    }
}

/// Gives a suite references that all its tests share, and removes them after the last one.
struct SharesReferences: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let references = try KillReferences()
        defer { references.remove() }
        try await KillReferences.$current.withValue(references) { try await function() }
    }
}

extension Trait where Self == SharesReferences {
    static var sharesReferences: Self { SharesReferences() }
}
