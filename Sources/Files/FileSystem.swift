import Diagnostics
import Foundation

/// The writes that durability rests on, behind a protocol so that tests can fail any one of them.
///
/// Everything Limbeck must not lose (checkpoints, run records, exported tensors) goes through
/// here. Reading needs no seam: a reader has to cope with any bytes anyway.
public protocol FileSystem: Sendable {
    func createDirectory(_ path: String) throws(Problem)
    /// Creates or truncates `path` and writes all of `bytes`.
    func write(_ bytes: [UInt8], to path: String) throws(Problem)
    /// Adds to the end of `path`, creating it if needed.
    func append(_ bytes: [UInt8], to path: String) throws(Problem)
    /// Cuts `path` to `length` bytes.
    func truncate(_ path: String, to length: Int) throws(Problem)
    /// Forces a file's content, or a folder's entries, to the disk.
    func sync(_ path: String) throws(Problem)
    /// Atomic within one folder or file system.
    func rename(_ source: String, to destination: String) throws(Problem)
    /// Removes a file or a whole folder; nothing happens if it is not there.
    func remove(_ path: String) throws(Problem)
}

extension FileSystem {
    /// Replaces `path` by `bytes` so that a reader, or a machine that lost power, sees the old
    /// content or the new and nothing between: write beside it, sync, rename, sync the folder.
    public func replace(_ path: String, with bytes: [UInt8]) throws(Problem) {
        let temporary = path + ".partial"
        do {
            try write(bytes, to: temporary)
            try sync(temporary)
            try rename(temporary, to: path)
        } catch {
            // On a full disk the half-written copy would be in the way of whatever comes next.
            try? remove(temporary)
            throw error
        }
        try sync(parent(of: path))
    }

    /// The folder that holds `path`; `.` for a bare name.
    public func parent(of path: String) -> String {
        // Not `NSString.deletingLastPathComponent`: on Linux it traps for a name of one letter.
        let bytes = path.utf8
        var name = bytes[...]
        while name.count > 1, name.last == UInt8(ascii: "/") { name.removeLast() }
        guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        var folder = name[..<slash]
        while folder.last == UInt8(ascii: "/") { folder.removeLast() }
        return folder.isEmpty ? "/" : String(Substring(folder))
    }
}

/// The machine's own files, through POSIX calls.
public struct LocalFileSystem: FileSystem {
    public init() {}

    public func createDirectory(_ path: String) throws(Problem) {
        // The folders still to be made, innermost first.
        var missing: [String] = []
        var folder = path
        while true {
            var info = stat()
            if stat(folder, &info) == 0 {
                guard info.st_mode & S_IFMT == S_IFDIR else {
                    throw .cannot("create the folder", path, ENOTDIR)
                }
                break
            }
            guard errno == ENOENT, folder != parent(of: folder) else {
                throw .cannot("create the folder", path, errno)
            }
            missing.append(folder)
            folder = parent(of: folder)
        }
        for folder in missing.reversed() {
            // Another process may make the same folder at the same time.
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
                throw .cannot("create the folder", path, errno)
            }
        }
    }

    public func write(_ bytes: [UInt8], to path: String) throws(Problem) {
        try put(bytes, path, O_WRONLY | O_CREAT | O_TRUNC)
    }

    public func append(_ bytes: [UInt8], to path: String) throws(Problem) {
        try put(bytes, path, O_WRONLY | O_CREAT | O_APPEND)
    }

    private func put(_ bytes: [UInt8], _ path: String, _ flags: Int32) throws(Problem) {
        let file = open(path, flags | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .cannot("write", path, errno) }
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes {
                #if canImport(Glibc)
                    Glibc.write(file, $0.baseAddress, $0.count)
                #else
                    Darwin.write(file, $0.baseAddress, $0.count)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                let code = errno
                close(file)
                throw .cannot("write", path, code)
            }
            start += count
        }
        guard close(file) == 0 else { throw .cannot("write", path, errno) }
    }

    public func truncate(_ path: String, to length: Int) throws(Problem) {
        #if canImport(Glibc)
            let status = Glibc.truncate(path, length)
        #else
            let status = Darwin.truncate(path, off_t(length))
        #endif
        guard status == 0 else { throw .cannot("cut", path, errno) }
    }

    public func sync(_ path: String) throws(Problem) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .cannot("sync", path, errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .cannot("sync", path, errno) }
    }

    public func rename(_ source: String, to destination: String) throws(Problem) {
        #if canImport(Glibc)
            let status = Glibc.rename(source, destination)
        #else
            let status = Darwin.rename(source, destination)
        #endif
        guard status == 0 else { throw .cannot("rename to", destination, errno) }
    }

    public func remove(_ path: String) throws(Problem) {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            let code = posixCode(error)
            if code != ENOENT { throw .cannot("remove", path, code) }
        }
    }
}

/// The `errno` behind an error of Foundation; the global one has been overwritten by then.
private func posixCode(_ error: any Error) -> Int32 {
    var next: (any Error)? = error
    while let error = next.map({ $0 as NSError }) {
        if error.domain == NSPOSIXErrorDomain { return Int32(truncatingIfNeeded: error.code) }
        if error.domain == NSCocoaErrorDomain,
            error.code == CocoaError.Code.fileNoSuchFile.rawValue
        {
            return ENOENT
        }
        next = error.userInfo[NSUnderlyingErrorKey] as? any Error
    }
    return EIO
}

extension Problem {
    /// `PATH: cannot write: No space left on device`.
    public static func cannot(_ verb: String, _ path: String, _ code: Int32) -> Problem {
        Problem(.io, "cannot \(verb): \(String(cString: strerror(code)))", at: .file(path))
    }
}
