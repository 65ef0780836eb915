import Diagnostics
import Files
import Foundation

/// Where decoded pictures are kept from one run to the next.
///
/// That is the folder `pictures` in `$LIMBECK_CACHE`, else in `$XDG_CACHE_HOME/limbeck`, else in
/// `~/.cache/limbeck`. With `LIMBECK_CACHE=none` nothing is kept. The folder may be removed at any time: what is
/// missing or damaged is made again.
///
/// One file belongs to a folder of pictures and to how they are decoded (size, resampling and every other option
/// that pixels depend on). It holds for each picture its path, size, times and inode, the SHA-256 of its content,
/// and its pixels. A picture whose size, times or inode changed is read again, and decoded again if its content
/// changed. The times include the one that the system sets itself and nobody sets back.
struct PictureCache: Sendable {
    /// Of the files.
    let folder: String

    static func standard(
        _ variables: [String: String] = ProcessInfo.processInfo.environment
    ) -> PictureCache? {
        func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let own = value("LIMBECK_CACHE") {
            return own == "none" ? nil : PictureCache(folder: "\(own)/pictures")
        }
        // A relative path means nothing there.
        if let base = value("XDG_CACHE_HOME"), base.hasPrefix("/") {
            return PictureCache(folder: "\(base)/limbeck/pictures")
        }
        return value("HOME").map { PictureCache(folder: "\($0)/.cache/limbeck/pictures") }
    }

    /// - Parameters:
    ///   - path: of the folder of pictures, behind all links.
    ///   - key: of how they are decoded.
    func file(of path: String, key: String) -> String {
        "\(folder)/\(SHA256.hex(of: "\(key)\n\(path)".utf8).prefix(32)).pixels"
    }

    /// Nil where there is none of this key, or it is damaged.
    func read(_ path: String, key: String) -> [PictureRecord]? {
        guard let bytes = try? readFile(file(of: path, key: key), limit: 1 << 35) else {
            return nil
        }
        return PictureCacheFile.decoded(bytes, key: key)
    }

    func write(
        _ records: [PictureRecord], _ path: String, key: String,
        using files: any FileSystem = LocalFileSystem()
    ) throws(Problem) {
        let isNew = !FileManager.default.fileExists(atPath: folder)
        try files.createDirectory(folder)
        // Other people's pictures are nobody else's business.
        if isNew { chmod(folder, 0o700) }
        try files.replace(
            file(of: path, key: key), with: PictureCacheFile.encoded(records, key: key))
    }
}

/// What is known of a file that was looked at.
struct PictureRecord: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// One plane after the other, and a small grey picture of all of it (``Likeness``).
        case pixels([UInt8], channels: Int, thumbnail: [UInt8])
        /// What is wrong with it, without the place.
        case unusable(Problem)
    }

    var path: String
    /// Nil: it was changed so lately that a further change would not show.
    var stamp: FileStamp?
    /// SHA-256, 64 hexadecimal digits.
    var sha256: String
    var content: Content
}

/// The bytes of a cache: a version, the key, the records, and the SHA-256 of all before it. Numbers are
/// little-endian, lists have their lengths before them.
enum PictureCacheFile {
    private static let version = "limbeck-pictures-1\n"

    static func encoded(_ records: [PictureRecord], key: String) -> [UInt8] {
        var out = Writer()
        out.bytes.reserveCapacity(records.reduce(1000) { $0 + $1.size })
        out.bytes += version.utf8
        out.list(key.utf8)
        out.number(UInt64(records.count))
        for record in records {
            out.list(record.path.utf8)
            out.bytes.append(record.stamp == nil ? 0 : 1)
            if let stamp = record.stamp {
                for number in [stamp.size, stamp.modified, stamp.changed] {
                    out.number(UInt64(bitPattern: number))
                }
                out.number(stamp.inode)
                out.number(stamp.device)
            }
            out.list(record.sha256.utf8)
            switch record.content {
            case .pixels(let pixels, let channels, let thumbnail):
                out.bytes.append(UInt8(channels))
                out.list(thumbnail)
                out.list(pixels)
            case .unusable(let problem):
                out.bytes.append(0)
                for text in [problem.what, problem.found, problem.expected, problem.hint] {
                    out.list((text ?? "").utf8)
                }
            }
        }
        return out.bytes + Array(SHA256.hex(of: out.bytes).utf8)
    }

    static func decoded(_ bytes: [UInt8], key: String) -> [PictureRecord]? {
        guard bytes.count > 64 else { return nil }
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0.dropLast(64))) }
        guard bytes.suffix(64).elementsEqual(hash.finish().utf8) else { return nil }
        var reader = Reader(bytes: bytes, end: bytes.count - 64)
        guard let head = reader.take(version.utf8.count), head.elementsEqual(version.utf8),
            reader.text() == key, let count = reader.number()
        else { return nil }
        var records: [PictureRecord] = []
        for _ in 0..<count {
            guard let record = reader.record() else { return nil }
            records.append(record)
        }
        return records
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func number(_ value: UInt64) {
            withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
        }

        mutating func list(_ list: some Collection<UInt8>) {
            number(UInt64(list.count))
            bytes += list
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        let end: Int
        var position = 0

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= end - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func number() -> UInt64? {
            take(8)?.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }

        mutating func list() -> ArraySlice<UInt8>? {
            number().flatMap { Int(exactly: $0) }.flatMap { take($0) }
        }

        mutating func text() -> String? { list().map { String(decoding: $0, as: UTF8.self) } }

        mutating func record() -> PictureRecord? {
            guard let path = text(), let hasStamp = take(1)?.first else { return nil }
            var stamp: FileStamp?
            if hasStamp == 1 {
                var numbers: [UInt64] = []
                for _ in 0..<5 {
                    guard let value = number() else { return nil }
                    numbers.append(value)
                }
                stamp = FileStamp(numbers)
            }
            guard let sha256 = text(), let channels = take(1)?.first else { return nil }
            let content: PictureRecord.Content
            if channels > 0 {
                guard let thumbnail = list(), let pixels = list() else { return nil }
                content = .pixels(
                    Array(pixels), channels: Int(channels), thumbnail: Array(thumbnail))
            } else {
                var texts: [String] = []
                for _ in 0..<4 {
                    guard let text = text() else { return nil }
                    texts.append(text)
                }
                func known(_ text: String) -> String? { text.isEmpty ? nil : text }
                content = .unusable(
                    Problem(
                        .data, texts[0], found: known(texts[1]), expected: known(texts[2]),
                        hint: known(texts[3])))
            }
            return PictureRecord(path: path, stamp: stamp, sha256: sha256, content: content)
        }
    }
}

extension PictureRecord {
    fileprivate var size: Int {
        let own = 200 + path.utf8.count
        guard case .pixels(let pixels, _, let thumbnail) = content else { return own + 500 }
        return own + pixels.count + thumbnail.count
    }
}

extension FileStamp {
    fileprivate init(_ numbers: [UInt64]) {
        size = Int64(bitPattern: numbers[0])
        modified = Int64(bitPattern: numbers[1])
        changed = Int64(bitPattern: numbers[2])
        (inode, device) = (numbers[3], numbers[4])
    }
}
