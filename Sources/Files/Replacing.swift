import Diagnostics
import Foundation

extension FileSystem {
    /// Replaces `path` by `bytes` so that a reader, or a machine that lost power, sees the old
    /// content or the new and nothing between: write beside it, sync, rename, sync the folder.
    ///
    /// A link is followed and stays; a dangling one gets its target. The permission bits of a file that
    /// is there are kept. Where `path` is no regular file (`/dev/stdout`, a device, a named pipe) it
    /// is written to as it is.
    public func replace(_ path: String, with bytes: [UInt8]) throws(Problem) {
        guard let old = try ReplacedFile(path) else { return try write(bytes, to: path) }
        let temporary = parent(of: old.path) + "/" + TemporaryName.random()
        do throws(Problem) {
            try create(bytes, at: temporary, permissions: old.permissions)
            do throws(Problem) {
                try sync(temporary)
                try rename(temporary, to: old.path)
            } catch {
                // The copy would be in the way of whatever comes next.
                try? remove(temporary)
                throw error
            }
        } catch {
            // Users know nothing of temporary files.
            var problem = error
            if problem.place?.file == temporary { problem.place?.file = path }
            throw problem
        }
        try sync(parent(of: old.path))
    }

    /// The path behind all links that `replace` would write for `path`; nil where it would write to
    /// what is there as it is.
    public func replacedPath(_ path: String) throws(Problem) -> String? {
        try ReplacedFile(path)?.path
    }
}

/// What `replace` finds under a path: a regular file or nothing, behind any links.
struct ReplacedFile {
    /// Behind all links.
    var path: String
    /// Of the file that is there.
    var permissions: mode_t?

    /// Nil for what has to be written to directly.
    ///
    /// - Throws: for a folder, and for links that lead back to themselves.
    init?(_ path: String) throws(Problem) {
        guard !path.isEmpty else { throw .cannot("write", path, ENOENT) }
        var info = stat()
        if stat(path, &info) == 0 {
            switch info.st_mode & S_IFMT {
            case S_IFREG: permissions = info.st_mode & 0o777
            case S_IFDIR: throw .cannot("write", path, EISDIR)
            default: return nil
            }
            if Streams.descriptor(behind: path) != nil { return nil }
        } else if errno == ELOOP {
            throw .cannot("write", path, ELOOP)
        }
        self.path = try ReplacedFile.followed(path)
    }

    private static func followed(_ start: String) throws(Problem) -> String {
        var path = start
        // The kernel's own limit.
        for _ in 0..<40 {
            var info = stat()
            guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFLNK else { return path }
            var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &bytes, bytes.count)
            guard count > 0 else { throw .cannot("write", start, count < 0 ? errno : ENOENT) }
            let target = String(
                decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let folder = LocalFileSystem().parent(of: path)
            path = target.hasPrefix("/") ? target : "\(folder)/\(target)"
        }
        throw .cannot("write", start, ELOOP)
    }
}

/// Names of files that are on their way to another name: nobody else can foresee them, and what a killed
/// process leaves behind is known by them.
public enum TemporaryName {
    private static let (prefix, suffix) = (".limbeck-", ".partial")

    static func random() -> String {
        // Not one of our seeded draws: nothing of it enters a result, and it must not be foreseen.
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits + suffix
    }

    /// Whether a file of this name is such a leftover; also those of versions up to 0.1, which had the
    /// name of the file with `.partial` behind it.
    public static func isLeftover(_ name: String) -> Bool {
        guard name.hasSuffix(suffix) else { return false }
        let stem = name.dropLast(suffix.count)
        if stem.hasPrefix(prefix) {
            let digits = stem.dropFirst(prefix.count)
            return digits.utf8.count == 16 && digits.allSatisfy { $0.isASCII && $0.isHexDigit }
        }
        return [".json", ".yaml", ".csv", ".safetensors", ".bin", ".html"].contains {
            stem.hasSuffix($0)
        }
    }
}

extension FileSystem {
    /// Removes what killed processes left in `folder` and the folders inside it. Only for a folder that
    /// no other process writes into.
    public func removeLeftovers(in folder: String) throws(Problem) {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() {
            let last = name.utf8.lastIndex(of: UInt8(ascii: "/")).map { name.utf8.index(after: $0) }
            guard TemporaryName.isLeftover(String(name[(last ?? name.startIndex)...])) else {
                continue
            }
            var info = stat()
            let path = "\(folder)/\(name)"
            if lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG { try remove(path) }
        }
    }
}
