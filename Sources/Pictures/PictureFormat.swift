/// What a file of a picture is by its first bytes; its name says nothing.
public enum PictureFormat: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    /// Uncompressed, with 1, 4, 8, 24 or 32 bits for a pixel.
    case bmp = "BMP"
    /// P2, P3, P5 and P6: PGM and PPM.
    case pnm = "PPM"

    /// Nil for everything else.
    public init?(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else if bytes.starts(with: "BM".utf8) {
            self = .bmp
        } else if PictureFormat.isPNM(bytes, "2356") {
            self = .pnm
        } else {
            return nil
        }
    }

    private static func isPNM(_ bytes: [UInt8], _ digits: String) -> Bool {
        guard bytes.count > 2, bytes[0] == UInt8(ascii: "P") else { return false }
        return digits.utf8.contains(bytes[1]) && (bytes[2] == 0x20 || 9...13 ~= bytes[2])
    }

    /// The name of a kind of picture that is known and not read; nil for anything else.
    static func foreign(_ bytes: [UInt8]) -> String? {
        func begins(_ text: String, at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: text.utf8)
        }
        if begins("GIF8") { return "a GIF image" }
        if begins("II*\0") || begins("MM\0*") { return "a TIFF image" }
        if begins("RIFF"), begins("WEBP", at: 8) { return "a WebP image" }
        if begins("ftyp", at: 4) {
            let brand = bytes.dropFirst(8).prefix(4)
            if brand.starts(with: "avi".utf8) { return "an AVIF image" }
            let isHEIF = ["hei", "hev", "mif", "msf"].contains { brand.starts(with: $0.utf8) }
            return isHEIF ? "a HEIC image" : nil
        }
        if bytes.starts(with: [0xff, 0x0a]) || begins("JXL ", at: 4) { return "a JPEG XL image" }
        if begins("jP  ", at: 4) { return "a JPEG 2000 image" }
        if begins("8BPS") { return "a Photoshop document" }
        if bytes.starts(with: [0, 0, 1, 0]) { return "an icon (ICO)" }
        if isPNM(bytes, "14") { return "a PBM image" }
        if isPNM(bytes, "7") { return "a PAM image" }
        return isSVG(bytes) ? "an SVG drawing" : nil
    }

    private static func isSVG(_ bytes: [UInt8]) -> Bool {
        let head = String(decoding: bytes.prefix(1024), as: UTF8.self).lowercased()
        let text = head.drop { $0.isWhitespace || $0 == "\u{feff}" }
        guard text.hasPrefix("<") else { return false }
        return text.hasPrefix("<svg") || head.contains("<svg") || head.contains("svg.dtd")
    }
}
