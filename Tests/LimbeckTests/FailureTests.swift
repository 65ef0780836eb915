import Files
import Foundation
import TestSupport
import Testing

/// What the program says of rows that fail and of folders that are damaged.
@Suite(.serialized, .takesTurns) struct FailureTests {
    @Test func aComparisonNamesWhatFailedAndShowsTheRest() throws {
        let tool = try Tool()
        let file = try tool.write(
            "c.yaml",
            """
            data: {kind: embedded, limit: 200}
            model: {name: mlp, hidden: [8]}
            training: {epochs: 2, batch: 64}
            seeds: [0]
            rows:
              - {name: good, method: {name: cross-entropy}}
              - {name: wild, method: {name: cross-entropy}, optimizer: {learning-rate: 1.0e+30}}
              - {name: searched, method: {name: cross-entropy}, search: {optimizer.learning-rate: [0.02, 1.0e+30]}}
            """)
        let arguments = ["compare", file, "--out", "out", "--json"] + TinyRuns.flags
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 65)
        #expect(
            outcome.complaint.hasPrefix(
                "limbeck: out: 1 of 3 cells and 1 setting of a search failed: wild, seed 0, phase student, "
                    + "epoch 1, step 2: the loss is not finite: found term \"cross-entropy\", expected a "
                    + "finite number; searched, seed 0, setting optimizer.learning-rate=1.0e+30, phase student"
            ),
            "\(outcome.complaint)")
        let rows = try #require(try outcome.object()["rows"] as? [[String: Any]])
        #expect(rows.map { $0["seeds"] as? Int } == [1, 0, 1])
        for part in ["last", "selected", "seconds"] { #expect(rows[1][part] is NSNull) }
        #expect(rows[0]["failed"] == nil && rows[0]["last"] is [String: Any])
        let failed = try #require(rows[1]["failed"] as? [[String: Any]])
        #expect(failed.count == 1 && failed[0]["seed"] as? Int == 0)
        #expect((rows[2]["failed"] as? [[String: Any]])?.first?["setting"] as? String != nil)
        // The page is made again from the record alone.
        #expect(try tool.run(["report", "out"]).status == 0)
        let page = try String(contentsOfFile: tool("out/report.html"), encoding: .utf8)
        #expect(page.contains("wild (failed)") && page.contains("searched (1 setting failed)"))

        // A phase that is damaged is refused by name and made again on demand.
        let folder = tool("out/phases")
        let phase = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted().first {
                FileManager.default.fileExists(atPath: "\(folder)/\($0)/result.json")
            })
        let path = "\(folder)/\(phase)/last.safetensors"
        let intact = try readFile(path)
        try LocalFileSystem().write(Array(intact.dropLast()), to: path)
        let refused = try tool.run(arguments)
        #expect(refused.status == 65)
        #expect(refused.complaint.contains("/\(phase)/last.safetensors: the file is damaged"))
        #expect(refused.complaint.hasSuffix("or add --remake to make it again)"))
        #expect(try tool.run(arguments + ["--remake"]).status == 65)
        #expect(try readFile(path) == intact)
    }

    @Test func hintsAboutDamageWorkLiterally() throws {
        let tool = try Tool()
        let recipe = try tool.write("r.yaml", TinyRuns.text("{name: cross-entropy}"))
        #expect(try tool.run(["train", recipe, "--out", "run"] + TinyRuns.flags).status == 0)
        let before = try tool.content(tool("run"))
        try LocalFileSystem().write(
            Array(try readFile(tool("run/recipe.yaml")) + [10]), to: tool("run/recipe.yaml"))
        let said = try tool.run(["evaluate", "run"])
        #expect(said.status == 65)
        #expect(
            said.complaint.hasPrefix(
                "limbeck: run/recipe.yaml: the file is damaged: its content does "))
        #expect(
            said.complaint.hasSuffix(
                "or make it again with train RECIPE.yaml --resume --remake --out run)"))
        #expect(
            try tool.run(
                ["train", recipe, "--resume", "--remake", "--out", "run"] + TinyRuns.flags
            )
            .status == 0)
        #expect(try tool.content(tool("run")) == before)
        let usage = try tool.run(["train", recipe, "--remake"])
        #expect(usage.status == 64 && usage.err.contains("--remake: only with --resume"))
    }
}
