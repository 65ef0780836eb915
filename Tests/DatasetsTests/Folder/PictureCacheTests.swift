import Diagnostics
import Files
import Foundation
import Testing

@testable import Datasets

struct PictureCacheTests {
    private func touch(_ path: String, seconds: Int) {
        var times = [timeval(), timeval()]
        for i in 0..<2 { times[i].tv_sec = seconds }
        utimes(path, times)
    }

    @Test func nothingIsOpenedTwice() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 1)
        let second = try folder.grey("b/2.pgm", 2)
        let first = try folder.load()
        #expect(folder.openedPaths == ["a/1.pgm", "b/2.pgm"])
        let again = try folder.load()
        #expect(folder.openedPaths.isEmpty)
        #expect(again.learning.sha256 == first.learning.sha256 && again.contents == first.contents)

        // A new one, and one that moved.
        try folder.grey("b/3.pgm", 3)
        try FileManager.default.moveItem(atPath: second, toPath: "\(folder.path)/a/2.pgm")
        let moved = try folder.load()
        #expect(moved.learning.ids == ["a/1.pgm", "a/2.pgm", "b/3.pgm"])
        #expect(folder.openedPaths == ["a/2.pgm", "b/3.pgm"])
        _ = try folder.load()
        #expect(folder.openedPaths.isEmpty)

        // Other options have a cache of their own; both stay.
        _ = try folder.load { $0.size = [2, 2] }
        #expect(folder.openedPaths.count == 3)
        _ = try folder.load()
        #expect(folder.openedPaths.isEmpty)
        _ = try folder.load { $0.size = [2, 2] }
        #expect(folder.openedPaths.isEmpty)
        // What the pixels do not depend on.
        _ = try folder.load { $0.mostBad = 0.5 }
        #expect(folder.openedPaths.isEmpty)
    }

    /// A change that keeps size and time is seen by the time that nobody sets back.
    @Test func changedContent() throws {
        let folder = try PictureScratch()
        let file = try folder.grey("a/1.pgm", 1)
        touch(file, seconds: 1_000_000_000)
        let first = try folder.load().learning
        try folder.grey("a/1.pgm", 9)
        touch(file, seconds: 1_000_000_000)
        let second = try folder.load().learning
        #expect(folder.openedPaths == ["a/1.pgm"] && second.sha256 != first.sha256)
        // Only touched: opened, but the same.
        touch(file, seconds: 1_000_000_005)
        #expect(try folder.load().learning.sha256 == second.sha256)
        #expect(folder.openedPaths == ["a/1.pgm"])
    }

    /// A file that was written just now may be written again without another time.
    @Test func freshFiles() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 1)
        folder.lead.withLock { $0 = 0 }
        _ = try folder.load()
        _ = try folder.load()
        #expect(folder.openedPaths == ["a/1.pgm"])
    }

    @Test func damage() throws {
        let folder = try PictureScratch()
        for k in 0..<5 { try folder.grey("a/\(k).pgm", UInt8(k)) }
        let first = try folder.load().learning
        let path = folder.cache.file(
            of: try FolderWalk(folder.path).realRoot, key: folder.source().pixelKey)
        let whole = try readFile(path)
        #expect(try folder.load().learning.sha256 == first.sha256)
        for damaged in [
            [], Array(whole[..<(whole.count / 2)]), whole + [0],
            whole.enumerated().map { $0.offset == whole.count / 2 ? $0.element ^ 4 : $0.element },
        ] {
            try Data(damaged).write(to: URL(filePath: path))
            #expect(try folder.load().learning.sha256 == first.sha256)
            #expect(folder.openedPaths.count == 5)
            #expect(try readFile(path) == whole)
        }
        #expect(PictureCacheFile.decoded(whole, key: "another") == nil)
    }

    /// Lengths that lie, with a hash that fits them.
    @Test func hostileCaches() {
        let record = PictureRecord(
            path: "a", stamp: nil, sha256: String(repeating: "0", count: 64),
            content: .pixels([1, 2], channels: 1, thumbnail: [3]))
        let whole = PictureCacheFile.encoded([record], key: "k")
        #expect(PictureCacheFile.decoded(whole, key: "k") == [record])
        let body = Array(whole.dropLast(64))
        for at in body.indices {
            for value: UInt8 in [0, 255] where body[at] != value {
                var changed = body
                changed[at] = value
                let sealed = changed + Array(SHA256.hex(of: changed).utf8)
                let records = PictureCacheFile.decoded(sealed, key: "k")
                #expect(records == nil || records!.count <= 1)
            }
        }
    }

    @Test func roundTrip() throws {
        let folder = try PictureScratch()
        let stamp = try #require(FileStamp(path: folder.path))
        let records = [
            PictureRecord(
                path: "é", stamp: stamp, sha256: "s",
                content: .pixels([1, 2, 3], channels: 3, thumbnail: [4])),
            PictureRecord(
                path: "", stamp: nil, sha256: "",
                content: .unusable(Problem(.data, "w", found: "f", hint: "h"))),
        ]
        let bytes = PictureCacheFile.encoded(records, key: "k")
        #expect(PictureCacheFile.decoded(bytes, key: "k") == records)
    }

    /// A write that fails at any step leaves the old cache or none, and the samples are there all the same.
    @Test func failedWrites() throws {
        let folder = try PictureScratch()
        try folder.grey("a/1.pgm", 1)
        let records = [
            PictureRecord(
                path: "a", stamp: nil, sha256: "s",
                content: .pixels([1], channels: 1, thumbnail: [2]))
        ]
        for call in 0..<10 {
            let files = FaultyFileSystem(.init(.powerLoss, atCall: call, halfWritten: true))
            try? folder.cache.write(records, "p", key: "k\(call)", using: files)
            let read = folder.cache.read("p", key: "k\(call)")
            #expect(read == nil || read == records, "\(call)")
        }
        // A file where the folder should be.
        let blocked = PictureCache(folder: try folder.grey("a/2.pgm", 2) + "/x")
        let samples = try folder.source().readSamples(blocked, FileReading())
        #expect(samples.learning.count == 2)
        #expect(samples.warnings.count == 1)
        #expect(samples.warnings[0].contains("could not be kept"))
        #expect(try folder.source().readSamples(nil, FileReading()).learning.count == 2)
    }

    @Test func places() {
        #expect(
            PictureCache.standard(["LIMBECK_CACHE": "/x", "HOME": "/h"])?.folder == "/x/pictures")
        #expect(PictureCache.standard(["LIMBECK_CACHE": "none", "HOME": "/h"]) == nil)
        #expect(
            PictureCache.standard(["XDG_CACHE_HOME": "/c", "HOME": "/h"])?.folder
                == "/c/limbeck/pictures")
        #expect(
            PictureCache.standard(["XDG_CACHE_HOME": "c", "HOME": "/h"])?.folder
                == "/h/.cache/limbeck/pictures")
        #expect(PictureCache.standard([:]) == nil)
    }

    /// Results do not depend on how many workers there are.
    @Test func manyPictures() throws {
        let folder = try PictureScratch()
        for k in 0..<200 { try folder.grey("\(k % 3)/\(k).pgm", UInt8(k)) }
        let data = try folder.load().learning
        #expect(data.count == 200 && data.ids == data.ids?.sorted())
        guard case .images(let bytes, _, _, _) = data.features else { return }
        for (i, id) in data.ids!.enumerated() {
            #expect(bytes[i * 16 + 5] == UInt8(id.split(separator: "/")[1].dropLast(4)))
        }
    }
}
