import CZlib
import Foundation

/// Writer of PNG files (ISO/IEC 15948, W3C PNG 2003): 8 bits per value, one filter-free pass, no
/// chunk besides the necessary ones. The same pixels give the same bytes with the same zlib.
enum PNG {
    /// What a pixel is made of.
    enum Kind: UInt8 {
        case grey = 0
        case colour = 2
        case greyAlpha = 4
        case colourAlpha = 6

        var values: Int {
            switch self {
            case .grey: 1
            case .colour: 3
            case .greyAlpha: 2
            case .colourAlpha: 4
            }
        }
    }

    /// - Parameters:
    ///   - width: in pixels, 1 to 2³¹ − 1; so is `height`.
    ///   - pixels: height · width · `kind.values` bytes, row by row.
    static func encoded(width: Int, height: Int, kind: Kind, pixels: [UInt8]) -> [UInt8] {
        let row = width * kind.values
        precondition(width > 0 && height > 0 && pixels.count == height * row, "pixels of an image")
        var lines: [UInt8] = []
        lines.reserveCapacity(height * (row + 1))
        for y in 0..<height {
            lines.append(0)  // no filter
            lines += pixels[y * row..<(y + 1) * row]
        }
        var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        file += chunk(
            "IHDR", bigEndian(width) + bigEndian(height) + [8, kind.rawValue, 0, 0, 0])
        file += chunk("IDAT", deflated(lines))
        file += chunk("IEND", [])
        return file
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        var out = [UInt8](repeating: 0, count: Int(length))
        let status = compress2(&out, &length, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
        // With a buffer of `compressBound` only a lack of memory is left to fail.
        precondition(status == Z_OK, "zlib: \(status)")
        return Array(out.prefix(Int(length)))
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return bigEndian(content.count) + body
            + bigEndian(Int(crc32(0, body, uInt(body.count))))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
