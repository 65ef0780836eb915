import Diagnostics
import Files
import Foundation
import Training

/// Whether the engine's libraries are still those that `scripts/engine` checked and kept.
enum EngineFiles {
    enum State: CustomStringConvertible {
        case intact(libraries: Int, folder: String)
        case damaged([String], folder: String)
        /// Another LibTorch than the one that was fetched, or a program that was carried elsewhere.
        case unknown(String)

        var isDamaged: Bool { if case .damaged = self { true } else { false } }

        var description: String {
            switch self {
            case .intact(let count, let folder):
                "ok, \(count) libraries in \(folder) as fetched"
            case .damaged(let names, let folder):
                "\(names.joined(separator: ", ")) in \(folder): not as fetched (remove "
                    + "\(folder)/complete and run make again)"
            case .unknown(let why): "unknown: \(why)"
            }
        }
    }

    static func state() -> State {
        guard let library = loadedLibrary() else {
            return .unknown("the loaded library was not found")
        }
        let files = LocalFileSystem()
        return state(of: files.parent(of: files.parent(of: library)))
    }

    /// - Parameter folder: with `SHA256SUMS`, whose lines are a hash, two blanks and a path in the folder.
    static func state(of folder: String) -> State {
        let list = "\(folder)/SHA256SUMS"
        guard let text = try? readText(list, limit: 1 << 20) else {
            return .unknown("no list of hashes \(list)")
        }
        var differing: [String] = []
        let lines = text.split(separator: "\n")
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            let name = parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
            guard !name.isEmpty, (try? fileHash("\(folder)/\(name)")) == parts[0] else {
                differing.append(Problem.oneLine(name.isEmpty ? "SHA256SUMS" : name, limit: 60))
                continue
            }
        }
        if lines.isEmpty { return .unknown("\(list) is empty") }
        return differing.isEmpty
            ? .intact(libraries: lines.count, folder: folder) : .damaged(differing, folder: folder)
    }

    /// Where the engine was loaded from.
    private static func loadedLibrary() -> String? {
        #if canImport(Darwin)
            return (0..<_dyld_image_count()).lazy
                .compactMap { _dyld_get_image_name($0).map { String(cString: $0) } }
                .first { $0.hasSuffix("/libtorch_cpu.dylib") }
        #else
            guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8),
                let line = maps.split(separator: "\n").first(where: {
                    $0.hasSuffix("/libtorch_cpu.so")
                }), let start = line.firstIndex(of: "/")
            else { return nil }
            return String(line[start...])
        #endif
    }
}
