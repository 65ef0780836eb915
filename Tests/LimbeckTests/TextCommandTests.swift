import Foundation
import TestSupport
import Testing

/// The commands on texts: the example's recipe, shortened, and files for prediction.
@Suite(.takesTurns) struct TextCommandTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private func example(_ tool: Tool, _ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Self.root)/\(path)"))
        try FileManager.default.createDirectory(
            atPath: tool("Examples/data"), withIntermediateDirectories: true)
        try tool.write(path, Array(bytes))
    }

    @Test func theExample() throws {
        let tool = try Tool()
        try example(tool, "Examples/text.yaml")
        try example(tool, "Examples/data/reviews.csv")
        let common = ["--threads", "1", "--json"]
        let dry = try tool.run(["train", "Examples/text.yaml", "--dry-run"] + common).object()
        #expect(dry["sample_shape"] as? [Int] == [1, 1024])
        let noise = try tool.run(["noise", "Examples/text.yaml", "--json"]).object()
        #expect(noise["samples"] as? Int == 160)
        try tool.write(
            "data.yaml",
            "data: {kind: text, path: Examples/data/reviews.csv, label: true_label}\n")
        let injected = try tool.run(
            ["noise", "data.yaml", "--kind", "symmetric", "--rate", "0.3", "--json"]
        ).object()
        #expect(injected["kind"] as? String == "symmetric")
        let trained = try tool.run(
            [
                "train", "Examples/text.yaml", "--out", "run", "--set", "training.epochs=8",
                "--set", "model.buckets=2000",
            ] + common)
        #expect(trained.status == 0, "\(trained.err)")

        // The run's own data, and the same texts in a table of another order of columns.
        let own = try tool.run(["evaluate", "run"] + common).object()
        #expect(try #require(own["accuracy"] as? Double) > 0.6)
        let table = try tool.run(
            [
                "evaluate", "run", "--table", "Examples/data/reviews.csv", "--label-column",
                "true_label",
            ] + common
        ).object()
        #expect(table["samples"] as? Int == 200)
        #expect(try #require(table["accuracy"] as? Double) > 0.6)

        // Two texts: in a column of the same name, in one of another name, and without quotes.
        try tool.write(
            "a.csv", "note,text\n1,\"would buy it again, works like a charm\"\n2,broke\n")
        try tool.write("b.csv", "words\n\"would buy it again, works like a charm\"\nbroke\n")
        try tool.write("c.tsv", "would buy it again, works like a charm\nbroke\n")
        let first = try tool.run(["predict", "run", "a.csv", "--threads", "1"])
        #expect(first.status == 0, "\(first.err)")
        #expect(first.out.split(separator: "\n").count == 3)
        #expect(first.out.split(separator: "\n")[1].hasPrefix("0,good,1,"))
        let second = try tool.run([
            "predict", "run", "b.csv", "--threads", "1", "--text-column", "words",
        ])
        #expect(second.out == first.out)
        // The rest of the layout stays: the column of the labels, and how the delimiter is found.
        try tool.write(
            "d.csv",
            "given;words\ngood;would buy it again, works like a charm\nbad;broke\n")
        let named = try tool.run(
            ["evaluate", "run", "--table", "d.csv", "--text-column", "words"] + common
        ).object()
        #expect(named["samples"] as? Int == 2)
        let third = try tool.run([
            "predict", "run", "c.tsv", "--threads", "1", "--text-column", "0", "--no-header",
            "--no-quotes",
        ])
        #expect(third.out == first.out)
        let wrong = try tool.run(["predict", "run", "b.csv", "--threads", "1"])
        #expect(wrong.status == 65)
        #expect(
            wrong.complaint.hasSuffix(
                "b.csv: a column of training is missing: found no \"text\" (columns are matched by name, in any order)"
            ),
            "\(wrong.err)")
    }
}
