import Foundation
import Testing

@testable import Datasets

/// Random views against an independent fixture (scripts/fixtures/views.py), and what is drawn.
@Suite struct ViewTests {
    struct Fixture: Decodable {
        struct Case: Decodable {
            struct Step: Decodable {
                var name: String
                var factor: Float
            }
            var image: String
            var top: Int
            var left: Int
            var height: Int
            var width: Int
            var flipped: Bool
            var jitter: [Step]
            var grey: Bool
            var values: [Double]

            var change: Views.Change {
                .init(
                    top: top, left: left, height: height, width: width, flipped: flipped,
                    jitter: jitter.map {
                        switch $0.name {
                        case "brightness": .brightness($0.factor)
                        case "contrast": .contrast($0.factor)
                        case "saturation": .saturation($0.factor)
                        default: .hue($0.factor)
                        }
                    }, grey: grey)
            }
        }
        var images: [String: [UInt8]]
        var cases: [Case]
    }

    static func fixture() throws -> Fixture {
        let url = try #require(
            Bundle.module.url(forResource: "views", withExtension: "json", subdirectory: "Fixtures")
        )
        return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }

    private func window(_ c: Views.Change) -> [Int] { [c.top, c.left, c.height, c.width] }

    @Test func everyOperationMeetsTheFixture() throws {
        let fixture = try Self.fixture()
        #expect(fixture.cases.count == 32)
        for (number, own) in fixture.cases.enumerated() {
            let channels = own.image == "colour" ? 3 : 1
            var writer = ViewWriter([channels, 6, 5])
            writer.apply(own.change, to: fixture.images[own.image]!)
            for (i, (found, expected)) in zip(writer.image, own.values).enumerated() {
                #expect(abs(Double(found) - expected) < 2e-6, "case \(number), value \(i)")
            }
            #expect(writer.image.count == own.values.count)
        }
    }

    /// All views of a batch, in both layouts, are what the parts make of each sample alone.
    @Test(arguments: [BatchPlan.Layout.channelsFirst, .channelsLast])
    func batchesHoldAllViews(_ layout: BatchPlan.Layout) throws {
        let data = try someImages(10, channels: 3, height: 6, width: 5)
        let views = Views()
        let norm = try Normalisation(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2])
        let plan = try BatchPlan(
            data, members: Array(0..<10), batchSize: 4, seed: 5, views: views, normalisation: norm,
            layout: layout)
        let batch = plan.batch(epoch: 2, step: 1)
        #expect(batch.indices.count == 4)
        let shape = layout == .channelsFirst ? [8, 3, 6, 5] : [8, 6, 5, 3]
        #expect(batch.shape == shape)
        guard case .images(let bytes, _, _, _) = data.features else { return }
        for row in 0..<8 {
            let sample = batch.indices[row % 4]
            let change = views.change(
                seed: 5, epoch: 2, sample: sample, view: row / 4, height: 6, width: 5)
            var writer = ViewWriter([3, 6, 5])
            writer.apply(change, to: Array(bytes[sample * 90..<(sample + 1) * 90]))
            for channel in 0..<3 {
                for i in 0..<30 {
                    let at = layout == .channelsFirst ? channel * 30 + i : i * 3 + channel
                    let expected =
                        (writer.image[channel * 30 + i] - norm.mean[channel])
                        / norm.std[channel]
                    #expect(batch.features[row * 90 + at] == expected)
                }
            }
        }
        // The same bytes whoever asks, and whenever; other ones in another epoch and for another view.
        #expect(plan.batch(epoch: 2, step: 1) == batch)
        #expect(plan.batch(epoch: 3, step: 1).features != batch.features)
        #expect(Array(batch.features.prefix(360)) != Array(batch.features.suffix(360)))
    }

    @Test func windowsAreInsideAndOfTheirArea() {
        let views = Views(scale: [0.3, 0.6], ratio: 1.5, jitter: 1, grey: 0.25)
        var flips = 0
        var greys = 0
        var area = 0.0
        var orders: Set<[Int]> = []
        for sample in 0..<2000 {
            let c = views.change(seed: 1, epoch: 0, sample: sample, view: 0, height: 32, width: 32)
            #expect(c.top >= 0 && c.left >= 0 && c.height > 0 && c.width > 0)
            #expect(c.top + c.height <= 32 && c.left + c.width <= 32)
            let share = Double(c.height * c.width) / 1024
            #expect(share > 0.27 && share < 0.65)
            let shape = Double(c.width) / Double(c.height)
            #expect(shape > 0.6 && shape < 1.66)
            area += share
            flips += c.flipped ? 1 : 0
            greys += c.grey ? 1 : 0
            #expect(c.jitter.count == 4)
            orders.insert(
                c.jitter.map {
                    switch $0 {
                    case .brightness(let f):
                        #expect(f >= 0.6 && f <= 1.4)
                        return 0
                    case .contrast: return 1
                    case .saturation: return 2
                    case .hue(let h):
                        #expect(abs(h) <= 0.1)
                        return 3
                    }
                })
        }
        #expect(abs(area / 2000 - 0.45) < 0.01)
        #expect(abs(flips - 1000) < 100)
        #expect(abs(greys - 500) < 90)
        #expect(orders.count == 24)
    }

    /// Options do not move one another's draws.
    @Test func drawsAreSeparate() {
        let all = Views()
        let none = Views(
            flip: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, jitter: 0, grey: 0)
        for sample in 0..<50 {
            let a = all.change(seed: 9, epoch: 1, sample: sample, view: 1, height: 20, width: 30)
            let b = none.change(seed: 9, epoch: 1, sample: sample, view: 1, height: 20, width: 30)
            #expect(window(a) == window(b))
            #expect(!b.flipped && b.jitter.isEmpty && !b.grey)
        }
    }

    /// No window of the asked area fits a stripe: the largest of the asked shape, in the middle.
    @Test func stripesFallBackToTheMiddle() {
        let views = Views(scale: [1, 1], ratio: 1)
        let c = views.change(seed: 1, epoch: 0, sample: 0, view: 0, height: 4, width: 20)
        #expect(window(c) == [0, 8, 4, 4])
        let whole = Views(scale: [1, 1], ratio: 1).change(
            seed: 1, epoch: 0, sample: 0, view: 0, height: 8, width: 8)
        #expect(window(whole) == [0, 0, 8, 8])
    }

    @Test func refusesWhatIsNoImageAndOutOfRange() throws {
        let table = try Dataset(
            name: "t.csv", features: .table([1, 2], columns: ["a"]), labels: [0, 1],
            classNames: ["x", "y"])
        #expect(
            failure {
                try BatchPlan(table, members: [0, 1], batchSize: 2, seed: 0, views: Views())
            }
                == "t.csv: views for learning without labels need images")
        func decode(_ text: String) -> String {
            failure { try JSONDecoder().decode(Views.self, from: Data(text.utf8)) }
        }
        #expect(decode("{}") == "nothing thrown")
        #expect(
            decode(#"{"scale": [0.5, 0.2]}"#)
                == "scale: value out of range: found [0.5, 0.2], expected [smallest, largest], above 0 and at most 1"
        )
        #expect(
            decode(#"{"ratio": 0.5}"#)
                == "ratio: value out of range: found 0.5, expected 1 to 100")
        #expect(
            decode(#"{"flip": 2}"#)
                == "flip: value out of range: found 2.0, expected a probability from 0 to 1")
        #expect(
            decode(#"{"contrast": -1}"#)
                == "contrast: value out of range: found -1.0, expected 0 to 10")
        #expect(decode(#"{"hue": 0.6}"#) == "hue: value out of range: found 0.6, expected 0 to 0.5")
    }
}
