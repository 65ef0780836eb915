import CZlib
import Diagnostics

/// The directory of a zip archive as `torch.save` writes it: entries stored as they are, sizes in
/// the central directory, zip64 records where 32 bits are too few (PKWARE APPNOTE 6.3).
///
/// Compressed and encrypted entries, entries that share bytes, names that come twice, and archives
/// in several files are refused. Nothing is copied: an entry is a range of the file.
struct ZipArchive {
    struct Entry {
        let range: Range<Int>
        let crc: UInt32
    }

    static let entryLimit = 1_000_000

    private let bytes: [UInt8]
    private let file: String
    /// By the bytes of their names: hashing them as text would take time that grows with the square
    /// of a run of combining marks.
    private(set) var entries: [[UInt8]: Entry] = [:]

    static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    init(_ bytes: [UInt8], file: String) throws(Problem) {
        (self.bytes, self.file) = (bytes, file)
        let directory = try Self.directory(bytes, file)
        guard directory.count <= Self.entryLimit else {
            throw .tooManyEntries(file, directory.count)
        }
        var reader = ByteReader(bytes, directory.range, file: file, part: Self.part)
        var spans: [Range<Int>] = []
        for _ in 0..<directory.count {
            spans.append(try entry(&reader, before: directory.range.lowerBound))
        }
        guard reader.at == reader.end else { throw .zipDamaged(file, reader.at) }
        spans.sort { $0.lowerBound < $1.lowerBound }
        for (a, b) in zip(spans, spans.dropFirst()) where a.upperBound > b.lowerBound {
            throw .zipOverlap(file, b.lowerBound)
        }
    }

    /// The content of an entry, its checksum compared.
    func content(_ name: [UInt8]) throws(Problem) -> Range<Int>? {
        guard let entry = entries[name] else { return nil }
        var crc: uLong = 0
        bytes.withUnsafeBufferPointer { all in
            var at = entry.range.lowerBound
            while at < entry.range.upperBound {  // zlib counts in 32 bits
                let piece = min(entry.range.upperBound - at, 1 << 30)
                crc = crc32(crc, all.baseAddress! + at, UInt32(piece))
                at += piece
            }
        }
        guard UInt32(truncatingIfNeeded: crc) == entry.crc else {
            throw .checksum(file, String(decoding: name, as: UTF8.self))
        }
        return entry.range
    }

    private static let part = "zip directory"

