import Files
import Foundation
import TestSupport
import Testing

/// `export`, and the log of `train --tensorboard`.
@Suite(.serialized, .takesTurns) struct ExportTests {
    @Test func aRunForOtherPrograms() throws {
        let tool = try Tool()
        try tool.write(
            "r.yaml",
            TinyRuns.text("{name: cross-entropy}", model: "{name: lenet5}", extra: ", ema: 0"))
        let trained = try tool.run(
            ["train", "r.yaml", "--out", "run", "--tensorboard", "logs"] + TinyRuns.flags)
        #expect(trained.status == 0, "\(trained.err)")
        let logs = try FileManager.default.subpathsOfDirectory(atPath: tool("logs"))
        #expect(logs.contains { $0.hasPrefix("run/0-student/events.out.tfevents.") }, "\(logs)")

        let written = try tool.run(["export", "run", "--out", "m.onnx", "--threads", "1"])
        #expect(written.status == 0, "\(written.err)")
        let lines = written.out.split(separator: "\n").map(String.init)
        #expect(lines.first == "m.onnx")
        #expect(lines.count { $0.contains("every class is the same") } == 2, "\(lines)")
        #expect(try readFile(tool("m.onnx")).starts(with: [8, 8, 18, 7]))

        let small = try tool.run(
            ["export", "run", "--int8", "--probabilities", "--out", "s.onnx", "--json"])
        #expect(small.status == 0, "\(small.err)")
        let object = try small.object()
        #expect(object["output"] as? String == "probabilities")
        let cost = try #require(object["int8"] as? [String: Any])
        let (before, after) = (cost["bytes_before"] as? Int ?? 0, cost["bytes_after"] as? Int ?? 0)
        #expect(before > 0 && 3 * after < before)
        #expect(cost["accuracy_after"] as? Double != nil)

        let folder = try tool.run(["export", "run", "--to", "huggingface", "--out", "hf"])
        #expect(folder.status == 0, "\(folder.err)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: tool("hf")).sorted() == [
                "README.md", "config.json", "model.onnx", "model.safetensors", "network.py",
                "preprocessor_config.json",
            ])
        let page = String(decoding: try readFile(tool("hf/README.md")), as: UTF8.self)
        #expect(page.hasPrefix("---\nlicense: unknown\n") && page.contains("| validation | "))
        // The same again, and never over anything else.
        #expect(try tool.run(["export", "run", "--to", "huggingface", "--out", "hf"]).status == 0)
        try LocalFileSystem().createDirectory(tool("other"))
        try tool.write("other/notes.txt", "mine")
        #expect(
            try tool.run(["export", "run", "--to", "huggingface", "--out", "other"]).status != 0)
        #expect(
            try tool.run(["export", "run", "--out", "run/model.safetensors"]).complaint
                .contains("the output would replace an input"))
        // A weights file has no run to be compared on.
        let file = try tool.run(["export", "run/model.safetensors", "--out", "w.onnx", "--json"])
        #expect((try file.object()["checks"] as? [Any])?.count == 1)
    }
}
