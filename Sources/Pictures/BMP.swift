import Diagnostics

/// Windows bitmaps without compression: 1, 4 or 8 bits with a palette, 24 or 32 bits as blue, green, red (and
/// a byte that is passed over). Rows end at a multiple of 4 bytes and go up, or down for a negative height.
struct BMP {
    private let bytes: [UInt8]
    private let file: String
    let header: PictureHeader
    private let bits: Int
    private let isTopDown: Bool
    /// Of the first row.
    private let start: Int
    private let palette: (start: Int, size: Int, count: Int)

    init(_ bytes: [UInt8], file: String) throws(Problem) {
        (self.bytes, self.file) = (bytes, file)
        guard let start = bytes.little32(at: 10), let size = bytes.little32(at: 14),
            bytes.count >= 14 + size
        else { throw .pictureCut(file, .bmp) }
        // The first header of all has 12 bytes and sizes of 16 bits.
        let isOld = size == 12
        guard isOld || 40...124 ~= size else {
            throw .bmpKind(file, "a header of \(size) bytes")
        }
        var height: Int
        let width: Int
        if isOld {
            (width, height) = (bytes.little16(at: 18)!, bytes.little16(at: 20)!)
            bits = bytes.little16(at: 24)!
        } else {
            width = Int(Int32(truncatingIfNeeded: bytes.little32(at: 18)!))
            height = Int(Int32(truncatingIfNeeded: bytes.little32(at: 22)!))
            bits = bytes.little16(at: 28)!
            try BMP.checkCompression(bytes, bits, headerSize: size, file: file)
        }
        isTopDown = height < 0
        height = abs(height)
        guard [1, 4, 8, 24, 32].contains(bits) else {
            throw .bmpKind(file, "\(bits) bits for a pixel")
        }
        let used = isOld ? 0 : bytes.little32(at: 46)!
        palette = (14 + size, isOld ? 3 : 4, used == 0 ? 1 << min(bits, 8) : min(used, 256))
        guard start >= 14 + size else {
            throw .pictureDamaged(file, .bmp, "pixels that begin in the header")
        }
        self.start = start
        header = try PictureHeader(.bmp, width: width, height: height, isGrey: false, file: file)
    }

    private static func checkCompression(
        _ bytes: [UInt8], _ bits: Int, headerSize: Int, file: String
    ) throws(Problem) {
        let compression = bytes.little32(at: 30)!
        if compression == 0 { return }
        // Masks that say what would hold without them.
        let usual = [0xff0000, 0xff00, 0xff]
        if compression == 3, bits == 32,
            usual.indices.allSatisfy({
                bytes.little32(at: 54 + 4 * $0) == usual[$0]
            })
        {
            return
        }
        throw .bmpKind(file, "compression \(compression)")
    }

    func picture() throws(Problem) -> Picture {
        let (width, height) = (header.width, header.height)
        let row = (width * bits + 31) / 32 * 4
        guard bytes.count - start >= row * (height - 1) + (width * bits + 7) / 8 else {
            throw .pictureCut(file, .bmp)
        }
        if bits <= 8, palette.start + palette.size * palette.count > bytes.count {
            throw .pictureCut(file, .bmp)
        }
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        for y in 0..<height {
            let from = start + row * (isTopDown ? y : height - 1 - y)
            for x in 0..<width {
                let at: Int
                if bits > 8 {
                    at = from + x * bits / 8
                } else {
                    let bit = x * bits
                    let shift = 8 - bits - bit % 8
                    let index = Int(bytes[from + bit / 8]) >> shift & (1 << bits - 1)
                    guard index < palette.count else {
                        throw .pictureDamaged(file, .bmp, "a colour that is not in the palette")
                    }
                    at = palette.start + palette.size * index
                }
                let to = 3 * (y * width + x)
                pixels[to] = bytes[at + 2]
                pixels[to + 1] = bytes[at + 1]
                pixels[to + 2] = bytes[at]
            }
        }
        return Picture(width: width, height: height, channels: 3, bytes: pixels)
    }
}
