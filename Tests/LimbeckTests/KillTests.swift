import Files
import Foundation
import Randomness
import TestSupport
import Testing
import Training

/// Killed at any instant and resumed, a run ends in the same bytes as one never killed.
///
/// Every tiny recipe, and so every method, is killed at least once; `LIMBECK_KILLS` asks for more
/// (`make reliability` for 20).
@Suite(.serialized, .takesTurns, .sharesReferences) struct KillTests {
    static let kills = max(
        TinyRuns.recipes.count,
        ProcessInfo.processInfo.environment["LIMBECK_KILLS"].flatMap(Int.init) ?? 0)

    private func reference(_ recipe: (name: String, text: String)) throws -> KillReference {
        let references = try #require(KillReferences.current)
        return try references(recipe.name, recipe.text)
    }

    /// Resumes to the end, or starts if the kill came before there was anything to resume.
    private func finish(
        _ reference: KillReference, _ folder: String, _ tool: Tool,
        environment: [String: String] = [:]
    ) throws -> Tool.Outcome {
        let begun = FileManager.default.fileExists(atPath: "\(folder)/recipe.yaml")
        return try tool.run(
            ["train"] + (begun ? ["--resume"] : [reference.recipe]) + ["--out", folder]
                + TinyRuns.flags,
            environment: environment)
    }

    private func killedAt(_ call: Int, half: Bool) -> [String: String] {
        ["LIMBECK_TEST_KILL_AT_CALL": "\(call)", "LIMBECK_TEST_KILL_HALF": half ? "1" : "0"]
    }

    /// A method without a tiny recipe would never be killed.
    @Test func everyMethodIsKilled() throws {
        let trained = try TinyRuns.recipes.map { recipe in
            try RecipeFile(text: recipe.text, file: recipe.name).decoded(Recipe.self).method.name
        }
        #expect(Set(trained) == Set(MethodRegistry.standard.names))
        #expect(KillTests.kills >= trained.count)
    }

    @Test func everyResumeEndsInTheSameBytes() throws {
        let tool = try Tool()
        let references = try TinyRuns.recipes.map(reference)
        var inside = 0
        for trial in 0..<KillTests.kills {
            let reference = references[trial % references.count]
            var draw = Draw(seed: 2025, .tests, sample: trial)
            let folder = tool("killed-\(trial)")
            let what: String
            // Three in every five inside the write of a checkpoint, two at any instant.
            if [0, 1, 3].contains(trial % 5) {
                let call = reference.checkpointCalls[draw.below(reference.checkpointCalls.count)]
                let half = draw.below(2) == 0
                what = "killed at call \(call)\(half ? ", half written" : "")"
                let outcome = try tool.run(
                    ["train", reference.recipe, "--out", folder] + TinyRuns.flags,
                    environment: killedAt(call, half: half))
                #expect(outcome.status == 128 + SIGKILL, "\(what): \(outcome.err)")
                inside += 1
            } else {
                what = try killedByParent(reference, folder, tool, &draw)
            }
            if trial % 2 == 1 {
                // Once more, while it resumes.
                let begun = FileManager.default.fileExists(atPath: "\(folder)/recipe.yaml")
                _ = try tool.run(
                    ["train"] + (begun ? ["--resume"] : [reference.recipe]) + ["--out", folder]
                        + TinyRuns.flags,
                    environment: killedAt(draw.below(40), half: draw.below(2) == 0))
            }
            let outcome = try finish(reference, folder, tool)
            #expect(outcome.status == 0, "\(what): \(outcome.err)")
            let differences = try tool.differences(reference.folder, folder)
            #expect(differences == [], "\(reference.recipe), \(what)")
        }
        #expect(2 * inside >= KillTests.kills)
    }

    /// SIGKILL from outside at a random instant of the run's length; earlier if it was too late.
    private func killedByParent(
        _ reference: KillReference, _ folder: String, _ tool: Tool, _ draw: inout Draw
    ) throws -> String {
        var delay = reference.seconds * (0.2 + 0.75 * draw.uniform())
        while true {
            try LocalFileSystem().remove(folder)
            let outcome = try tool.run(
                ["train", reference.recipe, "--out", folder] + TinyRuns.flags
            ) {
                process, seconds in
                if seconds >= delay { kill(process.processIdentifier, SIGKILL) }
            }
            if outcome.status == 128 + SIGKILL { return "killed after \(delay) s" }
            delay *= 0.7
        }
    }

    /// Inside the write of an image batch, of a held-out one, and of the checkpoint between them.
    @Test func killedWhileThePoolIsWritten() throws {
        let tool = try Tool()
        let reference = try reference(TinyRuns.dataFree)
        let calls = reference.calls
        let writes = calls.indices.filter { calls[$0].contains("/pool/") }
        #expect(writes.count > 40)
        for trial in 0..<max(3, KillTests.kills / 2) {
            var draw = Draw(seed: 2310, .tests, sample: trial)
            let call = writes[draw.below(writes.count)]
            let half = trial % 2 == 0
            let folder = tool("pool-\(trial)")
            let killed = try tool.run(
                ["train", reference.recipe, "--out", folder] + TinyRuns.flags,
                environment: killedAt(call, half: half))
            #expect(killed.status == 128 + SIGKILL, "\(calls[call])")
            let outcome = try finish(reference, folder, tool)
            #expect(outcome.status == 0, "\(calls[call]): \(outcome.err)")
            #expect(try tool.differences(reference.folder, folder) == [], "\(calls[call])")
        }
    }

