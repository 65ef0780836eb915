import Foundation
import TestSupport
import Testing
import Training

/// `--json`: one object of the documented shape on standard output, whatever else is said.
@Suite(.serialized, .takesTurns) struct JSONTests {
    private func keys(_ value: Any?) -> Set<String> {
        Set((value as? [String: Any])?.keys.map { $0 } ?? [])
    }
    private func number(_ value: Any?) throws -> Double { try #require(value as? Double) }

    private func row(_ value: Any, seeds: Int) throws {
        let row = try #require(value as? [String: Any])
        #expect(
            keys(row).isSuperset(of: [
                "method", "seeds", "last", "selected", "last_five", "seconds",
            ]))
        #expect(row["seeds"] as? Int == seeds)
        #expect(try number(row["seconds"]) > 0)
        for part in ["last", "selected"] {
            let spread = try #require(row[part] as? [String: Any])
            #expect(keys(spread) == ["mean", "sd", "values"])
            #expect((spread["values"] as? [Double])?.count == seeds)
            #expect((0...1).contains(try number(spread["mean"])))
            if seeds > 1 {
                #expect(try number(spread["sd"]) >= 0)
            } else {
                #expect(spread["sd"] is NSNull)
            }
        }
    }

    @Test func trainEvaluatePredictReport() throws {
        let tool = try Tool()
        let recipe = try tool.write("tiny.yaml", TinyRuns.text("{name: cross-entropy}"))
        let outcome = try tool.run(
            ["train", recipe, "--out", "run", "--json", "--seed", "5"] + TinyRuns.flags)
        #expect(outcome.status == 0, "\(outcome.err)")
        let train = try outcome.object()
        #expect(keys(train) == ["data", "noise", "rows", "report", "run"])
        #expect(train["run"] as? String == "run" && train["report"] as? String == "run/report.html")
        let noise = try #require(train["noise"] as? [String: Any])
        #expect(noise["kind"] as? String == "symmetric" && noise["rate"] as? Double == 0.3)
        #expect(abs(try number(noise["realised"]) - 0.3) < 0.1)
        let rows = try #require(train["rows"] as? [Any])
        #expect(rows.count == 1)
        try row(rows[0], seeds: 1)
        let recipeText = try String(contentsOfFile: tool("run/recipe.yaml"), encoding: .utf8)
        #expect(recipeText.contains("seed: 5"))

        // Measured again from the saved weights, in another process: the same number.
        let evaluate = try tool.run(["evaluate", "run", "--json", "--threads", "1"]).object()
        #expect(
            keys(evaluate) == ["labels", "accuracy", "top5", "nll", "ece", "samples", "per_class"])
        #expect(evaluate["samples"] as? Int == 1000)
        let selected = ((rows[0] as? [String: Any])?["selected"] as? [String: Any])?["mean"]
        #expect(try number(evaluate["accuracy"]) == number(selected))
        #expect(keys(evaluate["per_class"]).count == 10)
        for part in ["train", "validation"] {
            let other = try tool.run(["evaluate", "run", "--json", "--part", part]).object()
            #expect(other["samples"] as? Int == (part == "train" ? 170 : 30))
        }

        try predictions(tool)

