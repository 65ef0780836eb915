import Diagnostics
import Foundation

@testable import Pictures

/// The one line that `body` fails with, or "nothing thrown".
func failure<T>(_ body: () throws -> T) -> String {
    do {
        _ = try body()
        return "nothing thrown"
    } catch {
        return error is Problem ? "\(error)" : "another error: \(error)"
    }
}

func fixture(_ name: String) throws -> [UInt8] {
    let folder = Bundle.module.resourceURL!.appending(path: "Fixtures")
    return try Array(Data(contentsOf: folder.appending(path: name)))
}

/// What a fixture has to be decoded to.
func expected(_ name: String) throws -> Picture {
    let bytes = try (try? fixture("\(name).ppm")) ?? fixture("\(name).pgm")
    return try Picture(decoding: bytes, file: name)
}

/// Grey levels by which two pictures differ.
func difference(_ a: Picture, _ b: Picture) -> (mean: Double, most: Int) {
    guard (a.width, a.height, a.channels) == (b.width, b.height, b.channels) else {
        return (.infinity, .max)
    }
    let gaps = zip(a.bytes, b.bytes).map { abs(Int($0) - Int($1)) }
    return (Double(gaps.reduce(0, +)) / Double(gaps.count), gaps.max() ?? 0)
}

func big(_ values: Int...) -> [UInt8] {
    values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}

func little(_ values: Int...) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

/// A PNG file, as simple and as wrong as a test wants it.
enum PNGFile {
    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    /// - Parameter rows: with the filter byte before each.
    static func make(
        width: Int, height: Int, bits: UInt8 = 8, colours: UInt8 = 0, interlaced: Bool = false,
        rows: [UInt8], before: [UInt8] = []
    ) -> [UInt8] {
        signature
            + chunk("IHDR", big(width, height) + [bits, colours, 0, 0, interlaced ? 1 : 0])
            + before + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
    }

    static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return big(data.count) + body + big(Int(crc(body)))
    }

    /// Stored blocks.
    static func zlib(_ data: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var left = data[...]
        repeat {
            let block = left.prefix(65_535)
            left = left.dropFirst(block.count)
            let size = UInt16(block.count)
            out += [left.isEmpty ? 1 : 0, UInt8(size & 255), UInt8(size >> 8)]
            out += [UInt8(~size & 255), UInt8(~size >> 8)] + block
        } while !left.isEmpty
        var (a, b) = (1, 0)
        for byte in data {
            a = (a + Int(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return out + big(b << 16 | a)
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1
            }
        }
    }
}

/// A grey progressive JPEG of one block with as many equal scans as a test wants.
func jpeg(scans: Int, width: Int = 8, height: Int = 8, before: [UInt8] = []) -> [UInt8] {
    func segment(_ marker: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0xff, marker, UInt8((data.count + 2) >> 8), UInt8((data.count + 2) & 255)] + data
    }
    let size = [height >> 8, height & 255, width >> 8, width & 255].map { UInt8($0) }
    let head: [UInt8] =
        [0xff, 0xd8] + before
        + segment(0xdb, [0] + [UInt8](repeating: 1, count: 64))
        + segment(0xc2, [8] + size + [1, 1, 0x11, 0])
        // One code of one bit: the difference is 0.
        + segment(0xc4, [0, 1] + [UInt8](repeating: 0, count: 15) + [0])
    let scan = segment(0xda, [1, 1, 0, 0, 0, 0]) + [0x7f]
    return head + Array(repeatElement(scan, count: scans).joined()) + [0xff, 0xd9]
}
