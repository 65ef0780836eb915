import Testing

@testable import Datasets

/// The gzip fixtures were made with Python's gzip module from the bytes of `images` and `labels`.
enum IDXFixture {
    /// Two 2×2 images with the pixels 0...7.
    static let images = big(0x803, 2, 2, 2) + (0..<8)
    static let labels = big(0x801, 2) + [1, 0]
    static let imagesGzip = hex(
        "1f8b08000000000002036360e06066606060826346266616563676003fd4821618000000")
    static let labelsGzip = hex("1f8b08000000000002036360e0606460606062640000589d878c0a000000")
    /// The image file as two gzip members, the first one ten bytes long.
    static let imagesMembers = hex(
        "1f8b08000000000002036360e060666060606260000030bd03020a0000001f8b0800000000000203636062"
            + "60606062606462666165630700fc5399720e000000")
    /// Compressed once more.
    static let twiceGzip = hex(
        "1f8b08000000000002ff93efe6600001a6ffc9090f12d21212129a92ddd4d2c4c2ccca"
            + "18ecaf34894900e500c9f8160f24000000")
    /// One byte too few and one too many.
    static let imagesShortGzip = hex(
        "1f8b08000000000002036360e06066606060826346266616563600fe0a71e117000000")
    static let imagesLongGzip = hex(
        "1f8b08000000000002036360e060666060608263462666165636f60a006ab9ac3a19000000")
    /// A header that claims 60,000 images of 28×28 and eight bytes.
    static let claimGzip = hex(
        "1f8b08000000000002036360e06066607895c0c0c02003c5600000d77c152d18000000")
    /// The image file with 100,000 zero bytes behind it.
    static let bombGzip = hex(
        "1f8b0800000000000203edc3b90d00200c04b083f0ed3f311d3350d892935349fadb7a8db976"
            + String(repeating: "00", count: 96) + "806f5db212501fb8860100")

    static func read(labels: [UInt8], classCount: Int? = nil) throws -> Dataset {
        try read(images, labels, classCount: classCount)
    }

    static func read(
        _ images: [UInt8] = images, _ labels: [UInt8] = labels, classCount: Int? = nil
    ) throws -> Dataset {
        try IDX.dataset(
            images: images, file: "i", labels: labels, labelFile: "l", name: "d",
            classCount: classCount)
    }
}

