import Diagnostics
import Files
import Foundation
import Testing

struct FileTests {
    let folder: ScratchFolder
    let files = LocalFileSystem()

    init() throws { folder = try ScratchFolder() }

    @Test func whatIsWrittenIsRead() throws {
        let path = folder("a")
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        try files.write(bytes, to: path)
        #expect(try readFile(path) == bytes)
        try files.append([1, 2, 3], to: path)
        #expect(try readFile(path) == bytes + [1, 2, 3])
        try files.truncate(path, to: 5)
        #expect(try readFile(path) == Array(bytes.prefix(5)))
        try files.write([9], to: path)
        #expect(try readFile(path) == [9])
        try files.write([], to: path)
        #expect(try readFile(path) == [])
        try files.append([4], to: folder("b"))
        #expect(try readFile(folder("b")) == [4])
        try files.rename(folder("b"), to: path)
        #expect(try readFile(path) == [4])
        try files.remove(path)
        try files.remove(path)
        #expect(folder.names == [])
        try files.createDirectory(folder("c/d/e"))
        try files.createDirectory(folder("c/d/e"))
        try files.createDirectory(folder("c/x//y/"))
        try files.sync(folder("c/x/y"))
        try files.sync(folder("c/d"))
        try files.remove(folder("c"))
        #expect(folder.names == [])
    }

    @Test func readingTellsWhatIsWrong() throws {
        let missing = problem { () throws(Problem) in _ = try readFile(folder("none")) }
        #expect(missing?.kind == .io)
        #expect(
            missing?.description == "\(folder("none")): cannot read: No such file or directory")
        let directory = problem { () throws(Problem) in _ = try readFile(folder.path) }
        #expect(directory?.kind == .io)
        #expect(directory?.description == "\(folder.path): cannot read: not a regular file")
        try files.write([1, 2, 3], to: folder("three"))
        #expect(try readFile(folder("three"), limit: 3) == [1, 2, 3])
        let long = problem { () throws(Problem) in _ = try readFile(folder("three"), limit: 2) }
        #expect(long?.kind == .data)
        #expect(
            long?.description
                == "\(folder("three")): file too large: found 3 bytes, expected at most 2 bytes")
        // A device never ends, and a pipe would wait for its writer.
        let device = problem { () throws(Problem) in _ = try readFile("/dev/zero") }
        #expect(device?.description == "/dev/zero: cannot read: not a regular file")
        let (descriptor, size) = try openFile(folder("three"))
        #expect(size == 3 && fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        close(descriptor)
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        let pipe = problem { () throws(Problem) in _ = try readFile(folder("pipe")) }
        #expect(pipe?.description == "\(folder("pipe")): cannot read: not a regular file")
    }

    /// Each with the reason the system gave, and never "Success".
    @Test func writingTellsWhatIsWrong() throws {
        try files.write([1], to: folder("file"))
        let inside = folder("file/x")
        let none = folder("none/x")
        #expect(
            problem { () throws(Problem) in try files.write([1], to: none) }?.description
                == "\(none): cannot write: No such file or directory")
        #expect(
            problem { () throws(Problem) in try files.append([1], to: inside) }?.description
                == "\(inside): cannot write: Not a directory")
        #expect(
            problem { () throws(Problem) in try files.truncate(none, to: 0) }?.description
                == "\(none): cannot cut: No such file or directory")
        #expect(
            problem { () throws(Problem) in try files.sync(none) }?.description
                == "\(none): cannot sync: No such file or directory")
        #expect(
            problem { () throws(Problem) in try files.rename(folder("file"), to: none) }?
                .description == "\(none): cannot rename to: No such file or directory")
        #expect(
            problem { () throws(Problem) in try files.createDirectory(inside) }
                == Problem(.io, "cannot create the folder: Not a directory", at: .file(inside)))
        #expect(
            problem { () throws(Problem) in try files.createDirectory(folder("file")) }?
                .description == "\(folder("file")): cannot create the folder: Not a directory")
        #expect(
            problem { () throws(Problem) in try files.createDirectory("") }?.description
                == ": cannot create the folder: No such file or directory")
    }

    #if os(Linux)
        /// /dev/full refuses every write as a full disk does.
        @Test func aFullDiskIsNamed() {
            let full = problem { () throws(Problem) in try files.write([1], to: "/dev/full") }
            #expect(full?.kind == .io)
            #expect(full?.description == "/dev/full: cannot write: No space left on device")
        }

        @Test func whatCannotBeRemovedIsNamed() {
            let kept = problem { () throws(Problem) in try files.remove("/proc/version") }
            #expect(kept?.kind == .io)
            #expect(
                [
                    "/proc/version: cannot remove: Operation not permitted",
                    "/proc/version: cannot remove: Permission denied",
                ].contains(kept?.description))
        }
    #endif

    @Test func parents() {
        #expect(files.parent(of: "a") == ".")
        #expect(files.parent(of: "a/b") == "a")
        #expect(files.parent(of: "/a") == "/")
        #expect(files.parent(of: "/a/b/") == "/a")
        #expect(files.parent(of: "a//b//") == "a")
        #expect(files.parent(of: "ab") == ".")
        #expect(files.parent(of: "a/") == ".")
        #expect(files.parent(of: "/") == "/")
        #expect(files.parent(of: "//") == "/")
        #expect(files.parent(of: "") == ".")
        #expect(files.parent(of: "größe/字") == "größe")
    }
}
