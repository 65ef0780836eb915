import Diagnostics
import Files
import Foundation

/// JSON records that carry the SHA-256 of their own bytes: `checkpoint.json`, `run.json`, every
/// `result.json`.
///
/// The last two members of the object are
///
///       "version" : 4,
///       "sha256" : "…"
///     }
///
/// and the hash is over every byte before the comma that ends the line of `version`. A reader compares
/// bytes before it decodes anything, so a flipped bit is noticed wherever it is, white space included.
/// The hash protects from accidents and not from people: whoever edits a record can hash it anew, and
/// for that reason what is read is checked besides.
enum SealedRecord {
    /// Of all records together: raised when the layout of one of them changes. Versions 1 and 2 carried
    /// no hashes.
    static let version = 4

    private static let opening = Array(",\n  \"sha256\" : \"".utf8)
    private static let closing = Array("\"\n}\n".utf8)

    /// - Parameter version: another one in tests.
    static func encoded(_ value: some Encodable, version: Int = version) -> [UInt8] {
        // Without the end of the object: "\n}\n".
        let body = JSON.file(value).dropLast(3) + Array(",\n  \"version\" : \(version)".utf8)
        return body + seal(of: body)
    }

    /// - Parameters:
    ///   - limit: of the file's size in bytes.
    ///   - remedy: what to do about a damaged one.
    /// - Throws: for a file that cannot be read, is damaged, or is of another version.
    static func read<Value: Decodable>(
        _ path: String, limit: Int, remedy: Remedy
    ) throws(Problem) -> Value {
        let bytes = try readFile(path, limit: limit)
        let body = bytes.dropLast(opening.count + 64 + closing.count)
        guard !body.isEmpty, bytes[body.endIndex...].elementsEqual(seal(of: body)) else {
            throw isOlder(bytes)
                ? .olderVersion(path, remedy) : .recordDamaged(path, remedy)
        }
        guard let header = try? JSON.read(Header.self, bytes),
            header.version == version
        else { throw .otherVersion(path) }
        guard let value = try? JSON.read(Value.self, bytes) else {
            throw .recordDamaged(path, remedy)
        }
        return value
    }

    private static func seal(of body: some Sequence<UInt8>) -> [UInt8] {
        opening + Array(SHA256.hex(of: body).utf8) + closing
    }

    private struct Header: Decodable {
        var version: Int?
        var sha256: String?
    }

    /// A record of this version has both members, so that one flipped bit cannot make it look older.
    private static func isOlder(_ bytes: [UInt8]) -> Bool {
        guard let header = try? JSON.read(Header.self, bytes) else {
            return false
        }
        return header.sha256 == nil && header.version ?? 0 < version
    }
}

/// A record together with the SHA-256 of the files that belong to it, by path relative to its folder.
/// In JSON, `files` stands beside the record's own members.
struct Recorded<Value: Codable>: Codable {
    var value: Value
    var files: [String: String]

    private enum Key: CodingKey { case files }

    init(_ value: Value, files: [String: String]) {
        self.value = value
        self.files = files
    }

    init(from decoder: any Decoder) throws {
        value = try Value(from: decoder)
        files = try decoder.container(keyedBy: Key.self).decode(
            [String: String].self, forKey: .files)
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
        var own = encoder.container(keyedBy: Key.self)
        try own.encode(files, forKey: .files)
    }
}
