import Diagnostics
import Foundation
import SafeTensors
import Synchronization

/// What was read of files that every row, noise, seed and setting of a comparison asks for again: a
/// teacher's hash and card, the hash of embeddings.
///
/// A file counts as the same while its size, its inode and its time of modification are. One that was
/// written a moment ago is read every time: it could be written once more within the clock's tick.
final class KnownFiles: Sendable {
    /// Of this process.
    static let shared = KnownFiles()

    private struct Facts: Sendable {
        var stamp: Stamp
        var hash: String?
        var card: ModelCard??
    }

    private struct State {
        var files: [String: Facts] = [:]
        var reads: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// SHA-256 of the content in hexadecimal.
    func hash(of path: String) throws(Problem) -> String {
        try fact(of: path, \.hash) { (path) throws(Problem) in try fileHash(path) }
    }

    /// What a weights file says of itself; nil if it says nothing.
    func card(of path: String) throws(Problem) -> ModelCard? {
        try fact(of: path, \.card) { (path) throws(Problem) in
            let file = try SafeTensorsFile(path: path)
            guard file.metadata[ModelCard.metadataKey] != nil else { return nil }
            return try ModelCard(metadata: file.metadata, file: path)
        }
    }

    /// How often the file was read.
    func reads(of path: String) -> Int { state.withLock { $0.reads[path] ?? 0 } }

    private func fact<Value: Sendable>(
        of path: String, _ fact: WritableKeyPath<Facts, Value?>,
        read: (String) throws(Problem) -> Value
    ) throws(Problem) -> Value {
        // Within the lock, so that runs that begin together read each file once.
        try state.withLock { (state) throws(Problem) in
            let stamp = Stamp(path)
            if let stamp, let known = state.files[path], known.stamp == stamp,
                let value = known[keyPath: fact]
            {
                return value
            }
            state.reads[path, default: 0] += 1
            let value = try read(path)
            guard let stamp, stamp.isSettled, Stamp(path) == stamp else { return value }
            var facts = Facts(stamp: stamp)
            if let known = state.files[path], known.stamp == stamp { facts = known }
            facts[keyPath: fact] = value
            state.files[path] = facts
            return value
        }
    }
}

/// What of a file changes with its content.
private struct Stamp: Equatable, Sendable {
    var size: Int
    var inode: Int
    var modified: Date

    /// Nil where the file is not there.
    init?(_ path: String) {
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
            let size = facts[.size] as? Int, let inode = facts[.systemFileNumber] as? Int,
            let modified = facts[.modificationDate] as? Date
        else { return nil }
        (self.size, self.inode, self.modified) = (size, inode, modified)
    }

    var isSettled: Bool { Date().timeIntervalSince(modified) > 2 }
}
