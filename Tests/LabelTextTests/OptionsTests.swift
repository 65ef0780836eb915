import Foundation
import LabelText
import Testing

struct OptionsTests {
    private func read(_ json: String) throws -> EmbeddingOptions {
        try JSONDecoder().decode([EmbeddingOptions].self, from: Data("[\(json)]".utf8))[0]
    }

    @Test func everyKindReadsBackAsItWasWritten() throws {
        let all: [(String, EmbeddingOptions)] = [
            (#""one-hot""#, .oneHot), (#""table""#, .table),
            (#""random""#, .random(dimension: 384, seed: 0)),
            (#"{"kind": "one-hot"}"#, .oneHot), (#"{"kind": "table"}"#, .table),
            (#"{"kind": "random", "seed": 7}"#, .random(dimension: 384, seed: 7)),
            (#"{"kind": "file", "file": "a.csv"}"#, .file("a.csv")),
            (
                #"{"kind": "minilm", "folder": "m"}"#,
                .miniLM(folder: "m", text: .init(prompt: "a photo of a {name}", clean: true))
            ),
            (
                #"{"kind": "minilm", "folder": "m", "prompt": "{name}!", "clean": false}"#,
                .miniLM(folder: "m", text: .init(prompt: "{name}!", clean: false))
            ),
            (#"{"kind": "glove", "folder": "g"}"#, .gloVe(folder: "g")),
        ]
        for (json, options) in all {
            #expect(try read(json) == options)
            let written = try JSONEncoder().encode([options])
            #expect(try JSONDecoder().decode([EmbeddingOptions].self, from: written) == [options])
        }
    }

    @Test(arguments: [
        (
            #""minilm""#,
            "Index 0: label embeddings of kind minilm need a path: expected {kind: minilm, folder: PATH}"
        ),
        (
            #""file""#,
            "Index 0: label embeddings of kind file need a path: expected {kind: file, file: PATH}"
        ),
        (
            #"{"kind": "minilm", "folder": "m", "prompt": "a photo"}"#,
            #"Index 0.prompt: the prompt is the same for every class: found "a photo", expected {name} somewhere in it"#
        ),
        (
            #"{"kind": "random", "dimension": 0}"#,
            "Index 0.dimension: value out of range: found 0, expected 1 to 65536"
        ),
    ])
    func whatIsWrongIsSaidInOneLine(_ json: String, _ sentence: String) {
        #expect { _ = try read(json) } throws: { "\($0)" == sentence }
    }

    @Test func namesThatCannotBeUsed() {
        for (name, fault) in [
            (
                "a" + String(repeating: "\u{301}", count: 31),
                "more than 30 combining marks in a row"
            ),
            (String(repeating: "x", count: 1025), "1025 bytes"),
        ] {
            #expect {
                try LabelEmbeddings.check(names: ["good", name])
            } throws: {
                "\($0)"
                    == "a class name that cannot be used: found \(fault), expected at most 1024 "
                    + "bytes and 30 combining marks in a row"
            }
        }
    }

    @Test func promptsCleanTheNameAndNothingElse() {
        let standard = LabelPrompt.standard
        #expect(standard.text(of: "pickup_truck") == "a photo of a pickup truck")
        #expect(standard.text(of: "T-shirt/top") == "a photo of a T shirt/top")
        let raw = LabelPrompt(prompt: "{name}: one {name}", clean: false)
        #expect(raw.text(of: "a_{name}") == "a_{name}: one a_{name}")
    }
}
