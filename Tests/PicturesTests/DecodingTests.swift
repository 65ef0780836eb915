import Diagnostics
import Foundation
import Testing

@testable import Pictures

/// What pictures are decoded to, beside what other programs decode them to (`pictures.py`).
@Suite(.enabled(if: Picture.readsJPEGAndPNG))
struct DecodingTests {
    @Test(arguments: [
        "plain.jpg", "full-chroma.jpg", "progressive.jpg", "grey.jpg", "cmyk-adobe.jpg",
        "ycck-adobe.jpg", "cmyk-plain.jpg",
    ])
    func jpegs(_ name: String) throws {
        let picture = try Picture(decoding: fixture(name), file: name)
        let gap = try difference(picture, expected(name))
        #expect(gap.mean < 0.5 && gap.most <= 3, "\(gap)")
    }

    @Test(arguments: [
        "rgb.png", "grey.png", "interlaced.png", "alpha.png", "grey-alpha.png", "deep.png",
        "deep-grey.png", "palette.png", "palette-clear.png", "two-bits.png",
        "one-colour-clear.png", "turned-6.png", "rgb.bmp", "palette.bmp", "one-bit.bmp",
    ])
    func exactly(_ name: String) throws {
        #expect(try Picture(decoding: fixture(name), file: name) == expected(name))
    }

    /// The library rounds colour and alpha of 16 bits before they meet the background.
    @Test func deepAlpha() throws {
        let picture = try Picture(decoding: fixture("deep-alpha.png"), file: "")
        #expect(try difference(picture, expected("deep-alpha.png")).most <= 1)
    }

    @Test(arguments: 1...8)
    func orientations(_ number: Int) throws {
        let name = "turned-\(number).jpg"
        let bytes = try fixture(name)
        #expect(try PictureHeader(bytes, file: name).orientation.rawValue == number)
        let picture = try Picture(decoding: bytes, file: name)
        let gap = try difference(picture, expected(name))
        #expect(gap.mean < 0.5 && gap.most <= 3, "\(gap)")
        var ignoring = PictureOptions()
        ignoring.appliesOrientation = false
        let stored = try Picture(decoding: bytes, file: name, options: ignoring)
        #expect((stored.width, stored.height) == (12, 7))
        #expect(try difference(stored, expected("turned-1.jpg")).most <= 3)
    }

    @Test func channelsAndBackgrounds() throws {
        var options = PictureOptions()
        options.channels = 1
        let colour = try expected("plain.jpg")
        let grey = try Picture(decoding: fixture("plain.jpg"), file: "", options: options)
        #expect(difference(grey, colour.converted(to: 1)).most <= 2)
        options.channels = 3
        let wide = try Picture(decoding: fixture("grey.png"), file: "", options: options)
        #expect(try wide == expected("grey.png").converted(to: 3))

        // Half of it can be looked through.
        let rows: [UInt8] = [0, 100, 128, 200, 0]
        let file = PNGFile.make(width: 2, height: 1, colours: 4, rows: rows)
        var before = PictureOptions()
        before.background = [0, 0, 0]
        #expect(
            try Picture(decoding: file, file: "", options: before)
                == Picture(width: 2, height: 1, channels: 1, bytes: [50, 0]))
        before.background = [0, 255, 0]
        #expect(
            try Picture(decoding: file, file: "", options: before).bytes == [
                50, 177, 50, 0, 255, 0,
            ]
        )
    }

    /// White, black, and the three colours, as Pillow weighs them.
    @Test func greyOfColours() {
        let colours: [UInt8] = [255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
        let picture = Picture(width: 5, height: 1, channels: 3, bytes: colours)
        #expect(picture.converted(to: 1).bytes == [255, 0, 76, 150, 29])
        #expect(picture.planes == [255, 0, 255, 0, 0, 255, 0, 0, 255, 0, 255, 0, 0, 0, 255])
    }

    /// A smaller decoding is only taken where enough pixels are left.
    @Test func smallerDecodings() throws {
        let bytes = try fixture("photograph.jpg")
        func size(_ least: (Int, Int)?) throws -> [Int] {
            let picture = try Picture(
                decoding: bytes, file: "", least: least.map { (width: $0.0, height: $0.1) })
            return [picture.width, picture.height]
        }
        #expect(try size(nil) == [200, 150])
        #expect(try size((101, 1)) == [200, 150])
        #expect(try size((100, 75)) == [100, 75])
        #expect(try size((1, 38)) == [100, 75])
        #expect(try size((50, 37)) == [50, 38])
        #expect(try size((1, 1)) == [25, 19])
        let turned = try fixture("turned-6.jpg")
        let picture = try Picture(decoding: turned, file: "", least: (3, 6))
        #expect((picture.width, picture.height) == (4, 6))
    }
}

/// Formats that need no library.
struct PlainFormatTests {
    private func decode(_ bytes: [UInt8]) throws -> Picture {
        try Picture(decoding: bytes, file: "p")
    }

    private func decode(_ text: String) throws -> Picture { try decode(Array(text.utf8)) }

