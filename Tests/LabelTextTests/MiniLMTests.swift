import Diagnostics
import Foundation
import LabelText
import SafeTensors
import TestSupport
import Testing
import Torch

/// What the reference (transformers, tokenizers; scripts/fixtures/label_text.py) makes of many
/// strings.
struct Reference {
    struct Case: Decodable {
        var text: String
        var tiny: [Int]
        var real: [Int]
    }

    let cases: [Case]
    let vectors: FixtureFile

    init() throws {
        cases = try JSONDecoder().decode(
            [Case].self, from: Data(contentsOf: URL(fileURLWithPath: Self.path("tokens.json"))))
        vectors = try FixtureFile("vectors", in: .module)
    }

    static func path(_ name: String) -> String {
        Bundle.module.bundlePath + "/Fixtures/" + name
    }

    /// The folder of the real model, where there is one: scripts/label-embeddings minilm FOLDER.
    static let miniLM = ProcessInfo.processInfo.environment["LIMBECK_MINILM"]

    func texts(_ kind: String) throws -> [String] {
        try JSONDecoder().decode(
            [String].self, from: Data((vectors.file.metadata[kind] ?? "").utf8))
    }

    func expectEqual(_ tokens: WordPiece, _ wanted: (Case) -> [Int]) {
        for (i, example) in cases.enumerated() {
            #expect(tokens(example.text) == wanted(example), "string \(i): \(example.text)")
        }
    }
}

@Suite(.takesTurns) struct MiniLMTests {
    @Test func stringsBecomeTheReferencesNumbers() throws {
        let file = Reference.path("tiny-bert/vocab.txt")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let reference = try Reference()
        #expect(reference.cases.count > 60)
        reference.expectEqual(try WordPiece(vocabulary: bytes, file: file), \.tiny)
    }

    @Test func textsBecomeTheReferencesVectors() throws {
        try withNoLeaks {
            let reference = try Reference()
            let encoder = try SentenceEncoder(folder: Reference.path("tiny-bert"))
            #expect(encoder.dimension == 24)
            for (i, text) in try reference.texts("tiny").enumerated() {
                try expectClose(
                    encoder(text).map(Double.init),
                    reference.vectors.tensor("tiny.\(i)").doubles(), 2e-6, "tiny.\(i)")
            }
        }
    }

    @Test func aLongTextIsCutAndStillEnds() throws {
        let file = Reference.path("tiny-bert/vocab.txt")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let tokens = try WordPiece(vocabulary: bytes, file: file)
        let whole = tokens("a photo of a cat", limit: 512)
        #expect(whole.count > 4)
        for limit in 2...whole.count + 1 {
            let cut = tokens("a photo of a cat", limit: limit)
            #expect(cut.count == min(limit, whole.count))
            #expect(cut.dropLast() == whole.prefix(cut.count - 1))
            #expect(cut.last == whole.last)
        }
    }

    /// Every character of Unicode alone and between letters: no trap, no number out of range.
    @Test func anyCharacterIsTaken() throws {
        let file = Reference.path("tiny-bert/vocab.txt")
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let tokens = try WordPiece(vocabulary: bytes, file: file)
        for start in stride(from: UInt32(0), to: 0x110000, by: 0x40) {
            var text = ""
            for value in start..<start + 0x40 {
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars += [scalar, "a"] }
            }
            #expect(tokens(text).allSatisfy { (0..<tokens.count).contains($0) })
        }
    }

    @Test(.enabled(if: Reference.miniLM != nil)) func theRealModelAgreesWithTheReference() throws {
        let reference = try Reference()
        let encoder = try SentenceEncoder(folder: Reference.miniLM!)
        reference.expectEqual(encoder.tokens, \.real)
        for (i, text) in try reference.texts("real").enumerated() {
            try expectClose(
                encoder(text).map(Double.init),
                reference.vectors.tensor("real.\(i)").doubles(), 1e-5, "real.\(i)")
        }
    }

    /// The tables were made by this program; the vectors beside them by the reference.
    @Test(arguments: [
        ("T-shirt/top", 1, LabelTable.fashionMNIST), ("Ankle boot", 2, .fashionMNIST),
        ("7", 3, .digits), ("airplane", 4, .cifar10), ("willow_tree", 5, .cifar100),
        ("red ring", 6, .colourShapes),
    ])
    func tablesHoldTheReferencesVectors(_ name: String, _ text: Int, _ table: LabelTable) throws {
        let made = try LabelEmbeddings.table(classes: [name])
        #expect(made.dimension == 384)
        #expect(made.source == "MiniLM table \(table.rawValue)")
        let wanted = try Reference().vectors.tensor("real.\(text)").doubles()
        try expectClose(made.values.map(Double.init), wanted, 1e-6, name)
    }

    @Test func aTableCoversItsDataSetAndSaysWhatItLacks() throws {
        let digits = (0..<10).map(String.init)
        let all = try LabelEmbeddings.table(classes: digits)
        #expect(all.values.count == 3840)
        #expect(all.identicalClasses.isEmpty)
        for row in 0..<10 {
            #expect(abs(all[row].reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
        }
        #expect(try EmbeddingOptions.table.load(classes: digits) == all)
        let scratch = try Scratch()
        func line(_ classes: [String]) -> String {
            (scratch.line { _ = try LabelEmbeddings.table(classes: classes) } ?? "none")
        }
        #expect(
            line(["cat", "dog", "brid"]).hasSuffix(
                #"cifar10.safetensors, class "brid": no vector for a class (did you mean "bird"?)"#)
        )
        #expect(
            line(["aardvark"])
                == #"no label table of the program knows these classes: found "aardvark", expected those of fashion-mnist, digits, cifar10, cifar100, colour-shapes (limbeck embed-labels makes a file for others)"#
        )
    }
}

