import Diagnostics
import Files
import Foundation

/// SHA-256 of a file's content in hexadecimal, read piece by piece.
public func fileHash(_ path: String) throws(Problem) -> String {
    var hash = SHA256()
    try forEachPiece(of: path) { hash.update($0) }
    return hash.finish()
}

/// The hashes of `names` below `folder`, as a record keeps them.
func hashes(of names: [String], in folder: String) throws(Problem) -> [String: String] {
    var hashes: [String: String] = [:]
    for name in names { hashes[name] = try fileHash("\(folder)/\(name)") }
    return hashes
}

/// Refuses the first file, in the order of names, that is not what a record says, and a name that leads
/// out of `folder`: whoever edits a record must not choose what is read.
///
/// - Parameter remedy: what to do about it.
func verify(_ files: [String: String], in folder: String, remedy: Remedy) throws(Problem) {
    for (name, expected) in files.sorted(by: { $0.key < $1.key }) {
        guard isBelow(name) else { throw .recordLeadsOut(folder, name, remedy) }
        let path = "\(folder)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw .recordedFileMissing(path, remedy)
        }
        let found = try fileHash(path)
        guard found == expected else {
            throw .fileDamaged(path, found: found, expected: expected, remedy)
        }
    }
}

/// Whether a name of a record is one that hashes are kept of: a path into the record's own folder.
func isBelow(_ name: String) -> Bool {
    !name.utf8.contains(0)
        && name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .allSatisfy { !["", ".", ".."].contains(String(decoding: $0, as: UTF8.self)) }
}

/// A finished phase's folder: `result.json` holds the scores and the SHA-256 of every other file, but
/// `timing.json`, which belongs to no result.
enum PhaseFolder {
    private static let resultName = "result.json"
    private static let limit = 256 << 20  // bytes

    /// Writes the record, which makes the phase complete, over the files that are there.
    static func finish(
        _ folder: String, _ result: PhaseResult, using files: any FileSystem
    ) throws(Problem) {
        let record = Recorded(result, files: try hashes(of: try content(folder), in: folder))
        try files.replace("\(folder)/\(resultName)", with: SealedRecord.encoded(record))
    }

    /// The result of a finished phase, nil if it is not finished.
    ///
    /// - Throws: if the record or any file that it names is damaged.
    static func verified(_ folder: String, remedy: Remedy) throws(Problem) -> PhaseResult? {
        let path = "\(folder)/\(resultName)"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let record: Recorded<PhaseResult> = try SealedRecord.read(
            path, limit: limit, remedy: remedy)
        try Training.verify(record.files, in: folder, remedy: remedy)
        return record.value
    }

    /// Refuses a phase that is damaged, or that has no record although it should.
    static func verify(_ folder: String, remedy: Remedy) throws(Problem) {
        guard try verified(folder, remedy: remedy) != nil else {
            throw .recordedFileMissing("\(folder)/\(resultName)", remedy)
        }
    }

    /// What belongs to the result. Told by the ends of names, so that a leftover of a process that was
    /// killed inside a write does not count.
    private static func content(_ folder: String) throws(Problem) -> [String] {
        guard let all = try? FileManager.default.subpathsOfDirectory(atPath: folder) else {
            throw .cannot("read", folder, EIO)
        }
        return all.filter { path in
            let name = path.split(separator: "/").last ?? ""
            return path != resultName && path != "timing.json" && !path.hasPrefix("checkpoints/")
                && !name.hasPrefix(".")
                && [".safetensors", ".jsonl", ".json", ".csv", ".bin"].contains {
                    path.hasSuffix($0)
                }
        }
    }
}
