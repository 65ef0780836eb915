import Diagnostics
import Testing

@testable import Datasets

@Suite struct DatasetTests {
    /// Both digests were computed with Python's hashlib from the byte layout in the documentation.
    @Test func sha256MatchesAnotherImplementation() throws {
        let images = try Dataset(
            name: "a", features: .images(bytes: [1, 2, 3, 4], channels: 1, height: 1, width: 2),
            labels: [2, 0], clean: [1, 0], coarse: [7, 8], groups: [5, 6],
            classNames: ["x", "y", "z"])
        #expect(
            images.sha256 == "9fd4a9c49419169450f0a3217e3e511492ad37b3d4ab59f67d1cdef5f81876eb")
        let table = try Dataset(
            name: "b", features: .table([1.5, -2], columns: ["v"]), labels: [1, 0],
            classNames: ["x", "y"])
        #expect(table.sha256 == "2293a64828ac598776fd98b23569e19406c4487a42b30db54b5afec3e66bf04e")
    }

    @Test func shapeAndCounts() throws {
        let images = try someImages(6, channels: 3, height: 2, width: 5, classes: 4)
        #expect(images.sampleShape == [3, 2, 5])
        #expect(images.sampleSize == 30)
        #expect(images.count == 6)
        #expect(images.classCounts == [2, 2, 1, 1])
        #expect(images.isImages)
    }

    @Test func subsetKeepsRowsTogether() throws {
        let data = try Dataset(
            name: "a", features: .table([1, 2, 3, 4, 5, 6], columns: ["p", "q"]),
            labels: [0, 1, 2], clean: [2, 1, 0], groups: [7, 8, 9], classNames: ["a", "b", "c"])
        let part = data.subset([2, 0, 2])
        #expect(part.features == .table([5, 6, 1, 2, 5, 6], columns: ["p", "q"]))
        #expect(part.labels == [2, 0, 2])
        #expect(part.clean == [0, 2, 0])
        #expect(part.groups == [9, 7, 9])
    }

    @Test func relabelledRemembersWhatWasReplaced() throws {
        let data = try someImages(4)
        let noisy = try data.relabelled([1, 1, 0, 0])
        #expect(noisy.labels == [1, 1, 0, 0])
        #expect(noisy.clean == [0, 1, 0, 1])
        #expect(try noisy.relabelled([0, 0, 0, 0]).clean == [0, 1, 0, 1])
        #expect(try data.relabelled([1, 1, 0, 0], keepingReplacedAsClean: false).clean == nil)
    }

    @Test func tableBecomesImages() throws {
        let table = try Dataset(
            name: "t", features: .table([0, 255, 16, 7], columns: ["a", "b"]), labels: [0, 1],
            classNames: ["x", "y"])
        let images = try table.asImages(channels: 1, height: 1, width: 2)
        #expect(
            images.features == .images(bytes: [0, 255, 16, 7], channels: 1, height: 1, width: 2))
        #expect(
            failure { try table.asImages(channels: 1, height: 3, width: 1) }
                == "t: columns do not make an image of 1x3x1: found 2 columns, expected 3")
        let fraction = try Dataset(
            name: "t", features: .table([0, 2.5], columns: ["a"]), labels: [0, 1],
            classNames: ["x", "y"])
        #expect(
            failure { try fraction.asImages(channels: 1, height: 1, width: 1) }
                == "t, sample 1, column a: value is not a pixel: found 2.5, "
                + "expected a whole number from 0 to 255")
    }

    @Test func brokenInvariantsAreNamed() {
        func make(
            _ features: Dataset.Features, _ labels: [Int], clean: [Int]? = nil,
            groups: [Int]? = nil, classes: Int = 2
        ) -> String {
            failure {
                try Dataset(
                    name: "d", features: features, labels: labels, clean: clean, groups: groups,
                    classNames: IDX.defaultNames(classes))
            }
        }
        let two = Dataset.Features.images(bytes: [1, 2], channels: 1, height: 1, width: 1)
        #expect(make(two, []) == "d: no samples")
        #expect(make(two, [0, 1], classes: 0) == "d: no classes")
        #expect(make(two, [0]) == "d: wrong number of feature values: found 2, expected 1")
        #expect(
            make(two, [0, 2]) == "d, sample 1: label out of range: found 2, expected 0 to 1")
        #expect(
            make(two, [0, -1]) == "d, sample 1: label out of range: found -1, expected 0 to 1")
        #expect(
            make(two, [0, 1], clean: [3, 0])
                == "d, sample 0: clean label out of range: found 3, expected 0 to 1")
        #expect(
            make(two, [0, 1], groups: [1])
                == "d: wrong number of groups: found 1, expected 2")
        #expect(
            make(.images(bytes: [], channels: 1, height: 0, width: 1), [0])
                == "d: samples without values: found shape [1, 0, 1]")
        #expect(
            make(.images(bytes: [], channels: .max, height: 2, width: 2), [0])
                == "d: wrong number of feature values: found 0, expected 9223372036854775807")
        #expect(
            make(.table([1, 2, .nan, 4], columns: ["p", "q"]), [0, 1])
                == "d, sample 1, column p: value is not finite: found nan")
    }
}
