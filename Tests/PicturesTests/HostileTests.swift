import Diagnostics
import Foundation
import Testing

@testable import Pictures

/// Pictures that want too much, end too early, or are not what they seem: one clear line each.
@Suite(.enabled(if: Picture.readsJPEGAndPNG))
struct HostileTests {
    private func said(_ bytes: [UInt8], _ options: PictureOptions = PictureOptions()) -> String {
        failure { try Picture(decoding: bytes, file: "p", options: options) }
    }

    @Test func claimsOfSize() throws {
        let claim = PNGFile.make(width: 30_000, height: 30_000, bits: 1, rows: [0])
        #expect(
            said(claim)
                == "p: picture too large: found 30000 x 30000 pixels, expected at most 50000000 in all"
        )
        #expect(said(jpeg(scans: 1, width: 65_000, height: 65_000)).contains("picture too large"))
        var options = PictureOptions()
        options.limits.pixels = 63
        #expect(said(jpeg(scans: 1), options).contains("found 8 x 8 pixels, expected at most 63"))
        options.limits.pixels = 64
        #expect(said(jpeg(scans: 1), options) == "nothing thrown")
        // What the header does not fill is found when it is decoded.
        let hollow = PNGFile.make(width: 7000, height: 7000, bits: 1, rows: [0])
        #expect(said(hollow).contains("picture damaged"))
        #expect(
            said(PNGFile.make(width: 1 << 31, height: 1, rows: [0])).contains("picture too large"))
    }

    /// The limits hold in the C code as well, should a header deceive the reader in Swift.
    @Test func scans() {
        #expect(said(jpeg(scans: 150)) == "nothing thrown")
        #expect(
            said(jpeg(scans: 300))
                == "p: picture refused: found a progressive JPEG of more scans than any picture needs"
        )
        let limits = PictureLimits()
        #expect(limits.scans(ofPixels: 64) == 200)
        #expect(limits.scans(ofPixels: 50_000_000) == 40)
        #expect(limits.scans(ofPixels: 1_000_000_000) == 20)
    }

    @Test func warnings() {
        // A byte between segments is a warning each.
        let comment: [UInt8] = [0xff, 0xfe, 0, 2, 0]
        func file(_ count: Int) -> [UInt8] {
            jpeg(scans: 1, before: Array(repeatElement(comment, count: count).joined()))
        }
        #expect(said(file(100)) == "nothing thrown")
        let sentence = said(file(101))
        #expect(
            sentence.contains(
                "p: picture damaged: found a JPEG image with this fault: more than 100"),
            "\(sentence)")
    }

    /// A JPEG that is cut gives pixels all the same, grey where they are missing.
    @Test(arguments: ["plain.jpg", "progressive.jpg", "grey.jpg", "cmyk-adobe.jpg"])
    func cutJPEGs(_ name: String) throws {
        let whole = try fixture(name)
        // Whether only the end marker is missing tells nobody.
        #expect(said(whole) == "nothing thrown")
        for count in stride(from: 3, to: whole.count - 40, by: 23) {
            let sentence = said(Array(whole[..<count]))
            #expect(sentence.hasPrefix("p: picture "), "\(count): \(sentence)")
        }
        #expect(
            said(Array(whole[..<(whole.count - 60)]))
                == "p: picture cut off: found the end of the file before the end of a JPEG image "
                + "(was it copied or downloaded to the end?)")
        // An end marker after it changes nothing.
        #expect(said(whole[..<(whole.count - 60)] + [0xff, 0xd9]).contains("picture cut off"))
    }

    @Test(arguments: ["rgb.png", "palette-clear.png", "interlaced.png"])
    func cutPNGs(_ name: String) throws {
        let whole = try fixture(name)
        for count in stride(from: 9, to: whole.count, by: 17) {
            #expect(said(Array(whole[..<count])).contains("picture cut off"), "\(count)")
        }
    }

    @Test func changedBytes() throws {
        var png = try fixture("rgb.png")
        png[60] ^= 1
        #expect(said(png).contains("picture damaged: found a PNG image with this fault: "))
        // Ones only are a code that no table has: the library guesses and warns.
        var jpeg = try fixture("full-chroma.jpg")
        let start = jpeg.count - 300
        for i in start..<start + 60 { jpeg[i] = (i - start) % 2 == 0 ? 0xff : 0 }
        #expect(said(jpeg).contains("picture damaged: found a JPEG image with this fault: Corrupt"))
    }

    /// Not one flipped bit of a file ends the program, and a picture that comes out is whole.
    @Test(arguments: ["progressive.jpg", "cmyk-adobe.jpg", "palette-clear.png"])
    func flippedBits(_ name: String) throws {
        let whole = try fixture(name)
        var options = PictureOptions()
        options.limits.pixels = 100_000
        for at in whole.indices {
            var bytes = whole
            bytes[at] ^= 1 << UInt8(at % 8)
            if let picture = try? Picture(decoding: bytes, file: "p", options: options) {
                #expect(picture.bytes.count == picture.width * picture.height * picture.channels)
            }
        }
    }

    /// Texts and profiles that would fill the memory are passed over.
    @Test func extras() {
        let text = PNGFile.chunk(
            "zTXt", Array("a\0\0".utf8) + PNGFile.zlib([UInt8](repeating: 7, count: 9)))
        let broken = PNGFile.chunk("iCCP", [1, 2, 3])
        let extras = Array(repeatElement(text + broken, count: 600).joined())
        let file = PNGFile.make(width: 1, height: 1, rows: [0, 9], before: extras)
        #expect(said(file) == "nothing thrown")
    }

    @Test func mixedUp() {
        #expect(said(jpeg(scans: 0)).contains("picture damaged"))
        #expect(said([0xff, 0xd8, 0xff]).contains("picture cut off"))
        #expect(said([0xff, 0xd8, 0xff, 0xd9]).contains("no frame header"))
        #expect(said(PNGFile.signature).contains("picture cut off"))
        #expect(
            said(PNGFile.signature + PNGFile.chunk("IDAT", [UInt8](repeating: 0, count: 20)))
                .contains("no IHDR chunk"))
        #expect(said(PNGFile.make(width: 0, height: 1, rows: [0])).contains("a size of 0 x 1"))
        #expect(
            said(PNGFile.make(width: 1, height: 1, bits: 3, rows: [0, 0])).contains(
                "picture damaged"))
    }
}

