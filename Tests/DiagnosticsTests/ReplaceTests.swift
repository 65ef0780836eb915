import Diagnostics
import Files
import Foundation
import Testing

private let old = [UInt8](repeating: 1, count: 1000)
private let new = [UInt8](repeating: 2, count: 3000)

/// `replace` under every fault there is: old or new content, never neither.
struct ReplaceTests {
    let folder: ScratchFolder
    let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder("state")
    }

    @Test func theCallsAreTheseFour() throws {
        let files = FaultyFileSystem()
        try files.replace(path, with: new)
        let temporary = try #require(files.calls[0].split(separator: " ").last)
        #expect(
            files.calls == [
                "create \(temporary)", "sync \(temporary)", "rename \(temporary) \(path)",
                "sync \(folder.path)",
            ])
        #expect(LocalFileSystem().parent(of: String(temporary)) == folder.path)
        #expect(!files.hasFailed)
        #expect(try readFile(path) == new)
        #expect(folder.names == ["state"])
    }

    @Test(arguments: [FaultyFileSystem.Fault.Kind.failure, .stop, .powerLoss], [false, true])
    func oldOrNewRemains(kind: FaultyFileSystem.Fault.Kind, halfWritten: Bool) throws {
        for call in 0..<4 {
            try LocalFileSystem().replace(path, with: old)
            let files = FaultyFileSystem(.init(kind, atCall: call, halfWritten: halfWritten))
            #expect(throws: Problem.self) { try files.replace(path, with: new) }
            #expect(files.hasFailed)
            // Only after the rename, the third call, is the new content there.
            #expect(try readFile(path) == (call < 3 ? old : new))
            // A process that lives on cleans up after itself; the next one does it for a dead one.
            if kind == .failure { #expect(folder.names == ["state"]) }
            try LocalFileSystem().removeLeftovers(in: folder.path)
            try LocalFileSystem().replace(path, with: new)
            #expect(try readFile(path) == new)
            #expect(folder.names == ["state"])
        }
    }

    /// The first save of a file: nothing or the new content.
    @Test func nothingOrNewRemains() throws {
        for call in 0..<4 {
            try LocalFileSystem().remove(path)
            let files = FaultyFileSystem(.init(.powerLoss, atCall: call, halfWritten: true))
            #expect(throws: Problem.self) { try files.replace(path, with: new) }
            let content = try? readFile(path)
            #expect(content == (call < 3 ? nil : new))
        }
    }

    /// A test of the test: the same double finds the two usual mistakes.
    @Test func carelessSavesAreFoundOut() throws {
        func isSafe(_ save: (FaultyFileSystem) throws -> Void) throws -> Bool {
            let counter = FaultyFileSystem()
            try save(counter)
            for call in 0..<counter.callCount {
                for kind in [FaultyFileSystem.Fault.Kind.failure, .stop, .powerLoss] {
                    try LocalFileSystem().replace(path, with: old)
                    try? save(FaultyFileSystem(.init(kind, atCall: call, halfWritten: true)))
                    let content = try readFile(path)
                    if content != old, content != new { return false }
                }
            }
            return true
        }
        let (path, partial) = (path, path + ".partial")
        #expect(try isSafe { try $0.replace(path, with: new) })
        #expect(try !isSafe { try $0.write(new, to: path) })
        #expect(
            try !isSafe {
                try $0.write(new, to: partial)
                try $0.rename(partial, to: path)
                try $0.sync(folder.path)
            })
    }

    @Test func aFailureIsOneCallAndAStopIsAll() throws {
        let failing = FaultyFileSystem(.init(.failure, atCall: 1))
        try failing.write([1], to: path)
        #expect(throws: Problem.self) { try failing.append([2], to: path) }
        try failing.append([3], to: path)
        #expect(try readFile(path) == [1, 3])
        let stopping = FaultyFileSystem(.init(.stop, atCall: 1))
        try stopping.write([1], to: path)
        #expect(
            throws: Problem(
                .io, "cannot remove: planned fault at call 1", at: .file(path))
        ) { try stopping.remove(path) }
        #expect(throws: Problem.self) { try stopping.append([3], to: path) }
        #expect(throws: Problem.self) { try stopping.createDirectory(folder("d")) }
        #expect(throws: Problem.self) { try stopping.truncate(path, to: 0) }
        #expect(throws: Problem.self) { try stopping.rename(path, to: folder("e")) }
        #expect(try readFile(path) == [1])
        #expect(stopping.callCount == 6)
        #expect(folder.names == ["state"])
    }

    @Test func halfOfAWriteIsHalf() throws {
        let writing = FaultyFileSystem(.init(.stop, atCall: 0, halfWritten: true))
        #expect(throws: Problem.self) { try writing.write([1, 2, 3, 4, 5], to: path) }
        #expect(try readFile(path) == [1, 2])
        let appending = FaultyFileSystem(.init(.failure, atCall: 0, halfWritten: true))
        #expect(throws: Problem.self) { try appending.append([3, 4, 5, 6], to: path) }
        #expect(try readFile(path) == [1, 2, 3, 4])
    }

    /// Loss of power takes back what was appended since the last sync, and no more; content goes
    /// with a renamed folder.
    @Test func lossOfPowerTakesWhatWasNotSynced() throws {
        let files = FaultyFileSystem(.init(.powerLoss, atCall: 8))
        try files.createDirectory(folder("a"))
        try files.write([1, 2], to: folder("a/log"))
        try files.sync(folder("a/log"))
        try files.append([3], to: folder("a/log"))
        try files.append([4], to: folder("a/log"))
        try files.write([5], to: folder("a/lost"))
        try files.write([6], to: folder("gone"))
        try files.rename(folder("a"), to: folder("b"))
        #expect(throws: Problem.self) { try files.sync(folder("b/lost")) }
        #expect(try readFile(folder("b/log")) == [1, 2])
        #expect(try readFile(folder("b/lost")) == [])
        #expect(try readFile(folder("gone")) == [])
    }
}
