import Diagnostics
import Files
import Foundation

/// A fresh folder that goes when the test does.
final class ScratchFolder {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-tests-\(UUID())").path
        try LocalFileSystem().createDirectory(path)
    }

    deinit { try? LocalFileSystem().remove(path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}

/// What `body` throws, or nil.
func problem(_ body: () throws(Problem) -> Void) -> Problem? {
    do throws(Problem) {
        try body()
        return nil
    } catch {
        return error
    }
}
