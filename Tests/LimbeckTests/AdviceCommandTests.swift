import Files
import Foundation
import Randomness
import SafeTensors
import TestSupport
import Testing

/// `features`, `selfdistil` and what `advise` refuses. What advice says is tested in TrainingTests and,
/// because a search takes minutes in a debug build, by acceptance/theory.
@Suite(.serialized, .takesTurns) struct AdviceCommandTests {
    private static let recipe = """
        data: {kind: embedded, limit: 400}
        noise: {kind: symmetric, rate: 0.2}
        model: {name: mlp, hidden: [12]}
        method: {name: cross-entropy}
        optimizer: {learning-rate: 0.02}
        training: {epochs: 1, batch: 32}
        """

    @Test func featuresOfPixelsAndOfARun() throws {
        let tool = try Tool()
        try tool.write("r.yaml", Self.recipe)
        let trained = try tool.run(["train", "r.yaml", "--out", "run", "--threads", "1"])
        try #require(trained.status == 0, "\(trained.err)")
        for (source, width) in [(["pixels", "--recipe", "r.yaml"], nil), (["run"], 12)] {
            let done = try tool.run(
                ["features"] + source + ["--out", "f.safetensors", "--threads", "1", "--json"])
            try #require(done.status == 0, "\(done.err)")
            let file = try SafeTensorsFile(path: tool("f.safetensors"))
            let shape = try #require(file["features"]).shape
            // 400 to learn from and 1,000 to test on; no split of them leaks.
            #expect(shape[0] == 1400)
            if let width { #expect(shape[1] <= width) } else { #expect(shape[1] > 500) }
            let count = try #require(try done.object()["features"] as? Int)
            #expect(count == shape[1])
            let split = try file.ints(of: "split")
            #expect(split.count { $0 == 2 } == 1000)
            let (labels, clean) = (try file.ints(of: "labels"), try file.ints(of: "clean"))
            let wrong = zip(labels, clean).count { $0 != $1 }
            // A fifth of the 400 is drawn anew.
            #expect((40...110).contains(wrong))
        }
    }

    /// Labels that begin at 1 have a class 0 without samples, which is no question; numbers that
    /// know nothing of the classes are refused in a moment.
    @Test func classesWithoutSamplesAndChance() throws {
        let tool = try Tool()
        var draw = Draw(seed: 3, .tests)
        var writer = SafeTensorsWriter()
        let count = 120
        writer.add(
            "features", floats: (0..<count * 3).map { _ in Float(draw.normal()) },
            shape: [count, 3])
        writer.add("labels", ints: (0..<count).map { 1 + $0 % 3 }, shape: [count])
        try tool.write("f.safetensors", try writer.encoded())
        let done = try tool.run(["advise", "f.safetensors", "--threads", "1"])
        #expect(done.status == 65)
        #expect(done.err.contains("warning: class 0: no samples, left out"))
        #expect(done.err.contains("the features do not tell the classes apart"))
    }

    @Test func experimentOnARun() throws {
        let tool = try Tool()
        try tool.write("r.yaml", Self.recipe)
        try tool.run(["train", "r.yaml", "--out", "run", "--threads", "1"])
        let done = try tool.run([
            "selfdistil", "run", "--classes", "0,1", "--sizes", "30", "--theta", "0.2", "--trials",
            "2", "--stages", "2", "--bias", "carry", "--threads", "1", "--json",
        ])
        try #require(done.status == 0, "\(done.err)")
        let object = try done.object()
        let cells = try #require(object["cells"] as? [[String: Any]])
        #expect(cells.count == 1)
        let errors = try #require(cells[0]["errors"] as? [String: [String: Double]])
        #expect(Set(errors.keys) == ["0-SD", "1-SD hard", "1-SD soft", "2-SD hard", "auto hard"])
        let accepted = try #require(cells[0]["accepted"] as? [Int])
        let tried = try #require(cells[0]["tried"] as? [[[String: Any]]])
        for (count, stages) in zip(accepted, tried) {
            #expect(stages.count == min(count + 1, 2))
            for (k, stage) in stages.enumerated() {
                #expect(stage["accepted"] as? Bool == (k < count))
            }
        }
        #expect(errors.values.allSatisfy { (0...1).contains($0["mean"] ?? -1) })
        let again = try tool.run([
            "selfdistil", "run", "--classes", "0,1", "--sizes", "30", "--theta", "0.2", "--trials",
            "2", "--stages", "2", "--bias", "carry", "--threads", "1", "--json",
        ])
        #expect(again.out == done.out)
        let further = try tool.run([
            "selfdistil", "run", "--classes", "0,1", "--sizes", "30", "--theta", "0.2", "--trials",
            "2", "--stages", "2", "--bias", "carry", "--arms", "centroids,turn", "--threads", "1",
            "--json",
        ])
        try #require(further.status == 0, "\(further.err)")
        let more = try #require((try further.object()["cells"] as? [[String: Any]])?.first)
        let all = try #require(more["errors"] as? [String: [String: Double]])
        #expect(Set(all.keys) == Set(errors.keys).union(["TURN", "centroid weights"]))
        #expect(errors.allSatisfy { all[$0.key] == $0.value })
    }

    @Test func mistakes() throws {
        let tool = try Tool()
        try tool.write("r.yaml", Self.recipe)
        _ = try tool.run(["features", "pixels", "--recipe", "r.yaml", "--out", "f.safetensors"])
        try tool.write("cut.safetensors", [16, 0, 0])
        for (arguments, status, complaint) in [
            (
                ["features", "pixels", "--out", "g"], 64,
                "limbeck: no data to take features of (give --recipe, or a run folder)"
            ),
            (
                ["selfdistil", "f.safetensors"], 64,
                "limbeck: --classes: which two classes: found 10 classes, expected two of them, separated by a comma"
            ),
            (
                ["selfdistil", "f.safetensors", "--classes", "0"], 64,
                "limbeck: --classes: wrong value: found \"0\", expected two classes, separated by a comma"
            ),
            (
                ["selfdistil", "f.safetensors", "--classes", "0,1", "--arms", "turn,soft"], 64,
                "limbeck: --arms: wrong value: found \"turn,soft\", expected turn, centroids, each once at most"
            ),
            (["selfdistil", "f.safetensors", "--classes", "0,1", "--arms", "turn,turn"], 64, nil),
            (["selfdistil", "f.safetensors", "--classes", "0,1", "--arms", ""], 64, nil),
            (["advise", "f.safetensors", "--whiten", "maybe"], 64, nil),
            (["advise", "cut.safetensors"], 65, nil),
            (["advise", "nothing.safetensors"], 74, nil),
        ] as [([String], Int32, String?)] {
            let done = try tool.run(arguments)
            #expect(done.status == status, "\(arguments): \(done.err)")
            if let complaint { #expect(done.complaint == complaint) }
            #expect(done.out.isEmpty)
        }
    }
}