        let first = try Data(contentsOf: URL(fileURLWithPath: tool("run/report.html")))
        let report = try tool.run(["report", "run", "--json", "--out", "again.html"]).object()
        #expect(report as? [String: String] == ["report": "again.html"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: tool("again.html"))) == first)
        // A finished run resumes to itself.
        let before = try tool.content(tool("run"))
        #expect(try tool.run(["train", "--resume", "--out", "run"] + TinyRuns.flags).status == 0)
        #expect(try tool.content(tool("run")) == before)
    }

    /// Rows that train several networks say how each of them and all together do.
    @Test func peers() throws {
        let tool = try Tool()
        let recipe = try tool.write(
            "mutual.yaml", TinyRuns.text("{name: mutual, peers: 3, order: 2}"))
        let outcome = try tool.run(
            ["train", recipe, "--out", "run", "--json"] + TinyRuns.flags)
        #expect(outcome.status == 0, "\(outcome.err)")
        let rows = try #require(try outcome.object()["rows"] as? [[String: Any]])
        try row(rows[0], seeds: 1)
        let peers = try #require(rows[0]["peers"] as? [String: Any])
        #expect(
            keys(peers) == [
                "mean_last", "mean_selected", "ensemble_last", "ensemble_selected", "agreement",
            ])
        func mean(_ name: String) throws -> Double {
            try number((peers[name] as? [String: Any])?["mean"])
        }
        #expect(try mean("mean_selected") <= 1 && mean("ensemble_selected") <= 1)
        #expect((0...1).contains(try mean("agreement")))
        let page = try String(contentsOfFile: tool("run/report.html"), encoding: .utf8)
        for text in ["peer-1 (mlp)", "ensemble of the peers", "Agreement between peers"] {
            #expect(page.contains(text), "\(text)")
        }
    }

    /// The same two images as IDX, and as CSV by the network's own shape, get the same answers.
    private func predictions(_ tool: Tool) throws {
        let pixels = (0..<2 * 784).map { UInt8(truncatingIfNeeded: $0 * 31 % 251) }
        try tool.write("images", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28] + pixels)
        let idx = try tool.run(["predict", "run", "images", "--probabilities", "--threads", "1"])
        #expect(idx.status == 0, "\(idx.err)")
        let lines = idx.out.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
        #expect(lines.count == 3)
        #expect(
            lines[0][..<4] == ["index", "predicted", "class", "confidence"] && lines[0].count == 14)
        for line in lines.dropFirst() {
            let p = line.dropFirst(4).compactMap(Double.init)
            #expect(abs(p.reduce(0, +) - 1) < 1e-4)
            #expect(p[try #require(Int(line[2]))] == p.max())
            #expect(abs(try #require(Double(line[3])) - p.max()!) < 1e-5)
        }
        let header = (0..<784).map { "p\($0)" }.joined(separator: ",")
        let body = [pixels[..<784], pixels[784...]].map {
            $0.map(String.init).joined(separator: ",")
        }
        try tool.write("samples.csv", ([header] + body).joined(separator: "\n") + "\n")
        let csv = try tool.run([
            "predict", "run", "samples.csv", "--probabilities", "--threads", "1",
        ])
        #expect(csv.status == 0, "\(csv.err)")
        #expect(csv.out == idx.out)
        let result = try tool.run(
            ["predict", "run", "samples.csv", "--threads", "1", "--out", "p.csv", "--json"]
        ).object()
        #expect(keys(result) == ["samples", "out", "counts"])
        #expect(result["samples"] as? Int == 2 && result["out"] as? String == "p.csv")
        let written = try String(contentsOfFile: tool("p.csv"), encoding: .utf8).split(
            separator: "\n")
        #expect(written.count == 3 && written[0] == "index,predicted,class,confidence")
        let wrong = try tool.run(["predict", "run", "tiny.yaml"])
        #expect(wrong.status == 65 && wrong.out == "")
    }

    private static let comparison = """
        data: {kind: embedded, limit: 200}
        noise: {kind: symmetric, rate: 0.3}
        model: {name: mlp, hidden: [16]}
        training: {epochs: 1, batch: 64, ema: 0}
        seeds: [0, 1]
        rows:
          - {name: plain, method: {name: cross-entropy}}
          - {name: kd, method: {name: distillation}}
          - {name: sd, method: {name: self-distillation, stages: 2}}
          - name: searched
            method: {name: self-distillation, stages: 1, labels: hard}
            search: {optimizer.weight-decay: [0, 0.01]}
            search-on: first-phase
        """

    /// Phases by hand, per seed: cross-entropy (shared by four), the student of `kd`, two stages of
    /// `sd`, the searched first phase with decay (without: shared), and one hard stage.
    @Test func compare() throws {
        let tool = try Tool()
        try tool.write("c.yaml", Self.comparison)
        let arguments = ["compare", "c.yaml", "--out", "c", "--json"] + TinyRuns.flags
        let outcome = try tool.run(arguments)
        #expect(outcome.status == 0, "\(outcome.err)")
        let object = try outcome.object()
        #expect(keys(object) == ["data", "noise", "rows", "report"])
        #expect(keys(object["noise"]) == ["kind", "rate", "realised"])
        let rows = try #require(object["rows"] as? [[String: Any]])
        #expect(rows.map { $0["method"] as? String } == ["plain", "kd", "sd", "searched"])
        for item in rows { try row(item, seeds: 2) }
        let settings = try #require(rows[3]["settings"] as? [String])
        #expect(settings.count == 2)
        #expect(settings.allSatisfy { $0.hasPrefix("optimizer.weight-decay=0") })
        #expect(rows[0]["settings"] == nil)
        let phases = try FileManager.default.contentsOfDirectory(atPath: tool("c/phases"))
        #expect(phases.count == 2 * 6)

        // Another seed alone adds its own phases; the finished ones are found, not trained.
        let times = try modificationTimes(tool("c/phases"))
        let again = try tool.run(arguments + ["--seeds", "0,1,2"])
        #expect(again.status == 0, "\(again.err)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: tool("c/phases")).count == 3 * 6)
        #expect(try modificationTimes(tool("c/phases")).filter { times[$0.key] != nil } == times)
        let third = try #require(try again.object()["rows"] as? [[String: Any]])
        for item in third { try row(item, seeds: 3) }

        // Two workers: another order, the same numbers.
        let wide = try tool.run(
            ["compare", "c.yaml", "--out", "wide", "--json", "--jobs", "2"] + TinyRuns.flags)
        #expect(wide.status == 0, "\(wide.err)")
        let other = try #require(try wide.object()["rows"] as? [[String: Any]])
        for (a, b) in zip(rows, other) {
            #expect((a["last"] as? NSDictionary) == (b["last"] as? NSDictionary))
            #expect((a["selected"] as? NSDictionary) == (b["selected"] as? NSDictionary))
        }

        let page = try Data(contentsOf: URL(fileURLWithPath: tool("wide/report.html")))
        #expect(try tool.run(["report", "wide", "--out", "p.html"]).status == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: tool("p.html"))) == page)
    }

    private func modificationTimes(_ folder: String) throws -> [String: Date] {
        var times: [String: Date] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(folder)/\(name)/result.json")
            times[name] = attributes[.modificationDate] as? Date
        }
        return times
    }

    @Test func noiseAndDoctor() throws {
        let tool = try Tool()
        let noise = try tool.run([
            "noise", "--kind", "pairflip", "--rate", "0.25", "--out", "l.csv", "--json",
        ])
        .object()
        #expect(
            keys(noise) == [
                "data", "kind", "rate", "realised", "intended", "compatibility", "samples",
                "classes",
                "transition", "intended_transition", "sha256", "warnings", "out",
            ])
        #expect(noise["kind"] as? String == "pairflip" && noise["samples"] as? Int == 4000)
        #expect(abs(try number(noise["realised"]) - 0.25) < 0.03)
        let matrix = try #require(noise["transition"] as? [[Double]])
        #expect(matrix.count == 10 && matrix.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
        #expect(matrix.indices.allSatisfy { matrix[$0][$0] + matrix[$0][($0 + 1) % 10] == 1 })
        // What it wrote, it reads back as the same labels.
        let back = try tool.run(["noise", "--labels", "l.csv", "--json"]).object()
        #expect(try number(back["realised"]) == number(noise["realised"]))
        #expect(back["sha256"] as? String == noise["sha256"] as? String)

        let doctor = try tool.run(["doctor", "--json"]).object()
        #expect(
            keys(doctor) == [
                "limbeck", "engine", "instructions", "threads", "devices", "bfloat16",
                "embedded_data", "engine_files", "ok",
            ])
        #expect(doctor["ok"] as? Bool == true)
        #expect((doctor["devices"] as? [String])?.contains("cpu") == true)
    }
}
