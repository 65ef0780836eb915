import CZlib
import Foundation
import Testing

@testable import Report

/// A PNG, taken apart with zlib alone.
private struct Decoded {
    var width = 0
    var height = 0
    var kind: UInt8 = 0
    /// Rows of pixels, without the filter bytes.
    var rows: [[UInt8]] = []

    init(_ file: [UInt8]) throws {
        func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        #expect(Array(file.prefix(8)) == [137, 80, 78, 71, 13, 10, 26, 10])
        var names: [String] = []
        var packed: [UInt8] = []
        var at = 8
        while at < file.count {
            let length = number(at)
            let body = Array(file[at + 4..<at + 8 + length])
            #expect(Int(crc32(0, body, uInt(body.count))) == number(at + 8 + length))
            names.append(String(decoding: body.prefix(4), as: UTF8.self))
            if names.last == "IHDR" {
                (width, height, kind) = (number(at + 8), number(at + 12), body[13])
                #expect(body[12] == 8 && body.suffix(3).allSatisfy { $0 == 0 })
            } else {
                packed += body.dropFirst(4)
            }
            at += 12 + length
        }
        #expect(names == ["IHDR", "IDAT", "IEND"])
        let values = [0: 1, 2: 3, 4: 2, 6: 4][kind]!
        let line = width * values + 1
        var length = uLong(height * line)
        var out = [UInt8](repeating: 0, count: Int(length))
        #expect(uncompress(&out, &length, packed, uLong(packed.count)) == Z_OK)
        #expect(Int(length) == out.count)
        for y in 0..<height {
            #expect(out[y * line] == 0)
            rows.append(Array(out[y * line + 1..<(y + 1) * line]))
        }
    }

    /// The picture inside an SVG.
    init(svg: String) throws {
        let match = try #require(svg.firstMatch(of: /href="data:image\/png;base64,([^"]*)"/))
        let data = try #require(Data(base64Encoded: String(match.1)))
        try self.init(Array(data))
    }
}

@Suite struct ImageGridTests {
    private let grey = ImageGrid(
        title: "Grey",
        rows: [
            .init(name: "a & <b>", images: [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]),
            .init(name: "empty", images: [nil, [13, 14, 15, 16, 17]]),
        ], columns: ["first", "last"], width: 3, height: 2, channels: 1)

    /// Two images of 3 x 2 beside one another with a clear column between, and a clear row below.
    @Test func greyPixelsAreTheImages() throws {
        let png = try Decoded(svg: grey.svg())
        #expect(png.width == 7 && png.height == 5 && png.kind == 4)
        let clear = [UInt8](repeating: 0, count: 14)
        #expect(
            png.rows == [
                [1, 255, 2, 255, 3, 255, 0, 0, 7, 255, 8, 255, 9, 255],
                [4, 255, 5, 255, 6, 255, 0, 0, 10, 255, 11, 255, 12, 255],
                clear, clear, clear,  // missing, and of a wrong size
            ])
    }

    @Test func coloursComeFromTheirChannels() throws {
        let image: [UInt8] = [1, 2, 3, 4, 50, 60, 70, 80, 91, 92, 93, 94]  // 3 x 2 x 2
        let grid = ImageGrid(
            title: "", rows: [.init(name: "x", images: [image])], columns: [], width: 2, height: 2,
            channels: 3)
        let png = try Decoded(svg: grid.svg())
        #expect(png.width == 2 && png.height == 2 && png.kind == 6)
        #expect(png.rows == [[1, 50, 91, 255, 2, 60, 92, 255], [3, 70, 93, 255, 4, 80, 94, 255]])
    }

    @Test(arguments: [PNG.Kind.grey, .colour, .greyAlpha, .colourAlpha])
    func anyPixelsComeBack(_ kind: PNG.Kind) throws {
        var state: UInt32 = 7
        let (width, height) = (37, 19)
        let pixels = (0..<width * height * kind.values).map { i -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return i % 5 == 0 ? 0 : UInt8(state >> 24)
        }
        let png = try Decoded(
            PNG.encoded(width: width, height: height, kind: kind, pixels: pixels))
        #expect(png.width == width && png.height == height && png.kind == kind.rawValue)
        #expect(png.rows.flatMap { $0 } == pixels)
    }

    @Test func theDrawingSaysWhatItShows() throws {
        let seen = try #require(WellFormed.read(grey.svg()))
        #expect(seen.elements["image"] == 1)
        #expect(seen.text.contains("Rows: a & <b>, empty. Columns: first, last."))
        // Three by two pixels are drawn 18 times as large.
        #expect(seen.attributes.contains("width=126") && seen.attributes.contains("height=90"))
        #expect(seen.attributes.contains("style=image-rendering:pixelated"))
    }

    @Test func whatCannotBeDrawnSaysSo() throws {
        var grid = grey
        grid.rows = []
        grid.columns = []
        #expect(grid.svg().contains("no images to show"))
        grid = grey
        grid.rows = [ImageGrid.Row](repeating: grey.rows[0], count: 101)
        #expect(grid.svg().contains("101 x 2 images of 3 x 2 pixels are too many to draw"))
        for (width, height, channels) in [(0, 2, 1), (-3, -2, 1), (3, 2, 0), (Int.max, 2, 1)] {
            grid = grey
            (grid.width, grid.height, grid.channels) = (width, height, channels)
            #expect(WellFormed.read(grid.svg())?.elements["image"] == nil)
        }
    }

    @Test func aPageHoldsItsImages() throws {
        let html = try RunPage(title: "t", imageGrids: [grey]).html()
        let seen = try #require(WellFormed.read(html))
        #expect(html.contains("<h2>Images</h2>") || html.contains(">Images</h2>"))
        let loads = seen.attributes.filter { $0.hasPrefix("src=") || $0.hasPrefix("href=") }
        #expect(loads.allSatisfy { $0.hasPrefix("href=data:") } && loads.count == 2)
        #expect(try Decoded(svg: html).rows.count == 5)
    }

    @Test func theWayThroughAFileLosesNothing() throws {
        let json = try JSONEncoder().encode(grey)
        #expect(try JSONDecoder().decode(ImageGrid.self, from: json) == grey)
        #expect(String(decoding: json, as: UTF8.self).contains(#""AQIDBAUG""#))
    }
}