/// Folders that are not what they should be.
@Suite(.takesTurns) struct EncoderFolderTests {
    private func line(_ spoil: (Scratch) throws -> Void) throws -> String? {
        let scratch = try Scratch()
        for name in ["config.json", "vocab.txt", "model.safetensors"] {
            try FileManager.default.copyItem(
                atPath: Reference.path("tiny-bert/\(name)"), toPath: "\(scratch.path)/\(name)")
        }
        try spoil(scratch)
        return scratch.line { _ = try SentenceEncoder(folder: scratch.path) }
    }

    private func configured(_ key: String, _ value: String) throws -> String? {
        try line { scratch in
            let path = Reference.path("tiny-bert/config.json")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let changed = text.replacing(
                try Regex("\"\(key)\": [^,\n]*"), with: "\"\(key)\": \(value)")
            #expect(changed != text)
            _ = try scratch.write("config.json", changed)
        }
    }

    @Test func whatIsWrongIsSaidInOneLine() throws {
        #expect(try line { _ in } == nil)
        #expect(
            try line { try FileManager.default.removeItem(atPath: $0.path + "/vocab.txt") }
                == "vocab.txt: cannot read: No such file or directory")
        #expect(
            try line { _ = try $0.write("vocab.txt", "a\nb\n") }
                == "vocab.txt: not a vocabulary of WordPiece: expected a line [UNK]")
        #expect(
            try line { _ = try $0.write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\n") }
                == "vocab.txt: vocabulary and config.json do not belong together: found 3 entries, expected 288"
        )
        #expect(
            try line { _ = try $0.write("config.json", "[1]") }
                == "config.json: not the configuration of a BERT: found wrong value of \"\"")
        #expect(
            try line { _ = try $0.write("config.json", "{") }
                == "config.json: not the configuration of a BERT: found no JSON object")
        #expect(
            try configured("hidden_size", "\"x\"")
                == "config.json: not the configuration of a BERT: found wrong value of \"hidden_size\""
        )
        #expect(
            try configured("hidden_act", "\"relu\"")
                == "config.json, hidden_act: an encoder of another build: found relu, expected gelu"
        )
        #expect(
            try configured("num_attention_heads", "5")
                == "config.json, num_attention_heads: an encoder of another build: found 5, expected a divisor of hidden_size, 24"
        )
        #expect(
            try configured("num_hidden_layers", "4000000000")
                == "config.json, num_hidden_layers: an encoder of another build: found 4000000000, expected 1 to 96"
        )
        #expect(
            try configured("num_hidden_layers", "3")?.hasPrefix(
                "model.safetensors, tensor \"encoder.layer.2.attention.self.query.weight\": "
                    + "no such tensor") == true
        )
        #expect(
            try configured("intermediate_size", "47")
                == "model.safetensors, tensor encoder.layer.0.intermediate.dense.weight: weights and config.json do not belong together: found shape [48, 24], expected [47, 24]"
        )
    }
}
