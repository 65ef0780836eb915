import Foundation
import Testing

@testable import Pictures

struct ResamplingTests {
    private static let sizes = [(32, 32), (8, 13), (90, 70), (61, 20), (1, 1)]

    /// To the last grey level what Pillow's BILINEAR makes of it.
    @Test(arguments: sizes)
    func bilinear(_ width: Int, _ height: Int) throws {
        let shape = PictureShape(height: height, width: width)
        #expect(
            try shape.resampled(expected("large"))
                == expected("large-bilinear-\(width)x\(height)"))
    }

    /// Means over areas; rows are rounded before columns are taken.
    @Test(arguments: sizes)
    func area(_ width: Int, _ height: Int) throws {
        let shape = PictureShape(height: height, width: width, resampling: .area)
        let gap = try difference(
            shape.resampled(expected("large")), expected("large-area-\(width)x\(height)"))
        #expect(gap.most <= 1 && gap.mean < 0.01, "\(gap)")
    }

    @Test func crop() throws {
        let shape = PictureShape(height: 20, width: 20, fit: .crop)
        #expect(try shape.resampled(expected("large")) == expected("large-bilinear-crop-20x20"))
        let tall = PictureShape(height: 2, width: 1, fit: .crop, resampling: .area)
        let rows = Picture(width: 4, height: 2, channels: 1, bytes: [9, 10, 30, 9, 9, 20, 60, 9])
        // One column of the middle, half of each of two.
        #expect(tall.resampled(rows).bytes == [20, 40])
    }

    @Test func pad() {
        let shape = PictureShape(height: 3, width: 2, fit: .pad, resampling: .area)
        let wide = Picture(width: 4, height: 2, channels: 1, bytes: [1, 3, 5, 7, 1, 3, 5, 7])
        #expect(shape.resampled(wide, background: [9, 9, 9]).bytes == [9, 9, 2, 6, 9, 9])
        let dot = Picture(
            width: 1, height: 100, channels: 1, bytes: [UInt8](repeating: 4, count: 100))
        #expect(shape.resampled(dot).bytes == [4, 255, 4, 255, 4, 255])
    }

    @Test func sameSize() throws {
        let picture = try expected("large")
        for resampling in Resampling.allCases {
            let shape = PictureShape(height: 47, width: 61, resampling: resampling)
            #expect(shape.resampled(picture) == picture)
        }
    }

    /// Literal numbers: a 4-pixel row to two, by area halves, linear (1, 3, 3, 1)/8 with the border's share left out.
    @Test func literal() {
        let row = Picture(width: 4, height: 1, channels: 1, bytes: [0, 80, 160, 240])
        let area = PictureShape(height: 1, width: 2, resampling: .area).resampled(row)
        #expect(area.bytes == [40, 200])
        let linear = PictureShape(height: 1, width: 2).resampled(row)
        // (3·0 + 3·80 + 1·160)/7 = 57.1
        #expect(linear.bytes == [57, 183])
    }

    /// From an eighth of a JPEG about the same comes out as from all of it.
    @Test(.enabled(if: Picture.readsJPEGAndPNG)) func smallerDecoding() throws {
        let shape = PictureShape(height: 12, width: 16)
        let picture = try shape.picture(
            fixture("photograph.jpg"), file: "", options: PictureOptions())
        let gap = try difference(picture, expected("photograph-16x12"))
        #expect(gap.mean < 1.5 && gap.most <= 8, "\(gap)")
    }
}
