import Diagnostics
import Foundation

/// Holds a folder for one process, through a lock of the system (`flock`) on the file `lock` in it.
///
/// The system lets go of the lock when the process ends, however it ends: there is no stale lock. The
/// file says who holds it, `PROCESS WHAT`, and stays behind where a process was killed.
public final class FolderLock {
    public static let name = "lock"

    public let folder: String
    /// What the file said before: of an earlier process that was killed. Nil if there was none.
    public let previous: String?
    private var descriptor: Int32

    /// Takes the lock; the folder has to be there.
    ///
    /// - Throws: if another process has it, with its number.
    public init(_ folder: String) throws(Problem) {
        let path = "\(folder)/\(FolderLock.name)"
        while true {
            let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
            guard file >= 0 else { throw .cannot("write", path, errno) }
            if flock(file, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                let holder = FolderLock.holder(of: file)
                close(file)
                throw .folderLocked(folder, by: holder)
            }
            // On a file system without locks the folder is not guarded. Elsewhere: a process that ended
            // between the two calls may have removed the file that was opened.
            var (own, there) = (stat(), stat())
            if fstat(file, &own) == 0, stat(path, &there) == 0, own.st_ino == there.st_ino {
                descriptor = file
                self.folder = folder
                let content = FolderLock.content(of: file)
                previous = content.isEmpty ? nil : content
                return
            }
            close(file)
        }
    }

    /// Throws if another process has the folder at this moment; takes and leaves nothing.
    public static func checkIsFree(_ folder: String) throws(Problem) {
        let file = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return }
        defer { close(file) }
        guard flock(file, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
        throw .folderLocked(folder, by: holder(of: file))
    }

    /// Writes who holds the folder, and for what.
    public func sign(_ what: String) throws(Problem) {
        let text = Array("\(getpid()) \(what)\n".utf8)
        let code =
            ftruncate(descriptor, 0) == 0 && lseek(descriptor, 0, SEEK_SET) == 0
            ? Streams.write(text, to: descriptor) : errno
        guard code == 0 else { throw .cannot("write", "\(folder)/\(FolderLock.name)", code) }
    }

    /// Lets go of the folder.
    ///
    /// - Parameter keepingFile: whether the file stays, as a mark of what the folder is for.
    public func release(keepingFile: Bool = false) {
        guard descriptor >= 0 else { return }
        // Removed while it is held: whoever opened it meanwhile sees that it is gone, and opens anew.
        if !keepingFile { unlink("\(folder)/\(FolderLock.name)") }
        close(descriptor)
        descriptor = -1
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The process that has the lock. It has it a moment before it signs the file: until then the file is
    /// empty, or names a process that was killed.
    private static func holder(of file: Int32) -> Int? {
        for _ in 0..<100 {
            let words = content(of: file).split(separator: " ")
            if let number = words.first.flatMap({ pid_t($0) }), number > 0,
                kill(number, 0) == 0 || errno == EPERM
            {
                return Int(number)
            }
            usleep(10_000)
        }
        return nil
    }

    private static func content(of file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = pread(file, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Problem {
    static func folderLocked(_ folder: String, by process: Int?) -> Problem {
        Problem(
            .io, "another process writes into this folder", at: .file(folder),
            found: process.map { "process \($0)" },
            hint: "wait for it, stop it, or give another --out")
    }
}