@Suite struct IDXTests {
    @Test func readsByHand() throws {
        let data = try IDXFixture.read()
        #expect(
            data.features == .images(bytes: Array(0..<8), channels: 1, height: 2, width: 2))
        #expect(data.labels == [1, 0])
        #expect(data.classNames == ["0", "1"])
        #expect(try IDXFixture.read(classCount: 10).classCount == 10)
    }

    @Test func writesWhatItReads() throws {
        #expect(IDX.encoded(images: Array(0..<8), shape: [1, 2, 2]) == IDXFixture.images)
        #expect(IDX.encoded(labels: [1, 0]) == IDXFixture.labels)
        let colours = IDX.encoded(images: Array(0..<24), shape: [3, 2, 2])
        let (shape, bytes) = try IDX.images(colours, file: "colours")
        #expect(shape == [2, 3, 2, 2] && bytes == Array(0..<24))
    }

    @Test func gzipIsTheSame() throws {
        let plain = try IDXFixture.read()
        for images in [IDXFixture.imagesGzip, IDXFixture.imagesMembers] {
            let data = try IDXFixture.read(images, IDXFixture.labelsGzip)
            #expect(data.features == plain.features)
            #expect(data.labels == plain.labels)
        }
    }

    @Test func fourDimensionsAreChannels() throws {
        let data = try IDXFixture.read(big(0x804, 2, 3, 1, 2) + (0..<12))
        #expect(data.sampleShape == [3, 1, 2])
        #expect(try IDX.images(IDXFixture.images, file: "i").shape == [2, 1, 2, 2])
    }

    /// The same images and labels as signed integers of 8, 16 and 32 bits.
    @Test func widerIntegersAreTheSame() throws {
        let plain = try IDXFixture.read()
        for (code, size) in [(0x900, 1), (0xB00, 2), (0xC00, 4)] {
            func wide(_ bytes: [UInt8]) -> [UInt8] {
                bytes.flatMap { [UInt8](repeating: 0, count: size - 1) + [$0] }
            }
            let images = big(UInt32(code + 3), 2, 2, 2) + wide(Array(0..<8))
            let labels = big(UInt32(code + 1), 2) + wide([1, 0])
            let data = try IDXFixture.read(images, labels)
            #expect(data.features == plain.features && data.labels == plain.labels)
            #expect(try IDX.images(images, file: "i").bytes == Array(0..<8))
        }
        // More classes than a byte can name, where there are as many samples.
        let many = big(0xC01, 300) + (0..<300).flatMap { big(UInt32($0)) }
        #expect(try IDX.labels(many, file: "l") == Array(0..<300))
        // Or where somebody says how many there are, in a file of few samples.
        let few = big(0xC01, 2) + big(300, 0)
        #expect(try IDXFixture.read(labels: few, classCount: 1000).labels == [300, 0])
        #expect(
            failure { try IDXFixture.read(labels: few) }
                == "l, byte 8, element 0: IDX value is not a label: found 300, expected 0 to 255")
        #expect(
            failure { try IDXFixture.read(labels: few, classCount: 300) }
                == "l, sample 0: label out of range: found 300, expected 0 to 299")
    }

    @Test func standardNames() {
        func found(_ names: Set<String>) -> [String?] {
            let pair = IDX.standardFiles(in: "d", part: "train") { names.contains($0) }
            return [pair.images, pair.labels]
        }
        #expect(
            found(["d/train-images.idx3-ubyte", "d/train-labels.idx1-ubyte.gz"])
                == ["d/train-images.idx3-ubyte", "d/train-labels.idx1-ubyte.gz"])
        #expect(
            found(["d/train-images-idx3-ubyte.gz", "d/train-images-idx3-ubyte"])
                == ["d/train-images-idx3-ubyte", nil])
    }

    @Test func readsFiles() throws {
        let scratch = try Scratch()
        let images = try scratch.file("i.gz", IDXFixture.imagesGzip)
        let labels = try scratch.file("l", IDXFixture.labels)
        #expect(try IDX.read(images: images, labels: labels).count == 2)
        #expect(
            failure { try IDX.read(images: images + "x", labels: labels) }
                == "\(images)x: cannot read: No such file or directory")
    }

    /// Any damage to a file is a problem or a data set, never a trap: every cut, every byte
    /// replaced by 0, 255 and its neighbour.
    @Test func noByteTraps() throws {
        let wide = big(0xC03, 1, 1, 2) + big(1, 2)
        for base in [IDXFixture.images, IDXFixture.imagesGzip, IDXFixture.imagesMembers, wide] {
            for length in 0..<base.count {
                #expect(failure { try IDXFixture.read(Array(base[..<length])) } != "nothing thrown")
            }
            for i in base.indices {
                for value in [0, 255, base[i] &+ 1] {
                    var bytes = base
                    bytes[i] = value
                    let line = failure { try IDXFixture.read(bytes) }
                    #expect(!line.contains("another error") && !line.contains("\n"))
                }
            }
        }
    }
}

@Suite struct GunzipTests {
    @Test func limitIsKept() throws {
        let (bytes, outcome) = try Gunzip.inflate(IDXFixture.bombGzip, file: "b", limit: 30)
        #expect(bytes == IDXFixture.images + [UInt8](repeating: 0, count: 6))
        #expect(outcome == .more)
        let whole = try Gunzip.inflate(IDXFixture.bombGzip, file: "b", limit: 100_024)
        #expect(whole.bytes.count == 100_024)
        #expect(whole.outcome == .whole)
        #expect(
            try Gunzip.inflate(IDXFixture.bombGzip, file: "b", limit: 100_023).outcome == .more)
    }
}
