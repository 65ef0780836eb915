import Diagnostics
import Randomness
import Testing

@testable import Datasets

/// Several versions of each sample in a batch.
@Suite struct SampleVersionTests {
    private func table(_ count: Int = 6, features: Int = 5) throws -> Dataset {
        try Dataset(
            name: "table",
            features: .table(
                (0..<count * features).map { Float($0 % 7) },
                columns: (0..<features).map { "\($0)" }),
            labels: (0..<count).map { $0 % 2 }, classNames: ["a", "b"])
    }

    private func texts(_ list: [String]) throws -> Dataset {
        try Dataset(
            name: "texts", features: .text(TextList(list, length: 24), column: "t"),
            labels: list.indices.map { $0 % 2 }, classNames: ["a", "b"])
    }

    private func batch(
        _ data: Dataset, _ versions: [SampleVersion], seed: UInt64 = 4, epoch: Int = 1
    ) throws -> [[Float]] {
        let members = Array(0..<data.count)
        let plan = try BatchPlan(
            data, members: members, batchSize: data.count, seed: seed, versions: versions,
            layout: .channelsLast, shuffled: false)
        let features = plan.batch(epoch: epoch, step: 0).features
        let size = data.count * data.sampleSize
        #expect(features.count == max(1, versions.count) * size)
        return (0..<max(1, versions.count)).map { Array(features[$0 * size..<($0 + 1) * size]) }
    }

    private func string(_ row: ArraySlice<Float>) -> String {
        String(String.UnicodeScalarView(row.prefix { $0 != 0 }.map { Unicode.Scalar(UInt32($0))! }))
    }

    /// The first version with the recipe's augmentation is the batch that there would be without versions.
    @Test func imagesAreAugmented() throws {
        let images = try someImages(5, channels: 3, height: 8, width: 8)
        let own = Augmentation(padding: 2, flip: true)
        let usual = try BatchPlan(
            images, members: Array(0..<5), batchSize: 5, seed: 4, augmentation: own,
            layout: .channelsLast, shuffled: false
        ).batch(epoch: 1, step: 0).features
        let both = try batch(images, [.augmented(own), .augmented(own), .plain])
        #expect(both[0] == usual && both[1] != usual)
        #expect(both[2] == (try batch(images, [])[0]))
    }

    /// Noise and words left out as a recipe's augmentation: the batch is that of the version of this kind, and
    /// moves with epoch and view.
    @Test func tablesAndTextsAreAugmented() throws {
        func usual(_ data: Dataset, _ own: Augmentation, epoch: Int = 1, view: Int = 0) throws
            -> [Float]
        {
            try BatchPlan(
                data, members: Array(0..<data.count), batchSize: data.count, seed: 4,
                augmentation: own, layout: .channelsLast, shuffled: false
            ).batch(epoch: epoch, step: 0, view: view).features
        }
        let rows = try table()
        let noisy = Augmentation(noise: 0.3, drop: 0.2)
        let first = try usual(rows, noisy)
        #expect(first == (try batch(rows, [.noisy(std: 0.3, drop: 0.2)])[0]))
        #expect(first == (try batch(rows, [.augmented(noisy)])[0]))
        #expect(try usual(rows, noisy, epoch: 2) != first && usual(rows, noisy, view: 1) != first)
        #expect(try usual(rows, .none) == batch(rows, [])[0])
        let words = try texts(["one two three four five", "six seven eight nine"])
        let shorter = try usual(words, Augmentation(drop: 0.5))
        #expect(shorter == (try batch(words, [.shortened(drop: 0.5)])[0]))
        #expect(try shorter != usual(words, .none))
    }