    /// If other random numbers than those of the interrupted run changed nothing, equal bytes
    /// would prove nothing.
    @Test func otherRandomNumbersEndInOtherBytes() throws {
        let tool = try Tool()
        // A declined stage leaves the weights of the one before it, whatever it drew.
        for recipe in TinyRuns.recipes where recipe.name != TinyRuns.declinedStage.name {
            let reference = try reference(recipe)
            let folder = tool("\(recipe.name)-dropped")
            let call = try #require(reference.lateCalls.dropFirst(4).first)
            let killed = try tool.run(
                ["train", reference.recipe, "--out", folder] + TinyRuns.flags,
                environment: killedAt(call, half: false))
            #expect(killed.status == 128 + SIGKILL)
            let outcome = try finish(
                reference, folder, tool, environment: ["LIMBECK_TEST_DROP_RANDOM_STATE": "1"])
            #expect(outcome.status == 0, "\(outcome.err)")
            let differences = try tool.differences(reference.folder, folder)
            // Not `model.safetensors`: the selected epoch may lie before the kill, or before a term's ramp.
            #expect(
                differences.contains { $0.hasSuffix("/last.safetensors") },
                "\(recipe.name): \(differences)")
        }
    }

    @Test(arguments: [SIGINT, SIGHUP]) func interruptWritesACheckpoint(signal: Int32) throws {
        let tool = try Tool()
        let text = TinyRuns.text("{name: cross-entropy}").replacing(
            "epochs: 2", with: "epochs: 300"
        )
        .replacing("checkpoint-steps: 3", with: "checkpoint-steps: 1000")
        let reference = try reference(("long", text))
        let arguments = ["train", reference.recipe, "--out", tool("cut")] + TinyRuns.flags
        var isSent = false
        let outcome = try tool.run(arguments) { process, _ in
            let begun = FileManager.default.fileExists(atPath: self.metrics(tool("cut")))
            if begun, !isSent {
                kill(process.processIdentifier, signal)
                // Shell and system may both send it.
                if signal == SIGHUP { kill(process.processIdentifier, signal) }
                isSent = true
            }
        }
        #expect(outcome.status == 130)
        let steps = try FileManager.default.contentsOfDirectory(
            atPath: tool("cut/phases/0-student/checkpoints"))
        try #require(steps.count == 1)
        #expect(
            outcome.complaint
                == "limbeck: interrupted (checkpoint \(tool("cut"))/phases/0-student/checkpoints/\(steps[0]); "
                + "continue with --resume)")
        let resumed = try tool.run(["train", "--resume", "--out", tool("cut")] + TinyRuns.flags)
        #expect(resumed.status == 0, "\(resumed.err)")
        #expect(resumed.err.contains("resumed at step"))
        #expect(try tool.differences(reference.folder, tool("cut")) == [])
    }

    private func metrics(_ folder: String) -> String { "\(folder)/phases/0-student/metrics.jsonl" }

    @Test func refusesToResumeOtherwise() throws {
        let tool = try Tool()
        let text = TinyRuns.recipes[0].text
        let reference = try reference(TinyRuns.recipes[0])
        let (recipe, calls) = (reference.recipe, reference.calls)
        let changed = try tool.write(
            "changed.yaml", text.replacing("rate: 0.02", with: "rate: 0.03"))
        let call = try #require(calls.lastIndex { $0.contains("/checkpoints") })
        let out = ["--out", tool("run")]
        let killed = try tool.run(
            ["train", recipe] + out + TinyRuns.flags, environment: killedAt(call - 4, half: true))
        #expect(killed.status == 128 + SIGKILL)
        let before = try tool.content(tool("run"))
        func refused(_ arguments: [String], _ status: Int32, _ sentence: String) throws {
            let outcome = try tool.run(arguments)
            #expect(outcome.status == status)
            #expect(outcome.complaint == "limbeck: \(sentence)")
            #expect(try tool.content(tool("run")) == before, "nothing is touched")
        }
        let run = tool("run")
        try refused(
            ["train", "--resume", "--threads", "2", "--precision", "fp32"] + out, 65,
            "\(run): cannot resume exactly: the thread count differs: found 2, expected 1 "
                + "(pass --threads 1)")
        try refused(
            ["train", "--resume", "--threads", "1", "--precision", "bf16"] + out, 65,
            "\(run): cannot resume exactly: the precision differs: found bf16, expected fp32 "
                + "(pass --precision fp32)")
        try refused(
            ["train", changed, "--resume"] + out + TinyRuns.flags, 65,
            "\(run): the recipe is not the one of this run "
                + "(leave the recipe out to resume with the run's own, or give another --out)")
        try refused(
            ["train", recipe] + out + TinyRuns.flags, 64,
            "\(run): the run folder is there already (continue with --resume, or give another --out)"
        )
        try refused(
            ["train", "--resume", "--out", tool("none")] + TinyRuns.flags, 74,
            "\(tool("none"))/recipe.yaml: cannot read: No such file or directory")
    }
}
