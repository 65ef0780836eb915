import Diagnostics
import Foundation
import Testing

@testable import Datasets

@Suite struct NormalisationTests {
    @Test func imagesPerChannelByHand() throws {
        // Two channels of two pixels; the third sample must not count.
        let data = try Dataset(
            name: "a",
            features: .images(
                bytes: [0, 255, 51, 51, 255, 0, 51, 51, 9, 9, 9, 9], channels: 2, height: 1,
                width: 2),
            labels: [0, 1, 0], classNames: ["x", "y"])
        let norm = try Normalisation.fit(data, members: [1, 0])
        #expect(norm.mean == [0.5, 0.2])
        #expect(norm.std == [0.5, 1])  // the second channel is constant
    }

    @Test func tablePerColumnByHand() throws {
        let data = try Dataset(
            name: "a",
            features: .table([1, 7, 0.1, 3, 7, 0.1, 5, 7, 0.1], columns: ["a", "b", "c"]),
            labels: [0, 1, 0], classNames: ["x", "y"])
        let norm = try Normalisation.fit(data, members: [0, 1, 2])
        #expect(norm.mean == [3, 7, 0.1])
        #expect(abs(norm.std[0] - 1.6329932) < 1e-6)  // sqrt(8/3)
        #expect(norm.std[1] == 1)
        #expect(norm.std[2] == 1)
        let batch = try BatchPlan(
            data, members: [0, 1, 2], batchSize: 3, seed: 1, normalisation: norm, shuffled: false
        ).batch(epoch: 0, step: 0)
        #expect(batch.shape == [3, 3])
        #expect(abs(batch.features[0] + 1.2247449) < 1e-6)
        #expect(batch.features[1] == 0)
        #expect(batch.features[3] == 0)
    }

    /// Added up from one end these four give 1, from the other 0.
    @Test func orderOfMembersDoesNotMatter() throws {
        let data = try Dataset(
            name: "a", features: .table([3e38, 1, -3e38, 1], columns: ["a"]), labels: [0, 0, 0, 0],
            classNames: ["x"])
        let forth = try Normalisation.fit(data, members: [0, 1, 2, 3])
        #expect(forth.mean == [0.25])
        #expect(try Normalisation.fit(data, members: [3, 2, 1, 0]) == forth)
    }

    @Test func constantColumnOfManyRows() throws {
        let data = try Dataset(
            name: "a", features: .table([Float](repeating: 0.1, count: 999), columns: ["a"]),
            labels: [Int](repeating: 0, count: 999), classNames: ["x"])
        let norm = try Normalisation.fit(data, members: Array(0..<999))
        #expect(norm.mean == [0.1])
        #expect(norm.std == [1])
    }

    @Test func codable() throws {
        let norm = try Normalisation(mean: [0.1307], std: [0.3081])
        let text = try JSONEncoder().encode(norm)
        #expect(try JSONDecoder().decode(Normalisation.self, from: text) == norm)
        // Weights files of earlier versions.
        let earlier = Data(#"{"mean":[0.1307],"deviation":[0.3081]}"#.utf8)
        #expect(try JSONDecoder().decode(Normalisation.self, from: earlier) == norm)
        #expect(throws: Problem.self) {
            try JSONDecoder().decode(
                Normalisation.self, from: Data(#"{"mean":[0],"std":[0]}"#.utf8))
        }
    }

    @Test func refused() throws {
        #expect(
            failure { try Normalisation(mean: [1], std: []) }
                == "normalisation is not usable: found 1 means, 0 stds, "
                + "expected as many of each, finite, stds above 0 and not too small for float32"
        )
        // Zero would become infinite, or nearly all numbers.
        for (mean, std) in [(0, 1e-45), (3e38, 0.5), (1, .infinity), (.nan, 1)]
            as [(Float, Float)]
        {
            #expect(throws: Problem.self) {
                try Normalisation(mean: [mean], std: [std])
            }
        }
        let data = try someImages(4)
        #expect(failure { try Normalisation.fit(data, members: []) } == "random: no samples chosen")
    }
}