    @Test func augmentationsThatDoNotFit() throws {
        func problem(_ own: Augmentation, _ data: Dataset) -> String? {
            do { try own.check(sampleShape: data.sampleShape, name: data.name) } catch {
                return "\(error)"
            }
            return nil
        }
        let images = try someImages(2, channels: 1, height: 8, width: 8)
        let words = try texts(["one two", "three"])
        #expect(
            problem(Augmentation(noise: 0.1), images)?.hasSuffix(
                "noise and drop are for tables and texts: found images (images are changed by "
                    + "augmentation.padding and augmentation.flip)") == true)
        #expect(
            problem(Augmentation(noise: 0.1), words)
                == "texts: noise is for tables: found text (augmentation.drop leaves out words)")
        #expect(
            try problem(Augmentation(noise: -1), table())?.contains("expected 0 or more") == true)
        #expect(problem(Augmentation(drop: 1), words)?.contains("expected 0 to below 1") == true)
        #expect(problem(Augmentation(drop: 0.4), words) == nil)
    }

    /// What is off does not enter the key of a phase.
    @Test func keysStay() throws {
        #expect(
            String(decoding: JSON.text(Augmentation(padding: 2)), as: UTF8.self)
                == #"{"flip":false,"padding":2}"#)
        #expect(
            String(decoding: JSON.text(Augmentation(noise: 0.5)), as: UTF8.self)
                == #"{"flip":false,"noise":0.5,"padding":0}"#)
    }

    /// Views of images are what they were as views of a plan.
    @Test func viewsAreVersions() throws {
        let images = try someImages(3, channels: 3, height: 8, width: 8)
        let views = Views()
        let plan = try BatchPlan(
            images, members: [0, 1, 2], batchSize: 3, seed: 4, views: views,
            layout: .channelsLast, shuffled: false)
        let own = try batch(images, [.view(views), .view(views)])
        #expect(plan.batch(epoch: 1, step: 0).features == own[0] + own[1])
    }

    @Test func noiseOnTables() throws {
        let data = try table(400)
        let plain = try batch(data, [])[0]
        let both = try batch(data, [.plain, .noisy(std: 0.5, drop: 0), .noisy(std: 0, drop: 0.25)])
        #expect(both[0] == plain)
        let noise = zip(both[1], plain).map { Double($0 - $1) }
        let mean = noise.reduce(0, +) / Double(noise.count)
        let variance = noise.reduce(0) { $0 + $1 * $1 } / Double(noise.count)
        #expect(abs(mean) < 0.05 && abs(variance.squareRoot() - 0.5) < 0.03)
        let dropped = zip(both[2], plain).count { $0 == 0 && $1 != 0 }
        let wasThere = plain.count { $0 != 0 }
        #expect(zip(both[2], plain).allSatisfy { $0 == 0 || $0 == $1 })
        #expect(abs(Double(dropped) / Double(wasThere) - 0.25) < 0.04)
    }

    @Test func wordsAreLeftOut() throws {
        let list = ["one two  three", "word", "", "  a b ", "\u{4e00}\u{3000}\u{4e8c}"]
        let data = try texts(list)
        var seen: Set<String> = []
        for epoch in 0..<40 {
            let both = try batch(data, [.plain, .shortened(drop: 0.5)], epoch: epoch)
            let rows = (0..<list.count).map { string(both[1][$0 * 24..<($0 + 1) * 24]) }
            #expect((0..<list.count).map { string(both[0][$0 * 24..<($0 + 1) * 24]) } == list)
            #expect(rows[1] == "word" && rows[2] == "", "the last word stays")
            seen.insert(rows[0])
            let words = rows[0].split(separator: " ").map(String.init)
            #expect(!words.isEmpty && words == ["one", "two", "three"].filter(words.contains))
            #expect([list[4], "\u{4e00}", "\u{4e8c}"].contains(rows[4]))
        }
        #expect(seen.count == 7, "\(seen)")
        let few = try batch(data, [.shortened(drop: 0)])[0]
        #expect(string(few[0..<24]) == list[0], "nothing left out, nothing moved")
    }

    /// The same draws whenever a batch is asked for, others for another epoch, version or seed.
    @Test func drawsAreDerived() throws {
        let data = try table()
        let noisy = SampleVersion.noisy(std: 1, drop: 0.1)
        let one = try batch(data, [noisy, noisy])
        #expect(try batch(data, [noisy, noisy]) == one)
        #expect(one[0] != one[1])
        #expect(try batch(data, [noisy, noisy], epoch: 2)[0] != one[0])
        #expect(try batch(data, [noisy, noisy], seed: 5)[0] != one[0])
    }

    @Test func refusals() throws {
        let (table, texts) = (try table(), try texts(["a", "b"]))
        let images = try someImages(2)
        func said(_ data: Dataset, _ version: SampleVersion) -> String {
            failure { try batch(data, [version]) }
        }
        #expect(
            said(images, .noisy(std: 1, drop: 0))
                == "random: noise on features is for tables only")
        #expect(
            said(table, .shortened(drop: 0.1)) == "table: words can be left out of texts only")
        #expect(
            said(texts, .shortened(drop: 1))
                == "drop: value out of range: found 1.0, expected 0 to below 1")
        #expect(
            said(table, .noisy(std: -1, drop: 0))
                == "noise: value out of range: found -1.0, expected 0 or more")
        #expect(said(table, .view(Views())).contains("need images"))
        #expect(said(images, .augmented(.init(padding: 4))).contains("padding"))
    }
}
