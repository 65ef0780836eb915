import Diagnostics
import Foundation
import Pictures
import Synchronization

@testable import Datasets

/// A folder of pictures that a test writes.
final class PictureScratch: @unchecked Sendable {
    private let scratch: Scratch
    /// Of the pictures.
    let path: String
    /// Of the cache.
    let cache: PictureCache
    /// Paths that were opened, and what the clock shows.
    let opened = Mutex<[String]>([])
    let lead = Mutex<Int64>(10_000_000_000)

    init() throws {
        scratch = try Scratch()
        path = scratch.folder + "/pictures"
        cache = PictureCache(folder: scratch.folder + "/cache/pictures")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    @discardableResult func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: NSString(string: file).deletingLastPathComponent,
            withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    @discardableResult func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    /// A grey picture of 4 x 4 pixels that all have one value, and one that has another.
    @discardableResult func grey(_ name: String, _ value: UInt8, _ dot: UInt8 = 0) throws -> String
    {
        try write(name, Self.pgm([dot] + [UInt8](repeating: value, count: 15)))
    }

    static func pgm(_ pixels: [UInt8]) -> [UInt8] { Array("P5 4 4 255\n".utf8) + pixels }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    func source(_ change: (inout FolderSource) -> Void = { _ in }) -> FolderSource {
        var source = FolderSource(path: path, height: 4, width: 4)
        source.groupsAlike = false
        change(&source)
        return source
    }

    /// Reads with the cache, as if a while after the files were written.
    func load(_ change: (inout FolderSource) -> Void = { _ in }) throws -> SourceSamples {
        opened.withLock { $0 = [] }
        var reading = FileReading()
        let (read, now) = (reading.read, reading.now)
        reading.read = { [self] (file, limit) throws(Problem) in
            opened.withLock { $0.append(String(file.dropFirst(path.count + 1))) }
            return try read(file, limit)
        }
        let ahead = lead.withLock { $0 }
        reading.now = { now() + ahead }
        return try source(change).readSamples(cache, reading)
    }

    /// Paths that the last `load` opened.
    var openedPaths: [String] { opened.withLock { $0.sorted() } }

    func shortened(_ text: String) -> String { text.replacingOccurrences(of: path, with: "F") }
}
