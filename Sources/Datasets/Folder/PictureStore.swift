import Diagnostics
import Files
import Foundation
import Pictures
import Workers

/// How files of pictures come; tests count and fail them, and turn the clock.
struct FileReading: Sendable {
    var read: @Sendable (_ path: String, _ limit: Int) throws(Problem) -> [UInt8] = {
        (path, limit) throws(Problem) in try readFile(path, limit: limit)
    }
    /// Nanoseconds since 1970.
    var now: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The pixels of a folder's pictures: from the cache what is in it, the others decoded side by side.
struct PictureStore {
    /// By the entries of the folder.
    let records: [PictureRecord]
    private(set) var warnings: [String] = []

    /// A change within so many nanoseconds may not show in a file's times.
    private static let tick: Int64 = 2_000_000_000

    init(
        _ folder: PictureFolder, _ source: FolderSource, cache: PictureCache?, reading: FileReading
    ) throws(Problem) {
        let began = reading.now()
        let key = source.pixelKey
        let known = cache?.read(folder.realPath, key: key) ?? []
        // Not by text: two names may be equal to people and different to the system.
        let byPath = Dictionary(
            known.indices.map { (Array(known[$0].path.utf8), $0) }, uniquingKeysWith: { a, _ in a })
        let byContent = Dictionary(
            known.indices.map { (known[$0].sha256, $0) }, uniquingKeysWith: { a, _ in a })
        let stamps = folder.entries.map { FileStamp(path: "\(folder.path)/\($0.path)") }
        var missing: [Int] = []
        var records: [PictureRecord?] = folder.entries.indices.map { i in
            if let at = byPath[Array(folder.entries[i].path.utf8)], let stamp = stamps[i],
                known[at].stamp == stamp
            {
                return known[at]
            }
            missing.append(i)
            return nil
        }
        if !missing.isEmpty {
            let work = Work(source)
            let fresh = Parallel.map(missing.count) { [missing] k in
                let i = missing[k]
                return work.record(
                    folder.entries[i].path, in: folder.path,
                    stamp: stamps[i].flatMap { $0.isOlder(than: began - Self.tick) ? $0 : nil },
                    reading
                ) { sha256 in byContent[sha256].map { known[$0].content } }
            }
            for (i, record) in zip(missing, fresh) { records[i] = record }
        }
        self.records = records.map { $0! }
        guard let cache, !missing.isEmpty || known.count != records.count else { return }
        // A full disk costs time and no result. What could not be read may be read next time.
        do throws(Problem) {
            try cache.write(
                self.records.filter { !$0.sha256.isEmpty }, folder.realPath, key: key)
        } catch {
            warnings.append("decoded pictures could not be kept: \(error)")
        }
    }

    /// What each worker does for a picture.
    private struct Work: Sendable {
        let options: PictureOptions
        let shape: PictureShape

        init(_ source: FolderSource) { (options, shape) = (source.options, source.shape) }

        func record(
            _ path: String, in folder: String, stamp: FileStamp?, _ reading: FileReading,
            known: (String) -> PictureRecord.Content?
        ) -> PictureRecord {
            let file = "\(folder)/\(path)"
            var sha256 = ""
            var content: PictureRecord.Content
            do throws(Problem) {
                let bytes = try reading.read(file, options.limits.fileBytes)
                sha256 = SHA256.hex(of: bytes)
                if let known = known(sha256) {
                    content = known
                } else {
                    let (picture, thumbnail) = try decoded(bytes, file: file)
                    content = .pixels(
                        picture.planes, channels: picture.channels, thumbnail: thumbnail)
                }
            } catch {
                var problem = error
                problem.place = nil
                content = .unusable(problem)
            }
            return PictureRecord(path: path, stamp: stamp, sha256: sha256, content: content)
        }

        private func decoded(
            _ bytes: [UInt8], file: String
        ) throws(Problem) -> (Picture, thumbnail: [UInt8]) {
            let picture = try shape.picture(bytes, file: file, options: options)
            return (picture, Likeness.thumbnail(of: picture))
        }
    }
}

extension FileStamp {
    /// Of the file behind a path; nil where there is none.
    init?(path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        self.init(info)
    }

    func isOlder(than time: Int64) -> Bool { modified < time && changed < time }
}

extension FolderSource {
    /// All that the pixels of a picture depend on.
    var pixelKey: String {
        "1 \(size[0])x\(size[1]) channels \(channels ?? 0) exif \(exif.rawValue) "
            + "\(resampling.rawValue) \(fit.rawValue) background \(background) pixels \(maxPixels) "
            + "libraries \(Picture.readsJPEGAndPNG)"
    }
}
