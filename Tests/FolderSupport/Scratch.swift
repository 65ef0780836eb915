import Diagnostics
import Files
import Foundation

/// A fresh folder that goes when the test does.
public final class Scratch {
    public let path: String

    public init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-tests-\(UUID())").path
        try LocalFileSystem().createDirectory(path)
    }

    deinit { try? LocalFileSystem().remove(path) }

    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
}

/// The one line that `body` fails with, or "nothing thrown".
public func failure<T>(_ body: () throws -> T) -> String {
    do {
        _ = try body()
        return "nothing thrown"
    } catch {
        return error is Problem ? "\(error)" : "another error: \(error)"
    }
}
