import Testing

@testable import Datasets

enum CIFARFixture {
    /// A record whose red, green and blue planes are `label`, `label` + 1 and `label` + 2.
    static func record(_ labels: UInt8...) -> [UInt8] {
        labels + (0..<3).flatMap { [UInt8](repeating: labels.last! &+ $0, count: 1024) }
    }
}

@Suite struct CIFARTests {
    @Test func tenByHand() throws {
        let data = try CIFAR.ten.dataset(
            [
                ("a", CIFARFixture.record(3) + CIFARFixture.record(9)),
                ("b", CIFARFixture.record(0)),
            ], name: "d")
        #expect(data.labels == [3, 9, 0])
        #expect(data.sampleShape == [3, 32, 32])
        #expect(data.classNames[9] == "truck")
        guard case .images(let bytes, _, _, _) = data.features else { return }
        #expect(bytes[0] == 3 && bytes[1023] == 3 && bytes[1024] == 4 && bytes[3071] == 5)
        #expect(bytes[3072] == 9 && bytes[2 * 3072] == 0)
    }

    @Test func hundredKeepsCoarseLabels() throws {
        let data = try CIFAR.hundred.dataset(
            [("a", CIFARFixture.record(4, 0) + CIFARFixture.record(13, 99))], name: "d")
        #expect(data.labels == [0, 99])
        #expect(data.coarse == [4, 13])
        #expect(data.classCount == 100)
        #expect(data.classNames == data.classNames.sorted())
        #expect(Set(data.classNames).count == 100)
        #expect(data.classNames[0] == "apple" && data.classNames[99] == "worm")
    }

    @Test func foldersAndFiles() throws {
        let scratch = try Scratch()
        for batch in 1...11 {
            _ = try scratch.file(
                "data_batch_\(batch).bin", CIFARFixture.record(UInt8(batch % 10)))
        }
        _ = try scratch.file("test_batch.bin", CIFARFixture.record(7))
        _ = try scratch.file("batches.meta.txt", [65])
        let train = try CIFAR.ten.read(folder: scratch.folder, part: .train)
        #expect(train.labels == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
        #expect(try CIFAR.ten.read(folder: scratch.folder, part: .test).labels == [7])
        #expect(
            failure { try CIFAR.hundred.read(folder: scratch.folder, part: .test) }
                == "\(scratch.folder): no CIFAR file in the folder: expected test.bin "
                + "(the binary version is meant, not the Python one)")
        #expect(
            failure { try CIFAR.ten.read(folder: scratch.folder + "/no", part: .test) }
                == "\(scratch.folder)/no: cannot read the folder: No such file or directory")
    }
}
