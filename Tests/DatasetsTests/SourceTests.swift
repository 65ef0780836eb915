import Diagnostics
import Foundation
import Testing

@testable import Datasets

/// What a recipe may say of its data, kind by kind.
struct SourceTests {
    private func options(_ json: String) throws -> DataOptions {
        try JSONDecoder().decode(DataOptions.self, from: Data(json.utf8))
    }

    private func object(_ options: DataOptions) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: JSONEncoder().encode(options)) as! [String: Any]
    }

    private static let common = """
        "limit": 50, "validation": 0.3, "test": 0.1, "clean-validation": true, "meta-validation": 0.2,
        "clean-meta-validation": true, "held-out": {"fold": 2, "of": 3}
        """
    private static let table = """
        "path": "a.csv", "test-path": "b.csv", "label": "l", "clean": -2, "group": "g", "id": 0,
        "delimiter": "tab", "header": false, "class-names": ["x", "y"]
        """
    /// Every key of every kind, each with another value than its default.
    private static let whole: [String: String] = [
        "embedded": "",
        "idx": """
        "folder": null, "images": "i", "labels": "l", "test-images": "ti", "test-labels": "tl",
        "class-names": ["x", "y"]
        """,
        "cifar10": #""folder": "f""#, "cifar100": #""folder": "f""#,
        "csv": table
            + #", "drop": ["a", 3], "decimal": "comma", "skip-at-lines": true, "image-shape": [1, 2, 3]"#,
        "text": table + #", "text": 1, "length": 99, "quotes": false"#,
        "folder": """
        "path": "p", "size": [8, 9], "channels": 1, "exif": "ignore", "resampling": "area", "fit": "pad",
        "background": [0, 1, 2], "max-pixels": 99, "most-bad": 0.5, "group-alike": false,
        "class-names": ["x", "y"], "label": "l", "clean": -2, "group": "g"
        """,
        "spiral":
            #""classes": 3, "samples": 70, "radius": 2, "turn": 1, "angle-std": 0, "seed": 9"#,
        "gaussian-classes":
            #""classes": 3, "samples": 70, "features": 5, "separation": 0.1, "seed": 9"#,
        "colour-shapes": #""samples": 80, "seed": 9"#,
        "none": #""image-shape": [1, 2, 3], "class-names": ["x", "y"]"#,
    ]

    // MARK: Keys

    @Test func kindsAndKeysOccurOnce() {
        let kinds = DataOptions.kinds
        #expect(Set(kinds.map { $0.kind }) == Set(Self.whole.keys))
        #expect(Set(kinds.map { $0.kind }).count == kinds.count)
        for kind in kinds {
            let keys = kind.keys + DataOptions.commonKeys
            #expect(Set(keys).count == keys.count, "\(kind.kind)")
        }
    }

    @Test(arguments: DataOptions.kinds.map { $0.kind })
    func everyKeyComesBack(_ kind: String) throws {
        let type = try #require(DataOptions.kinds.first { $0.kind == kind })
        let whole = try #require(Self.whole[kind])
        let first = try options(
            #"{"kind": "\#(kind)", "# + Self.common + (whole.isEmpty ? "" : ", ") + whole + "}")
        #expect(first.kind == kind)
        let encoded = try object(first)
        // Either a folder or files.
        let left: Set<String> = kind == "idx" ? ["folder"] : []
        #expect(Set(encoded.keys) == Set(type.keys + DataOptions.commonKeys).subtracting(left))
        let least = try object(DataOptions(EmbeddedSource()))
        for (key, value) in least where key != "kind" {
            #expect("\(value)" != "\(encoded[key]!)", "\(key)")
        }
        let second = try JSONDecoder().decode(
            DataOptions.self, from: JSONEncoder().encode(first))
        #expect(second == first && second.hashValue == first.hashValue)
    }

    /// A key that only other kinds have is refused; one without a value was taken back.
    @Test(arguments: DataOptions.kinds.map { $0.kind })
    func keysOfOtherKinds(_ kind: String) throws {
        let own = try #require(DataOptions.kinds.first { $0.kind == kind }).keys
        let whole = try #require(Self.whole[kind])
        let start = #"{"kind": "\#(kind)""# + (whole.isEmpty ? "" : ", ") + whole
        for key in Set(DataOptions.kinds.flatMap { $0.keys }).subtracting(own) {
            #expect(
                failure { try options(start + #", "\#(key)": 1}"#) }
                    == "data.\(key): key does not go with data.kind: found kind \(kind)")
            #expect(try options(start + #", "\#(key)": null}"#) == options(start + "}"))
        }
    }

    @Test(arguments: [
        (#""kind": "embeded""#, #"data.kind: unknown word "embeded" (did you mean "embedded"?)"#),
        (
            #""kind": "parquet""#,
            #"data.kind: unknown word "parquet" (one of: embedded, idx, cifar10, cifar100, csv, "#
                + "text, folder, spiral, gaussian-classes, colour-shapes, none)"
        ),
        (#""kind": "cifar100""#, #"data: missing key "data.folder""#),
        (#""kind": "text""#, #"data: missing key "data.path""#),
        (
            #""kind": "idx", "images": "i""#,
            #"data: missing key "data.folder" (or give data.images and data.labels)"#
        ),
        (
            #""kind": "idx", "images": "i", "labels": "l", "test-labels": "t""#,
            #"data: missing key "data.test-images" (or give both or neither of test-images and "#
                + "test-labels)"
        ),
        (
            #""kind": "idx", "folder": "f", "test-labels": "t""#,
            "data.folder: the files are given twice (either folder, or images and labels)"
        ),
        (
            #""kind": "text", "path": "a", "length": 16385"#,
            "data.length: value out of range: found 16385, expected 16 to 16384"
        ),
        (
            #""kind": "csv", "path": "a", "image-shape": [8, 8]"#,
            "data.image-shape: value out of range: found [8, 8], expected [channels, height, width]"
        ),
        (
            #""kind": "none", "image-shape": [1, 0, 8]"#,
            "data.image-shape: value out of range: found [1, 0, 8], expected [channels, height, width]"
        ),
        (
            #""kind": "none", "class-names": ["one"]"#,
            "data.class-names: value out of range: found 1 classes, expected 2 to 65536"
        ),
        (
            #""kind": "embedded", "test": 0"#,
            "data.test: value out of range: found 0.0, expected a share above 0 and below 1"
        ),
        (
            #""kind": "embedded", "meta-validation": 1"#,
            "data.meta-validation: value out of range: found 1.0, expected a share above 0 and below 1"
        ),
        (
            #""kind": "embedded", "limit": 1"#,
            "data.limit: value out of range: found 1, expected 2 or more"
        ),
        (
            #""kind": "spiral", "angle-std": -1"#,
            "data.angle-std: value out of range: found -1.0, expected 0 to 1000000"
        ),
    ])
    func refusals(_ json: String, _ sentence: String) {
        #expect(failure { try options("{\(json)}") } == sentence)
    }

    /// The documentation's table of keys says for which kinds each is.
    @Test func documentation() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Documentation/recipes.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.split(separator: "\n## data\n").last)
            .split(separator: "\n## ")[0]
        var said: [String: Set<String>] = [:]
        for line in section.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let keys = cells[0].split(separator: ", ").map { $0.trimmingPrefix("`").dropLast() }
            for kind in cells[1].split(separator: ", ") {
                said[String(kind), default: []].formUnion(keys.map(String.init))
            }
            if keys == ["kind"] {
                for kind in DataOptions.kinds {
                    #expect(cells[3].contains("`\(kind.kind)`"), "\(kind.kind)")
                }
            }
        }
        var known = ["all": Set(DataOptions.commonKeys)]
        for kind in DataOptions.kinds where !kind.keys.isEmpty { known[kind.kind] = Set(kind.keys) }
        #expect(said == known)
    }

    // MARK: Reading

    /// Two images of 2 x 2 pixels and their labels.
    private func pair(
        _ scratch: Scratch, _ name: String, pixels: [UInt8], height: UInt32 = 2,
        labels: [UInt8] = [0, 1]
    ) throws -> (images: String, labels: String) {
        let width = UInt32(pixels.count) / 2 / height
        return (
            try scratch.file("\(name)-i", big(0x803, 2, height, width) + pixels),
            try scratch.file("\(name)-l", big(0x801, 2) + labels)
        )
    }

    @Test func testSetsThatDoNotFit() throws {
        let scratch = try Scratch()
        let first = try pair(scratch, "a", pixels: [1, 2, 3, 4, 5, 6, 7, 8])
        func load(_ test: (images: String, labels: String)) throws -> LoadedData {
            try LoadedData(
                IDXSource(
                    images: first.images, labels: first.labels, testImages: test.images,
                    testLabels: test.labels))
        }
        let tall = try pair(scratch, "b", pixels: [1, 2, 3, 4, 5, 6, 7, 8], height: 4)
        #expect(
            failure { try load(tall) }
                == "\(tall.images): training and test samples differ in shape: found [1, 4, 1], "
                + "expected [1, 2, 2]")
        let other = try pair(scratch, "c", pixels: [9, 2, 3, 4, 5, 6, 7, 8])
        let data = try load(other)
        #expect(
            data.warnings == [
                "1 test samples are also training samples: the test accuracy is too good to be true"
            ])
        #expect(data.sha256 == data.learning.sha256 + data.test!.sha256)
    }

    @Test func filesOfAFolder() throws {
        let scratch = try Scratch()
        let file = try scratch.file("test_batch.bin", [1])
        #expect(CIFAR10Source(folder: scratch.folder).files == [file])
        #expect(IDXSource(folder: scratch.folder).files == [file])
        #expect(IDXSource(folder: scratch.folder + "/none").files.isEmpty)
        #expect(IDXSource(images: "i", labels: "l").files == ["i", "l"])
        #expect(TextSource(TableFile(path: "a", testPath: "b")).files == ["a", "b"])
        #expect(SpiralSource().files.isEmpty)
    }

    @Test func withoutSamples() throws {
        #expect(
            failure { try LoadedData(NoSource()) }
                == "data: shape and classes of the images are unknown: expected image-shape and "
                + "class-names, or a teacher's file that names them")
        #expect(
            failure {
                try LoadedData(
                    NoSource(imageShape: [3, 4096, 4096], classNames: (0..<9).map { "\($0)" }))
            } == "data.image-shape: images too large to be made: found [3, 4096, 4096] for 9 "
                + "classes, expected at most 2^28 bytes for one of each class")
        #expect(
            failure { try NoSource(imageShape: [3], classNames: ["a", "b"]).read() }
                == "data.image-shape: value out of range: found [3], expected [channels, height, width]"
        )
        let source = NoSource(imageShape: [3, 2, 2], classNames: ["a", "b"])
        let data = try LoadedData(source)
        #expect(!source.hasSamples && data.test == nil && data.warnings.isEmpty)
        #expect(data.learning.sampleShape == [3, 2, 2] && data.learning.labels == [0, 1])
    }

    // MARK: From outside

    /// A kind that this target does not know.
    private struct Mine: DataSource {
        static let kind = "mine"
        static let keys = ["bright"]
        var bright: Bool
        func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
            let pixels = [UInt8](repeating: bright ? 255 : 0, count: 2)
            return (
                try Dataset(
                    name: "mine",
                    features: .images(bytes: pixels, channels: 1, height: 1, width: 1),
                    labels: [0, 1], classNames: ["a", "b"]), nil
            )
        }
    }

    @Test func aSourceOfOnesOwn() throws {
        let options = DataOptions(Mine(bright: true))
        #expect(options.kind == "mine" && options.source.hasSamples)
        #expect(try object(options)["bright"] as? Bool == true)
        #expect(options == DataOptions(Mine(bright: true)))
        #expect(options != DataOptions(Mine(bright: false)))
        #expect(
            DataOptions(CIFAR10Source(folder: "f")) != DataOptions(CIFAR100Source(folder: "f")))
        #expect(try LoadedData(options.source).learning.count == 2)
    }
}
