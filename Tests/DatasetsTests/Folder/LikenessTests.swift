import Foundation
import Pictures
import Randomness
import Testing

@testable import Datasets

struct LikenessTests {
    /// Smooth noise, so that it survives being made smaller.
    private func picture(_ seed: UInt64, side: Int = 64) -> Picture {
        var draw = Draw(seed: seed, .tests)
        let waves = (0..<12).map { _ in
            (draw.uniform() * 0.2, draw.uniform() * 0.2, draw.uniform() * 6)
        }
        let pixels = (0..<side * side).map { i -> UInt8 in
            let (y, x) = i.quotientAndRemainder(dividingBy: side)
            let scale = 64.0 / Double(side)
            let sum = waves.reduce(0.0) {
                $0 + sin($1.0 * Double(x) * scale + $1.1 * Double(y) * scale + $1.2)
            }
            return UInt8(max(0, min(255, 127 + 20 * sum)))
        }
        return Picture(width: side, height: side, channels: 1, bytes: pixels)
    }

    private func thumbnail(_ picture: Picture) -> [UInt8] { Likeness.thumbnail(of: picture) }

    @Test func copies() {
        var thumbnails = (0..<30).map { thumbnail(picture($0)) }
        let original = picture(3)
        // Smaller, brighter, with noise.
        let small = PictureShape(height: 40, width: 40).resampled(original)
        var bright = original
        for i in bright.bytes.indices {
            bright.bytes[i] = UInt8(min(255, Int(bright.bytes[i]) + 6))
        }
        var noisy = original
        var draw = Draw(seed: 9, .tests)
        for i in noisy.bytes.indices {
            let value = Int(noisy.bytes[i]) + draw.below(9) - 4
            noisy.bytes[i] = UInt8(max(0, min(255, value)))
        }
        thumbnails += [small, bright, noisy].map(thumbnail)
        let pairs = Likeness.pairs(thumbnails)
        #expect(Set(pairs.filter { $0.0 == 3 }.map(\.1)) == [30, 31, 32])
        #expect(pairs.allSatisfy { $0.0 == 3 || $0.0 >= 30 })
    }

    @Test func others() {
        let original = picture(3)
        let mirrored = original.bytes.indices.map { original.bytes[$0 / 64 * 64 + 63 - $0 % 64] }
        let dark = original.bytes.map { $0 / 2 }
        let others = [mirrored, dark].map {
            Picture(width: 64, height: 64, channels: 1, bytes: $0)
        }
        let flat = [UInt8](repeating: 200, count: 256)
        let nearlyFlat = [UInt8](repeating: 200, count: 255) + [203]
        #expect(
            Likeness.pairs(([original] + others).map(thumbnail) + [flat, flat, nearlyFlat]).isEmpty)
        #expect(Likeness.pairs([]).isEmpty)
    }

    /// Images of which nobody copied one are hardly ever taken for copies.
    @Test func differentImages() throws {
        let data = try Dataset.embedded(.test)
        guard case .images(let bytes, _, _, _) = data.features else { return }
        let thumbnails = (0..<data.count).map { i in
            thumbnail(
                Picture(
                    width: 28, height: 28, channels: 1,
                    bytes: Array(bytes[i * 784..<(i + 1) * 784])))
        }
        #expect(Likeness.pairs(thumbnails).count <= 1)
    }

    // MARK: In a folder

    private func pgm(_ picture: Picture) -> [UInt8] {
        Array("P5 \(picture.width) \(picture.height) 255\n".utf8) + picture.bytes
    }

    @Test func splits() throws {
        let folder = try PictureScratch()
        for k in 0..<20 { try folder.write("\(k % 2)/\(k).pgm", pgm(picture(UInt64(k)))) }
        // Copies of two pictures in the other class, at another size.
        try folder.write("1/copy0.pgm", pgm(picture(0, side: 80)))
        try folder.write("0/copy1.pgm", pgm(picture(1, side: 80)))
        func load(_ groups: Bool) throws -> SourceSamples {
            try folder.load {
                $0.size = [16, 16]
                $0.groupsAlike = groups
            }
        }
        #expect(try load(false).learning.groups == nil)
        let data = try load(true).learning
        let groups = try #require(data.groups)
        let ids = try #require(data.ids)
        func group(_ id: String) -> Int { groups[ids.firstIndex(of: id)!] }
        #expect(group("0/0.pgm") == group("1/copy0.pgm"))
        #expect(group("1/1.pgm") == group("0/copy1.pgm"))
        #expect(Set(groups).count == 20)
        for seed in 0..<5 {
            let split = try Split.make(data, validation: 0.2, test: 0.2, seed: UInt64(seed))
            for part in [split.train, split.validation, split.test] {
                let members = Set(part)
                for id in ["0/0.pgm", "1/1.pgm"] {
                    let copy = id == "0/0.pgm" ? "1/copy0.pgm" : "0/copy1.pgm"
                    #expect(
                        members.contains(ids.firstIndex(of: id)!)
                            == members.contains(ids.firstIndex(of: copy)!))
                }
            }
        }
    }

    @Test func testPicturesThatLookAlike() throws {
        let folder = try PictureScratch()
        for k in 0..<6 { try folder.write("train/\(k % 2)/\(k).pgm", pgm(picture(UInt64(k)))) }
        try folder.write("test/0/a.pgm", pgm(picture(0, side: 80)))
        try folder.write("test/1/b.pgm", pgm(picture(77)))
        let samples = try folder.load {
            $0.size = [16, 16]
            $0.groupsAlike = true
        }
        #expect(
            samples.warnings == [
                "1 test pictures look like training pictures: the test accuracy may be too good to be true"
            ])
        #expect(samples.learning.groups == nil)
    }

    /// A series of one motive would leave nothing to split.
    @Test func tooMuchAlike() throws {
        let folder = try PictureScratch()
        for k in 0..<12 {
            var one = picture(1)
            one.bytes[k] ^= 64
            try folder.write("\(k % 2)/\(k).pgm", pgm(one))
        }
        let samples = try folder.load {
            $0.size = [16, 16]
            $0.groupsAlike = true
        }
        #expect(samples.learning.groups == nil)
        #expect(samples.warnings.count == 1)
        #expect(samples.warnings[0].hasPrefix("12 of 12 pictures look so much alike"))
    }
}
