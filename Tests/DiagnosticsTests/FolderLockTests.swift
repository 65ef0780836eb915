import Diagnostics
import Files
import Foundation
import Testing

/// One holder at a time, and never a stale one.
struct FolderLockTests {
    let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    @Test func oneHolderAtATime() throws {
        let lock = try FolderLock(folder.path)
        #expect(lock.previous == nil)
        try lock.sign("run")
        #expect(
            try readFile(folder("lock")) == Array("\(getpid()) run\n".utf8))
        let refused = #expect(throws: Problem.self) { _ = try FolderLock(folder.path) }
        #expect(
            refused?.description
                == "\(folder.path): another process writes into this folder: found process "
                + "\(getpid()) (wait for it, stop it, or give another --out)")
        #expect(refused?.kind == .io)
        lock.release()
        #expect(folder.names == [])
        let next = try FolderLock(folder.path)
        next.release(keepingFile: true)
        #expect(folder.names == ["lock"])
        next.release()
        #expect(folder.names == ["lock"], "what was let go of is left alone")
    }

    /// The file of a process that was killed holds nobody up, and says what it was doing.
    @Test func aKilledHolderIsNone() throws {
        try LocalFileSystem().write(Array("4194305 run\n".utf8), to: folder("lock"))
        let lock = try FolderLock(folder.path)
        #expect(lock.previous == "4194305 run")
        try lock.sign("comparison")
        #expect(try readFile(folder("lock")) == Array("\(getpid()) comparison\n".utf8))
        lock.release()
    }

    @Test func whatIsWrongWithTheFolderIsSaid() throws {
        let none = folder("none")
        let missing = #expect(throws: Problem.self) { _ = try FolderLock(none) }
        #expect(missing?.description == "\(none)/lock: cannot write: No such file or directory")
        // Never through a link.
        #expect(symlink("elsewhere", folder("lock")) == 0)
        let linked = #expect(throws: Problem.self) { _ = try FolderLock(folder.path) }
        #expect(linked?.kind == .io)
        #expect(folder.names == ["lock"])
    }

    /// Many at once: at every moment at most one has it, and all have it in the end.
    @Test func holdersTakeTurns() async throws {
        let path = folder.path
        let held = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var held = 0
                    while held < 5 {
                        guard let lock = try? FolderLock(path) else { continue }
                        // Made exclusively: a second holder would fail here.
                        let file = "\(path)/held"
                        do {
                            try LocalFileSystem().create([1], at: file, permissions: nil)
                            try lock.sign("run")
                        } catch { return -1 }
                        unlink(file)
                        lock.release()
                        held += 1
                    }
                    return held
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(held == [Int](repeating: 5, count: 8))
    }
}