    /// Where the central directory lies and how many entries it has.
    private static func directory(
        _ bytes: [UInt8], _ file: String
    ) throws(Problem) -> (range: Range<Int>, count: Int) {
        guard let end = endRecord(bytes) else { throw .noZipEnd(file) }
        var reader = ByteReader(bytes, end..<bytes.count, file: file, part: part)
        _ = try reader.take(4)
        let disks = [try reader.size(UInt16.self), try reader.size(UInt16.self)]
        var counts = [try reader.size(UInt16.self), try reader.size(UInt16.self)]
        var size = try reader.size(UInt32.self)
        var start = try reader.size(UInt32.self)
        var limit = end
        if counts.contains(0xFFFF) || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            // zip64: the locator stands right before, and says where the larger record is.
            guard end >= 20 else { throw .zipDamaged(file, end) }
            var locator = ByteReader(bytes, end - 20..<end, file: file, part: part)
            guard try locator.integer(UInt32.self) == 0x0706_4B50 else {
                throw .zipDamaged(file, end - 20)
            }
            _ = try locator.take(4)
            limit = try locator.size(UInt64.self)
            guard limit <= end - 20 else { throw .zipDamaged(file, end - 20) }
            var record = ByteReader(bytes, limit..<end - 20, file: file, part: part)
            guard try record.integer(UInt32.self) == 0x0606_4B50 else {
                throw .zipDamaged(file, limit)
            }
            _ = try record.take(20)  // size of the record, versions, disks
            counts = [try record.size(UInt64.self), try record.size(UInt64.self)]
            size = try record.size(UInt64.self)
            start = try record.size(UInt64.self)
        } else if disks != [0, 0] {
            throw .zipDamaged(file, end)
        }
        guard counts[0] == counts[1], start <= limit, size <= limit - start else {
            throw .zipDamaged(file, end)
        }
        return (start..<start + size, counts[0])
    }

    /// Where the record at the end starts: the last place whose comment reaches the file's end.
    private static func endRecord(_ bytes: [UInt8]) -> Int? {
        var at = bytes.count - 22
        while at >= 0, at >= bytes.count - 22 - 0xFFFF {
            if bytes[at] == 0x50, bytes[at + 1] == 0x4B, bytes[at + 2] == 5, bytes[at + 3] == 6,
                Int(bytes[at + 20]) | Int(bytes[at + 21]) << 8 == bytes.count - at - 22
            {
                return at
            }
            at -= 1
        }
        return nil
    }

    /// Reads one entry of the directory and its local header.
    ///
    /// - Returns: the bytes from the local header to the end of the content.
    private mutating func entry(
        _ reader: inout ByteReader, before limit: Int
    ) throws(Problem) -> Range<Int> {
        let start = reader.at
        guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
            throw .zipDamaged(file, start)
        }
        _ = try reader.take(4)
        let flags = try reader.integer(UInt16.self)
        let method = try reader.integer(UInt16.self)
        _ = try reader.take(4)
        let crc = try reader.integer(UInt32.self)
        var sizes = [try reader.size(UInt32.self), try reader.size(UInt32.self)]
        let nameLength = try reader.size(UInt16.self)
        let extraLength = try reader.size(UInt16.self)
        let commentLength = try reader.size(UInt16.self)
        _ = try reader.take(8)
        var header = try reader.size(UInt32.self)
        let name = Array(bytes[try reader.take(nameLength)])
        try zip64(try reader.take(extraLength), &sizes, &header)
        _ = try reader.take(commentLength)
        let text = String(decoding: name.prefix(200), as: UTF8.self)
        guard flags & 0x2041 == 0 else { throw .encrypted(file, text) }
        guard method == 0, sizes[0] == sizes[1] else {
            // TorchScript compresses its source text.
            throw text.contains("/code/") ? .torchScript(file) : .compressed(file, text)
        }
        guard header <= limit else { throw .zipDamaged(file, start) }
        var local = ByteReader(bytes, header..<limit, file: file, part: Self.part)
        guard try local.integer(UInt32.self) == 0x0403_4B50 else {
            throw .zipDamaged(file, header)
        }
        _ = try local.take(22)
        let localName = try local.size(UInt16.self)
        let localExtra = try local.size(UInt16.self)
        guard bytes[try local.take(localName)].elementsEqual(name) else {
            throw .zipDamaged(file, header)
        }
        _ = try local.take(localExtra)
        let range = try local.take(sizes[0])
        guard entries.updateValue(Entry(range: range, crc: crc), forKey: name) == nil else {
            throw .entryTwice(file, text)
        }
        return header..<range.upperBound
    }

    /// The numbers that did not fit into 32 bits.
    private func zip64(
        _ range: Range<Int>, _ sizes: inout [Int], _ header: inout Int
    ) throws(Problem) {
        var extra = ByteReader(bytes, range, file: file, part: Self.part)
        while extra.at < extra.end {
            let id = try extra.integer(UInt16.self)
            let body = try extra.take(try extra.size(UInt16.self))
            guard id == 1 else { continue }
            var field = ByteReader(bytes, body, file: file, part: Self.part)
            // In this order, and only those that are needed; `sizes` is compressed, uncompressed.
            if sizes[1] == 0xFFFF_FFFF { sizes[1] = try field.size(UInt64.self) }
            if sizes[0] == 0xFFFF_FFFF { sizes[0] = try field.size(UInt64.self) }
            if header == 0xFFFF_FFFF { header = try field.size(UInt64.self) }
        }
    }
}