struct FormatTests {
    private func said(_ bytes: [UInt8]) -> String {
        failure { try Picture(decoding: bytes, file: "p") }
    }

    /// The name of a file says nothing, its first bytes do.
    @Test func formats() {
        #expect(PictureFormat([0xff, 0xd8, 0xff, 0xe0]) == .jpeg)
        #expect(PictureFormat(PNGFile.signature) == .png)
        #expect(PictureFormat(Array("BM".utf8)) == .bmp)
        #expect(PictureFormat(Array("P6\n".utf8)) == .pnm)
        #expect(PictureFormat(Array("P4\n".utf8)) == nil)
        #expect(PictureFormat(Array("P6x".utf8)) == nil)
        #expect(PictureFormat([]) == nil)
    }

    @Test(arguments: [
        ("GIF89a", "a GIF image"), ("II*\0", "a TIFF image"), ("MM\0*", "a TIFF image"),
        ("RIFF....WEBPVP8 ", "a WebP image"), ("....ftypheic", "a HEIC image"),
        ("....ftypmif1", "a HEIC image"), ("....ftypavif", "an AVIF image"),
        ("....JXL ", "a JPEG XL image"), ("....jP  ", "a JPEG 2000 image"),
        ("8BPS", "a Photoshop document"), ("\0\0\u{1}\0", "an icon (ICO)"),
        ("P4\n1 1", "a PBM image"), ("P7\n", "a PAM image"), ("<svg xmlns=", "an SVG drawing"),
        ("<?xml version=\"1.0\"?>\n<!-- x -->\n<svg>", "an SVG drawing"),
    ])
    func otherKinds(_ bytes: String, _ kind: String) {
        #expect(
            said(Array(bytes.utf8))
                == "p: pictures of this kind are not read: found \(kind), expected JPEG, PNG, BMP, "
                + "PPM or PGM (convert it, for example to PNG)")
    }

    @Test func noPictures() {
        #expect(
            said(Array("some words\n".utf8))
                == "p: no picture: found text, expected JPEG, PNG, BMP, PPM or PGM")
        #expect(said([]).contains("found an empty file"))
        #expect(said(Array("<html>".utf8)).contains("found a web page (HTML)"))
        #expect(said([0xfe, 1, 2, 3]).contains("found bytes of no known kind"))
    }

    /// Without the libraries one line says what to install.
    @Test(.enabled(if: !Picture.readsJPEGAndPNG)) func withoutLibraries() {
        #expect(
            said(jpeg(scans: 1))
                == "p: this program was built without libjpeg and libpng: found a JPEG image "
                + "(install libjpeg-dev and libpng-dev and build without LIMBECK_IMAGES=none)")
        #expect(
            said(PNGFile.make(width: 1, height: 1, rows: [0, 0])).contains("found a PNG image"))
    }
}

struct OrientationTests {
    private func orientation(_ hex: [UInt8]) -> Orientation {
        Orientation(exif: hex, from: 0, to: hex.count)
    }

    private func block(
        _ order: String = "II", at directory: Int = 8, count: UInt8 = 1, tag: [UInt8] = [0x12, 1],
        type: UInt8 = 3, value: UInt8 = 6
    ) -> [UInt8] {
        Array(order.utf8) + [42, 0] + little(directory) + [count, 0]
            + tag + [type, 0] + little(1) + [value, 0, 0, 0] + little(0)
    }

    @Test func wellFormed() {
        for value in 1...8 {
            #expect(orientation(block(value: UInt8(value))).rawValue == value)
        }
        let mm: [UInt8] =
            Array("MM\0*".utf8) + big(8) + [0, 1, 1, 0x12, 0, 3] + big(1) + [0, 8, 0, 0]
        #expect(orientation(mm) == .rotated270)
        // Behind another entry.
        let second: [UInt8] =
            Array("II".utf8) + [42, 0] + little(8) + [2, 0] + [0, 1, 3, 0] + little(1, 9)
            + [0x12, 1, 3, 0] + little(1, 3)
        #expect(orientation(second) == .rotated180)
    }

    @Test func odd() {
        for bytes in [
            block("XX"), block(at: 0), block(at: 7), block(at: 1 << 31), block(at: 0xffff_ffff),
            block(tag: [0x13, 1]), block(type: 4), block(value: 0), block(value: 9),
            block(count: 0), [], Array("II".utf8), Array(block().prefix(19)),
        ] {
            #expect(orientation(bytes) == .upright, "\(bytes)")
        }
        // The end of the block counts, not that of the file.
        #expect(Orientation(exif: block(), from: 0, to: 16) == .upright)
        #expect(Orientation(exif: block(), from: 5, to: 99) == .upright)
    }
}