    @Test func textsOfNumbers() throws {
        let grey = try decode("P2 # a comment\n3 2\n# another\n15\n0 15 5\n10\t3 0")
        #expect(
            grey == Picture(width: 3, height: 2, channels: 1, bytes: [0, 255, 85, 170, 51, 0]))
        let colour = try decode("P3\r\n1 2 255 1 2 3 4 5 6 and more")
        #expect(colour == Picture(width: 1, height: 2, channels: 3, bytes: [1, 2, 3, 4, 5, 6]))
    }

    @Test func bytesOfNumbers() throws {
        #expect(try decode(Array("P5 2 1 255\n".utf8) + [7, 35]).bytes == [7, 35])
        #expect(try decode(Array("P5 2 1 65535\n".utf8) + [1, 0, 255, 255]).bytes == [1, 255])
        #expect(try decode(Array("P6 1 1 3\n".utf8) + [0, 1, 3]).bytes == [0, 85, 255])
    }

    @Test(arguments: [
        ("P2 2 2 255 1 2 3", "p: picture cut off"), ("P2 2 2 255 1 2 3 x", "no number at byte 17"),
        ("P2 2 2 255 1 2 3 256", "a number above 255 at byte 17"),
        ("P2 2 2 0 1 2 3 4", "a greatest value of 0"), ("P5 2 2 255\nabc", "p: picture cut off"),
        ("P5 1 1 9\nabc", "a value of 97 above 9"), ("P5 0 1 9\nabc", "a size of 0 x 1"),
        ("P5 1", "p: picture cut off"), ("P6 99999999999 1 9 ", "a number above 1073741824"),
        ("P6 100000 100000 255 ", "picture too large: found 100000 x 100000 pixels"),
        ("P2 7000 7000 255 1", "p: picture cut off"),
    ])
    func badNumbers(_ text: String, _ sentence: String) {
        let said = failure { try decode(text) }
        #expect(said.contains(sentence), "\(said)")
    }

    /// - Parameter dib: what follows width and height.
    private func bmp(
        _ width: Int, _ height: Int, bits: Int, compression: Int = 0, colours: Int = 0,
        palette: [UInt8] = [], pixels: [UInt8]
    ) -> [UInt8] {
        let start = 54 + palette.count
        return Array("BM".utf8) + little(start + pixels.count, 0, start)
            + little(40, width, height, 1 | bits << 16, compression, 0, 0, 0, colours, 0)
            + palette + pixels
    }

    @Test func bitmaps() throws {
        // Rows of 8 bytes, the lower one first.
        let rows: [UInt8] = [3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0]
        #expect(
            try decode(bmp(2, 2, bits: 24, pixels: rows)).bytes
                == [7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6])
        #expect(
            try decode(bmp(2, -2, bits: 24, pixels: rows)).bytes
                == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(try decode(bmp(1, 1, bits: 32, pixels: [3, 2, 1, 0])).bytes == [1, 2, 3])
        let palette: [UInt8] = [3, 2, 1, 0, 6, 5, 4, 0]
        #expect(
            try decode(bmp(2, 1, bits: 8, colours: 2, palette: palette, pixels: [1, 0, 0, 0])).bytes
                == [4, 5, 6, 1, 2, 3])
        #expect(
            try decode(bmp(2, 1, bits: 4, colours: 2, palette: palette, pixels: [16, 0, 0, 0]))
                .bytes == [4, 5, 6, 1, 2, 3])
        #expect(
            try decode(bmp(3, 1, bits: 1, palette: palette, pixels: [0b0110_0000, 0, 0, 0])).bytes
                == [1, 2, 3, 4, 5, 6, 4, 5, 6])
        // The last row need not be padded.
        #expect(try decode(bmp(1, 1, bits: 24, pixels: [3, 2, 1])).bytes == [1, 2, 3])
        // The first header of all: sizes of 16 bits, a palette of three bytes.
        let old: [UInt8] =
            Array("BM".utf8) + little(0, 0, 32, 12) + [1, 0, 1, 0, 1, 0, 1, 0]
            + [3, 2, 1, 6, 5, 4, 128, 0, 0, 0]
        #expect(try decode(old).bytes == [4, 5, 6])
        let masks = little(0xff0000, 0xff00, 0xff)
        #expect(
            try decode(bmp(1, 1, bits: 32, compression: 3, palette: masks, pixels: [3, 2, 1, 0]))
                .bytes == [1, 2, 3])
    }

    @Test func badBitmaps() {
        func said(_ bytes: [UInt8]) -> String { failure { try decode(bytes) } }
        #expect(said(bmp(2, 1, bits: 24, pixels: [1, 2, 3, 4, 5])).contains("picture cut off"))
        #expect(said(Array("BM".utf8)).contains("picture cut off"))
        #expect(said(bmp(0, 1, bits: 24, pixels: [])).contains("a size of 0 x 1"))
        #expect(said(bmp(-1, 1, bits: 24, pixels: [])).contains("a size of -1 x 1"))
        #expect(said(bmp(1 << 30, 1 << 30, bits: 24, pixels: [])).contains("picture too large"))
        #expect(said(bmp(1, 1, bits: 16, pixels: [1, 2])).contains("16 bits for a pixel"))
        #expect(
            said(bmp(1, 1, bits: 8, compression: 1, pixels: [1, 2]))
                == "p: pictures of this kind are not read: found a BMP image with compression 1, "
                + "expected one without compression, with 1, 4, 8, 24 or 32 bits for a pixel "
                + "(convert it, for example to PNG)")
        #expect(
            said(bmp(1, 1, bits: 8, colours: 1, palette: [1, 2, 3, 4], pixels: [1, 0, 0, 0]))
                .contains("a colour that is not in the palette"))
        #expect(said(bmp(1, 1, bits: 8, colours: 300, pixels: [1])).contains("picture cut off"))
    }
}
