import Foundation
import SafeTensors
import TestSupport
import Testing

/// `embed-labels` with the small random BERT of LabelTextTests.
@Suite(.serialized, .takesTurns) struct EmbedLabelsTests {
    private static let encoder =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("LabelTextTests/Fixtures/tiny-bert").path

    @Test func writesAVectorPerClass() throws {
        let tool = try Tool()
        try tool.write("names.txt", Array("cat\r\n\n red ring \nred_ring\n".utf8))
        let done = try tool.run([
            "embed-labels", "--names", "names.txt", "--minilm", Self.encoder, "--out",
            "labels.safetensors", "--json",
        ])
        #expect(done.status == 0, "\(done.err)")
        let object = try done.object()
        #expect(object["classes"] as? Int == 3 && object["dimension"] as? Int == 24)
        // The underscore becomes a space, and then the sentences are the same.
        #expect(object["identical"] as? [[String]] == [["red ring", "red_ring"]])
        let file = try SafeTensorsFile(path: tool("labels.safetensors"))
        #expect(file.tensors.map(\.name) == ["cat", "red ring", "red_ring"])
        #expect(
            file.metadata == [
                "encoder": "MiniLM", "prompt": "a photo of a {name}", "clean": "true",
            ])
        let cat = try file.floats(of: "cat")
        #expect(abs(cat.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    }

    @Test func thePromptIsWhatIsRead() throws {
        let tool = try Tool()
        func vector(_ name: String, _ more: [String]) throws -> [Float] {
            let done = try tool.run(
                ["embed-labels", name, "--minilm", Self.encoder, "--out", "x.safetensors"] + more)
            #expect(done.status == 0, "\(done.err)")
            return try SafeTensorsFile(path: tool("x.safetensors")).floats(of: name)
        }
        let bare = try vector("a photo of a cat", ["--prompt", "{name}"])
        #expect(try vector("cat", []) == bare)
        #expect(try vector("cat", ["--prompt", "the {name}"]) != bare)
        let dashed = try vector("red-ring", ["--as-is"])
        #expect(try vector("red-ring", []) != dashed)
    }

    /// What an editor puts before and behind names is not part of them.
    @Test func namesOfEditors() throws {
        let tool = try Tool()
        try tool.write("names.txt", Array("\u{feff}cat\r\ndog\r\n\r\ncar\r\n".utf8))
        let done = try tool.run([
            "embed-labels", "--names", "names.txt", "--minilm", Self.encoder, "--out",
            "x.safetensors",
        ])
        #expect(done.status == 0, "\(done.err)")
        let file = try SafeTensorsFile(path: tool("x.safetensors"))
        #expect(Set(file.tensors.map(\.name)) == ["cat", "dog", "car"])
    }

    @Test func namesAreText() throws {
        let tool = try Tool()
        try tool.write("names.txt", [0x63, 0xff, 0x0a])
        let done = try tool.run([
            "embed-labels", "--names", "names.txt", "--minilm", Self.encoder, "--out", "x",
        ])
        #expect(done.status == 65)
        #expect(
            done.err.contains(
                "names.txt, byte 1: text is not UTF-8: found ff (save the file as UTF-8)"))
    }
}
