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
    /// Makes the new file `path` with all of `bytes`; never writes to one that is there, nor through
    /// a link. If it fails and the process lives on, there is no file.
    ///
    /// - Parameter permissions: the usual ones if nil.
    func create(
        _ bytes: [UInt8], at path: String, permissions: mode_t?
    ) throws(Problem)
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
        if let stream = Streams.descriptor(behind: path) {
            let code = Streams.write(bytes, to: stream)
            guard code == 0 else { throw .cannot("write", path, code) }
            return
        }
        try put(bytes, path, opened(path, O_WRONLY | O_CREAT | O_TRUNC))
    }

    public func create(
        _ bytes: [UInt8], at path: String, permissions: mode_t?
    ) throws(Problem) {
        // Closed to others until it has the permissions of the file that it will replace.
        let file = try opened(
            path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions == nil ? 0o644 : 0o600)
        if let permissions, fchmod(file, permissions) != 0 {
            let code = errno
            close(file)
            unlink(path)
            throw .cannot("write", path, code)
        }
        do {
            try put(bytes, path, file)
        } catch {
            unlink(path)
            throw error
        }
    }

    public func append(_ bytes: [UInt8], to path: String) throws(Problem) {
        try put(bytes, path, opened(path, O_WRONLY | O_CREAT | O_APPEND))
    }

    private func opened(
        _ path: String, _ flags: Int32, _ permissions: mode_t = 0o644
    ) throws(Problem) -> Int32 {
        let file = open(path, flags | O_CLOEXEC, permissions)
        guard file >= 0 else { throw .cannot("write", path, errno) }
        return file
    }

    /// Writes all of `bytes` and closes the file, whatever happens.
    private func put(_ bytes: [UInt8], _ path: String, _ file: Int32) throws(Problem) {
        let code = Streams.write(bytes, to: file)
        let closed = close(file) == 0 ? 0 : errno
        guard code == 0, closed == 0 else {
            throw .cannot("write", path, code == 0 ? closed : code)
        }
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
        // Some network file systems cannot sync a folder and say so.
        guard fsync(file) == 0 || errno == EINVAL else { throw .cannot("sync", path, errno) }
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
