import Foundation
import TestSupport
import Testing
import Training

/// What a user sees of weights learnt per sample: the JSON and the pages.
@Suite(.serialized, .takesTurns) struct MixingReportTests {
    private let method =
        "{name: adaptive-mixing, warm-up: 0, meta-interval: 1, initial-weight: 0.5, "
        + "teachers: [{corrupt: {share: 0.5}}, {untrained: true}]}"

    private func keys(_ value: Any?) -> Set<String> {
        Set((value as? [String: Any])?.keys.map { $0 } ?? [])
    }

    /// Numbers of the student's phase.
    private func values(_ row: Any?) throws -> [String: Any] {
        let phases = try #require((row as? [String: Any])?["values"] as? [String: Any])
        return try #require(phases["student"] as? [String: Any])
    }

    private func page(_ tool: Tool, _ path: String) throws -> String {
        try String(contentsOfFile: tool(path), encoding: .utf8)
    }

    @Test func aRun() throws {
        let tool = try Tool()
        try tool.write("tiny.yaml", TinyRuns.text(method))
        let outcome = try tool.run(
            ["train", "tiny.yaml", "--out", "run", "--json"] + TinyRuns.flags)
        #expect(outcome.status == 0, "\(outcome.err)")
        let rows = try #require(try outcome.object()["rows"] as? [Any])
        let values = try values(rows[0])
        let names = [1, 2].flatMap { ["weight.teacher-\($0)", "wrong-auc.teacher-\($0)"] }
        #expect(Set(values.keys) == Set(names + ["alignment-auc"]))
        for name in names { #expect(keys(values[name]) == ["mean", "sd", "values"], "\(name)") }

        // The mean of the JSON is that of the samples' own file.
        let lines = try page(tool, "run/samples.csv").split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let column = try #require(lines[0].firstIndex(of: "student.weight-teacher-2"))
        let cells = lines.dropFirst().compactMap { Double($0[column]) }
        let weight = try #require(
            (values["weight.teacher-2"] as? [String: Any])?["mean"] as? Double)
        #expect(abs(cells.reduce(0, +) / Double(cells.count) - weight) < 1e-5)

        let page = try page(tool, "run/report.html")
        for title in [
            "Weight of teacher-1", "Weight of teacher-2",
            "Mean weight where the given label is right and where it is wrong",
            "confidence in the given label",
            "Meta-validation loss in the meta passes",
            "Weights of the losses over the training samples (student)",
            "Least trusted outputs of the first teacher (student)",
            "Most trusted outputs of the first teacher (student)",
        ] { #expect(page.contains(title), "\(title)") }
        #expect(page.contains("does not detect wrong labels"))
        #expect(page.contains("The label alignment of the first meta pass is lower"))
    }

    /// Without label noise only the teacher that was corrupted on purpose can be called wrong.
    @Test func aComparison() throws {
        let tool = try Tool()
        try tool.write(
            "c.yaml",
            """
            data: {kind: embedded, limit: 200, meta-validation: 0.1}
            model: {name: mlp, hidden: [16]}
            training: {epochs: 2, batch: 64, ema: 0}
            seeds: [0, 1]
            rows:
              - {name: plain, method: {name: cross-entropy}}
              - {name: mixed, method: \(method)}
            """)
        let outcome = try tool.run(["compare", "c.yaml", "--out", "c", "--json"] + TinyRuns.flags)
        #expect(outcome.status == 0, "\(outcome.err)")
        let rows = try #require(try outcome.object()["rows"] as? [[String: Any]])
        #expect(rows[0]["values"] == nil)
        let values = try values(rows[1])
        #expect(keys(values["wrong-auc.teacher-1"]) == ["mean", "sd", "values"])
        #expect(values["wrong-auc.teacher-2"] is NSNull && values["alignment-auc"] is NSNull)
        let spread = try #require(values["weight.teacher-1"] as? [String: Any])
        #expect(spread["sd"] is Double)
        let page = try page(tool, "c/report.html")
        #expect(page.contains("Learnt weights of the teachers, in percent"))
    }
}
