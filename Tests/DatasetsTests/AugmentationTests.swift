import Diagnostics
import Testing

@testable import Datasets

@Suite struct AugmentationTests {
    /// A 2-channel 2×3 image: 1 2 3 / 4 5 6 and 11 12 13 / 14 15 16.
    static let picture: [UInt8] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]

    func apply(_ change: Augmentation.Change, _ layout: BatchPlan.Layout = .channelsFirst) throws
        -> [Int]
    {
        // Mean 0 and std 1/255 give the bytes back.
        let norm = try Normalisation(mean: [0, 0], std: [1 / 255, 1 / 255])
        let writer = FeatureWriter([2, 2, 3], norm, layout)
        var out = [Float](repeating: -1, count: 12)
        writer.image(Self.picture, to: &out, change)
        return out.map { Int($0.rounded()) }
    }

    @Test func cropsByHand() throws {
        #expect(try apply(.init()) == Self.picture.map { Int($0) })
        #expect(try apply(.init(down: 1)) == [4, 5, 6, 0, 0, 0, 14, 15, 16, 0, 0, 0])
        #expect(try apply(.init(down: -1)) == [0, 0, 0, 1, 2, 3, 0, 0, 0, 11, 12, 13])
        #expect(try apply(.init(right: 1)) == [2, 3, 0, 5, 6, 0, 12, 13, 0, 15, 16, 0])
        #expect(try apply(.init(right: -2)) == [0, 0, 1, 0, 0, 4, 0, 0, 11, 0, 0, 14])
        #expect(
            try apply(.init(down: -1, right: 1)) == [0, 0, 0, 2, 3, 0, 0, 0, 0, 12, 13, 0])
    }

    @Test func flipsByHand() throws {
        #expect(
            try apply(.init(flipped: true)) == [3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14])
        #expect(
            try apply(.init(right: 1, flipped: true)) == [0, 3, 2, 0, 6, 5, 0, 13, 12, 0, 16, 15])
    }

    @Test func channelsLastIsTheSamePicture() throws {
        #expect(
            try apply(.init(right: 1, flipped: true), .channelsLast)
                == [0, 0, 3, 13, 2, 12, 0, 0, 6, 16, 5, 15])
    }

    /// The frame is black before normalisation, so not 0 after it.
    @Test func frameIsBlack() throws {
        let writer = FeatureWriter(
            [1, 1, 2], try Normalisation(mean: [0.5], std: [0.25]), .channelsFirst)
        var out: [Float] = [9, 9]
        writer.image([255, 255], to: &out, .init(right: 1))
        #expect(out == [2, -2])
    }

    @Test func drawsCoverTheirRangeAndDependOnTheKey() {
        let augmentation = Augmentation(padding: 2, flip: true)
        var counts: [String: Int] = [:]
        for sample in 0..<5000 {
            let change = augmentation.change(seed: 5, epoch: 3, sample: sample)
            counts["\(change.down) \(change.right) \(change.flipped)", default: 0] += 1
        }
        #expect(counts.count == 50)
        // Each of 50 outcomes has mean 100, sd 9.9: six sd either side.
        #expect(counts.values.allSatisfy { 40...160 ~= $0 })

        func differing(_ other: (Int) -> Augmentation.Change) -> Int {
            (0..<500).count { augmentation.change(seed: 5, epoch: 3, sample: $0) != other($0) }
        }
        #expect(differing { augmentation.change(seed: 5, epoch: 3, sample: $0) } == 0)
        #expect(differing { augmentation.change(seed: 6, epoch: 3, sample: $0) } > 450)
        #expect(differing { augmentation.change(seed: 5, epoch: 4, sample: $0) } > 450)
        #expect(differing { augmentation.change(seed: 5, epoch: 3, sample: $0 + 500) } > 450)
        #expect(differing { augmentation.change(seed: 5, epoch: 3, sample: $0, view: 1) } > 450)
    }

    @Test func flipDoesNotMoveTheCrops() {
        let with = Augmentation(padding: 3, flip: true)
        let without = Augmentation(padding: 3)
        for sample in 0..<100 {
            let a = with.change(seed: 1, epoch: 0, sample: sample)
            let b = without.change(seed: 1, epoch: 0, sample: sample)
            #expect(a.down == b.down && a.right == b.right && !b.flipped)
        }
    }

    @Test func refused() throws {
        let images = try someImages(4)
        let table = try Dataset(
            name: "t", features: .table([1, 2], columns: ["a"]), labels: [0, 1],
            classNames: ["x", "y"])
        func plan(_ data: Dataset, _ augmentation: Augmentation) -> String {
            failure {
                try BatchPlan(
                    data, members: [0], batchSize: 1, seed: 1, augmentation: augmentation)
            }
        }
        #expect(
            plan(table, .init(flip: true))
                == "t: crops and flips are for images: found a table (augmentation.noise and augmentation.drop are for tables)"
        )
        #expect(
            plan(images, .init(padding: 4)) == "crop padding out of range: found 4, expected 0 to 3"
        )
        #expect(
            plan(images, .init(padding: -1))
                == "crop padding out of range: found -1, expected 0 to 3")
    }
}
