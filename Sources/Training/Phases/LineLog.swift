import Diagnostics
import Files
import Foundation

/// A file of JSON lines that grows while a phase trains, and the hash of what is in it, so that a
/// checkpoint can say what of the file belongs to it.
struct LineLog {
    let path: String
    private(set) var bytes = 0
    private var hash = SHA256()

    init(_ path: String) { self.path = path }

    /// SHA-256 of the first `bytes` bytes of the file.
    var digest: String { hash.finish() }

    mutating func append(_ line: [UInt8], using files: any FileSystem) throws(Problem) {
        try files.append(line, to: path)
        bytes += line.count
        hash.update(line)
    }

    func sync(using files: any FileSystem) throws(Problem) {
        if bytes > 0 { try files.sync(path) }
    }

    /// Goes on behind the lines that a checkpoint knows, and takes off what was written after it.
    ///
    /// - Throws: if these lines are not what they were.
    mutating func resume(
        bytes: Int, digest: String, using files: any FileSystem
    ) throws(Problem) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let length = attributes?[.size] as? Int ?? 0
        // Cutting a file that is too short would pad it with zeros.
        guard bytes >= 0, length >= bytes else {
            throw .checkpointDamaged(path, "\(length) bytes where the checkpoint knows \(bytes)")
        }
        var hash = SHA256()
        if bytes > 0 { try forEachPiece(of: path, length: bytes) { hash.update($0) } }
        guard hash.finish() == digest else {
            throw .checkpointDamaged(path, "its content does not match its record")
        }
        (self.bytes, self.hash) = (bytes, hash)
        if length > bytes { try files.truncate(path, to: bytes) }
    }
}
