import Diagnostics

/// What the first bytes of a picture say of it, read before anything is decoded.
public struct PictureHeader: Equatable, Sendable {
    public var format: PictureFormat
    /// As stored: before any turning.
    public var width: Int
    public var height: Int
    /// Whether all its pixels are grey because the format has no colours to give them.
    public var isGrey: Bool
    /// Of a camera; upright where nothing is said.
    public var orientation = Orientation.upright

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: for messages.
    /// - Throws: `.data` for what is no picture of a kind that is read, and for a header that is cut or makes no
    ///   sense.
    public init(_ bytes: [UInt8], file: String) throws(Problem) {
        guard let format = PictureFormat(bytes) else { throw .notAPicture(file, bytes) }
        switch format {
        case .jpeg: self = try JPEGMarkers.header(bytes, file: file)
        case .png: self = try PNGChunks.header(bytes, file: file)
        case .bmp: self = try BMP(bytes, file: file).header
        case .pnm: self = try PNM(bytes, file: file).header
        }
    }

    init(
        _ format: PictureFormat, width: Int, height: Int, isGrey: Bool, file: String
    ) throws(Problem) {
        guard width > 0, height > 0 else {
            throw .pictureDamaged(file, format, "a size of \(width) x \(height)")
        }
        (self.format, self.width, self.height, self.isGrey) = (format, width, height, isGrey)
    }

    /// Refuses a picture of more pixels than may be decoded.
    func check(_ limits: PictureLimits, file: String) throws(Problem) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= limits.pixels else {
            throw .tooManyPixels(file, width: width, height: height, most: limits.pixels)
        }
    }
}

/// The segments of a JPEG before its first scan.
enum JPEGMarkers {
    static func header(_ bytes: [UInt8], file: String) throws(Problem) -> PictureHeader {
        var orientation: Orientation?
        var at = 2
        while at < bytes.count {
            // Bytes between segments mean nothing.
            guard bytes[at] == 0xff else {
                at += 1
                continue
            }
            // Any number of fill bytes.
            while at < bytes.count, bytes[at] == 0xff { at += 1 }
            guard at < bytes.count else { break }
            let marker = bytes[at]
            at += 1
            if marker == 0x01 || 0xd0...0xd8 ~= marker { continue }
            guard marker != 0xd9, marker != 0xda else {
                throw .pictureDamaged(file, .jpeg, "no frame header")
            }
            guard let length = bytes.big16(at: at), length >= 2 else { break }
            let end = at + length
            // Frames but for DHT (C4), JPG (C8) and DAC (CC), which share the range.
            if 0xc0...0xcf ~= marker, marker != 0xc4, marker != 0xc8, marker != 0xcc {
                guard length >= 8, end <= bytes.count, let height = bytes.big16(at: at + 3),
                    let width = bytes.big16(at: at + 5)
                else { break }
                var header = try PictureHeader(
                    .jpeg, width: width, height: height, isGrey: bytes[at + 7] == 1, file: file)
                header.orientation = orientation ?? .upright
                return header
            }
            if marker == 0xe1, orientation == nil,
                bytes.dropFirst(at + 2).starts(with: "Exif\0\0".utf8)
            {
                orientation = Orientation(exif: bytes, from: at + 8, to: end)
            }
            at = end
        }
        throw .pictureCut(file, .jpeg)
    }
}

/// The chunks of a PNG.
enum PNGChunks {
    static func header(_ bytes: [UInt8], file: String) throws(Problem) -> PictureHeader {
        guard bytes.count >= 33, let width = bytes.big32(at: 16), let height = bytes.big32(at: 20)
        else { throw .pictureCut(file, .png) }
        guard bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw .pictureDamaged(file, .png, "no IHDR chunk")
        }
        // Colour types: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
        var header = try PictureHeader(
            .png, width: width, height: height, isGrey: bytes[25] == 0 || bytes[25] == 4, file: file
        )
        var at = 8
        // Each is of 12 bytes and more.
        while let length = bytes.big32(at: at), at + 8 <= bytes.count {
            let type = bytes[at + 4..<at + 8]
            if type.elementsEqual("eXIf".utf8) {
                header.orientation = Orientation(exif: bytes, from: at + 8, to: at + 8 + length)
                break
            }
            if type.elementsEqual("IEND".utf8) { break }
            at += 12 + length
        }
        return header
    }
}
