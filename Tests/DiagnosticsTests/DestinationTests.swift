import Diagnostics
import Files
import Foundation
import Testing

private let old = Array("old".utf8)
private let new = Array("new content".utf8)

/// Where `replace` may and may not put things.
struct DestinationTests {
    let folder: ScratchFolder
    let files = LocalFileSystem()

    init() throws { folder = try ScratchFolder() }

    private func kind(_ path: String) -> mode_t {
        var info = stat()
        return lstat(path, &info) == 0 ? info.st_mode & S_IFMT : 0
    }

    private func link(_ name: String, to target: String) {
        #expect(symlink(target, folder(name)) == 0)
    }

    @Test func linksAreFollowedAndStay() throws {
        try files.createDirectory(folder("elsewhere"))
        try files.write(old, to: folder("elsewhere/file"))
        link("relative", to: "elsewhere/file")
        link("absolute", to: folder("relative"))
        link("dangling", to: "elsewhere/fresh")
        try files.replace(folder("absolute"), with: new)
        #expect(try readFile(folder("elsewhere/file")) == new)
        try files.replace(folder("dangling"), with: old)
        #expect(try readFile(folder("elsewhere/fresh")) == old)
        for name in ["relative", "absolute", "dangling"] {
            #expect(kind(folder(name)) == S_IFLNK, "\(name)")
        }
        // A link of links that ends nowhere else than at its beginning.
        link("a", to: "b")
        link("b", to: "a")
        let said = problem { () throws(Problem) in try files.replace(folder("a"), with: new) }
        #expect(
            said?.description == "\(folder("a")): cannot write: Too many levels of symbolic links")
        #expect(said?.kind == .io)
        link("lost", to: "none/file")
        #expect(
            problem { () throws(Problem) in try files.replace(folder("lost"), with: new) }?
                .description
                == "\(folder("lost")): cannot write: No such file or directory")
    }

    @Test func whatIsNoRegularFileIsWrittenToAndStays() throws {
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        let reader = open(folder("pipe"), O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try files.replace(folder("pipe"), with: new)
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(read(reader, &bytes, 100) == new.count)
        #expect(Array(bytes.prefix(new.count)) == new)
        #expect(kind(folder("pipe")) == S_IFIFO)
        try files.replace("/dev/null", with: new)
        #expect(kind("/dev/null") == S_IFCHR)
        try files.createDirectory(folder("folder"))
        #expect(
            problem { () throws(Problem) in try files.replace(folder("folder"), with: new) }?
                .description == "\(folder("folder")): cannot write: Is a directory")
        #expect(
            problem { () throws(Problem) in try files.replace("", with: new) }?.description
                == ": cannot write: No such file or directory")
        #expect(folder.names == ["folder", "pipe"])
    }

    #if os(Linux)
        @Test func aFullDeviceIsNamed() {
            link("full", to: "/dev/full")
            let said = problem { () throws(Problem) in try files.replace(folder("full"), with: new)
            }
            #expect(said?.description == "\(folder("full")): cannot write: No space left on device")
            #expect(kind(folder("full")) == S_IFLNK)
        }
    #endif

    /// A file that is open already gets its bytes at the place where that descriptor stands.
    @Test func anOpenDescriptorIsWrittenTo() throws {
        let file = open(folder("log"), O_RDWR | O_CREAT, 0o600)
        defer { close(file) }
        #expect(Streams.write(old, to: file) == 0)
        try files.replace("/dev/fd/\(file)", with: new)
        #expect(Streams.write(old, to: file) == 0)
        #expect(try readFile(folder("log")) == old + new + old)
        #expect(folder.names == ["log"])
    }

    @Test func permissionsAreKept() throws {
        for bits in [0o600, 0o640, 0o666, 0o755, 0o444] as [mode_t] {
            try files.write(old, to: folder("file"))
            #expect(chmod(folder("file"), bits) == 0)
            try files.replace(folder("file"), with: new)
            var info = stat()
            #expect(stat(folder("file"), &info) == 0 && info.st_mode & 0o777 == bits)
            #expect(try readFile(folder("file")) == new)
            try files.remove(folder("file"))
        }
    }

    /// Names cannot be foreseen, and nothing that is there is written through.
    @Test func temporaryFilesAreNew() throws {
        let counted = FaultyFileSystem()
        for _ in 0..<20 { try counted.replace(folder("file"), with: new) }
        let created = counted.calls.filter { $0.hasPrefix("create ") }
        #expect(Set(created).count == 20)
        try files.write(old, to: folder("victim"))
        link("trap", to: "victim")
        #expect(
            problem { () throws(Problem) in
                try files.create(new, at: folder("trap"), permissions: nil)
            }?.description == "\(folder("trap")): cannot write: File exists")
        #expect(try readFile(folder("victim")) == old)
        // As long as a name can be: the temporary one is not longer.
        let long = String(repeating: "n", count: 255)
        try files.replace(folder(long), with: new)
        #expect(try readFile(folder(long)) == new)
    }

    @Test func leftoversGoAndNothingElse() throws {
        let kept = [
            "a.partial", ".limbeck-0123456789abcdef", ".limbeck-0123456789abcdeg.partial",
            ".limbeck-00.partial", "run.json", "notes.txt.partial",
        ]
        let gone = [
            ".limbeck-0123456789abcdef.partial", "run.json.partial", "labels.csv.partial",
            "deep/er/.limbeck-ffffffffffffffff.partial", "deep/last.safetensors.partial",
        ]
        try files.createDirectory(folder("deep/er"))
        try files.createDirectory(folder("x.json.partial"))
        for name in kept + gone { try files.write(old, to: folder(name)) }
        try files.removeLeftovers(in: folder.path)
        #expect(folder.names == (kept + ["deep", "x.json.partial"]).sorted())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder("deep")) == ["er"])
        try files.removeLeftovers(in: folder("none"))
    }

    /// A killed save leaves its half under a name that is known for a leftover.
    @Test func aKilledSaveLeavesALeftover() throws {
        try files.write(old, to: folder("file"))
        for call in 0..<3 {
            let stopped = FaultyFileSystem(.init(.stop, atCall: call, halfWritten: true))
            #expect(throws: Problem.self) { try stopped.replace(folder("file"), with: new) }
            #expect(folder.names.count == 2)
            try files.removeLeftovers(in: folder.path)
            #expect(folder.names == ["file"])
        }
        #expect(try readFile(folder("file")) == old)
    }
}
