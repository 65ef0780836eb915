import Foundation
import TestSupport
import Testing

/// What users get wrong: pinned lines, exit codes, and nothing on standard output.
@Suite(.serialized, .takesTurns) struct CommandTests {
    private struct Mistake: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var status: Int32
        /// `DIR` stands for the scratch folder.
        var complaint: String
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ line: String, _ status: Int32, _ complaint: String) {
            arguments = line.split(separator: " ").map(String.init)
            (self.status, self.complaint) = (status, complaint)
        }
    }

    private static let mistakes: [Mistake] = [
        .init("train", 64, "no recipe (limbeck train RECIPE.yaml, or --resume --out RUN)"),
        .init("train nowhere.yaml", 74, "nowhere.yaml: cannot read: No such file or directory"),
        .init("train .", 74, ".: cannot read: not a regular file"),
        .init("trian tiny.yaml", 64, #"unknown command "trian" (did you mean "train"?)"#),
        .init("theory sovle", 64, #"unknown command "theory sovle" (did you mean "solve"?)"#),
        .init(
            "advise metods r.yaml", 64,
            #"unknown command "advise metods" (did you mean "methods"?)"#),
        .init("infer x", 64, #"unknown command "infer" (did you mean "predict"?)"#),
        .init(
            "train tiny.yaml --device gpu", 64,
            #"--device: unknown word "gpu" (did you mean "cpu"?)"#),
        .init(
            "train tiny.yaml --precision half", 64,
            #"--precision: unknown word "half" (one of: auto, fp32, bf16)"#),
        .init(
            "train tiny.yaml --set optimizer.learning-rat=1", 65,
            #"tiny.yaml, line 5, optimizer.learning-rat: unknown key "learning-rat" (did you mean "learning-rate"?)"#
        ),
        .init(
            "train tiny.yaml --set rate", 64,
            #"--set: not an assignment: found "rate", expected key.path=value"#),
        .init(
            "train tiny.yaml --set noise.rate=2", 65,
            "tiny.yaml, line 2, noise.rate: rate out of range: found 2.0, expected 0...1"),
        .init(
            "train rows.yaml", 65,
            "rows.yaml, rows: this is a comparison, not a recipe (use limbeck compare)"),
        .init(
            "train search.yaml", 65,
            "search.yaml, search: train does one run and cannot search (use limbeck compare)"),
        .init(
            "train damaged.yaml", 65,
            "bad-images: IDX size does not match its header: found 20 bytes, expected 800016"),
        .init(
            "train tiny.yaml --out file/run", 74,
            "file/run: cannot create the folder: Not a directory"),
        .init(
            "train --resume --out nowhere", 74,
            "nowhere/recipe.yaml: cannot read: No such file or directory"),
        .init(
            "train tiny.yaml --resume --out nowhere", 74,
            "nowhere: no run to resume: expected a folder with recipe.yaml"),
        .init(
            "embed-labels cat --minilm nowhere --out x", 74,
            "nowhere/config.json: cannot read: No such file or directory"),
        .init(
            "embed-labels cat --minilm nowhere --prompt photo --out x", 64,
            #"--prompt: wrong value: found "photo", expected {name} somewhere in it"#),
        .init("compare nowhere.yaml", 74, "nowhere.yaml: cannot read: No such file or directory"),
        .init(
            "compare tiny.yaml --seeds 1,x", 64,
            #"--seeds: wrong value: found "1,x", expected different whole numbers, separated by commas"#
        ),
        .init(
            "compare tiny.yaml --seeds 1,1", 64,
            #"--seeds: wrong value: found "1,1", expected different whole numbers, separated by commas"#
        ),
        .init(
            "compare tiny.yaml tiny.yaml", 65,
            #"tiny.yaml, rows: two rows of the same name: found "cross-entropy""#),
        .init(
            "compare tiny.yaml --set noise.rate=2", 65,
            "tiny.yaml, line 2, noise.rate: rate out of range: found 2.0, expected 0...1"),
        .init(
            "demo --seeds , --out d", 64,
            #"--seeds: wrong value: found ",", expected different whole numbers, separated by commas"#
        ),
        .init("evaluate nowhere", 74, "nowhere: cannot read: No such file or directory"),
        .init(
            "evaluate tiny.yaml", 65,
            "tiny.yaml: not a safetensors file: found text (weights are a safetensors file, or what torch.save wrote)"
        ),
        .init("predict nowhere samples.csv", 74, "nowhere: cannot read: No such file or directory"),
        .init(
            "noise --kind symetric", 65,
            #"embedded data, noise.kind: unknown kind of label noise: found "symetric" (did you mean "symmetric"?)"#
        ),
        .init(
            "noise --kind symmetric --rate 4", 65,
            "embedded data, noise.rate: rate out of range: found 4.0, expected 0...1"),
        .init(
            "noise --kind symmetric", 65,
            "embedded data, noise.rate: missing: kind symmetric needs it"),
        .init(
            "noise --labels nowhere.csv", 74, "nowhere.csv: cannot read: No such file or directory"),
        .init(
            "noise --kind symmetric --rate 0.2 --out file/x", 74,
            "file/x: cannot write: Not a directory"),
        .init(
            "report nowhere", 65,
            "nowhere: neither a run nor a comparison: expected a folder that train or compare finished"
        ),
    ]

    private func scratch() throws -> Tool {
        let tool = try Tool()
        try tool.write("tiny.yaml", TinyRuns.text("{name: cross-entropy}"))
        try tool.write("rows.yaml", "rows: []\n")
        try tool.write(
            "search.yaml", TinyRuns.text("{name: cross-entropy}") + "\nsearch: {seed: [1, 2]}\n")
        try tool.write(
            "damaged.yaml",
            TinyRuns.text("{name: cross-entropy}").replacing(
                "{kind: embedded, limit: 200}",
                with: "{kind: idx, images: bad-images, labels: bad-images}"))
        // 1,000 images of 20 × 40 pixels are promised, four bytes are there.
        try tool.write(
            "bad-images", [0, 0, 8, 3, 0, 0, 3, 232, 0, 0, 0, 20, 0, 0, 0, 40, 1, 2, 3, 4])
        try tool.write("file", "")
        return tool
    }

    @Test func pinnedLines() throws {
        let tool = try scratch()
        for mistake in Self.mistakes {
            let outcome = try tool.run(mistake.arguments)
            #expect(outcome.complaint == "limbeck: \(mistake.complaint)", "\(mistake.arguments)")
            #expect(outcome.status == mistake.status, "\(mistake.arguments)")
            #expect(outcome.out == "", "\(mistake.arguments)")
        }
    }

    /// What the parser of arguments refuses is wrong usage too.
    @Test(arguments: [
        "train tiny.yaml --treads 3", "train tiny.yaml --threads 0",
        "train tiny.yaml --seed x",
        "compare", "compare tiny.yaml --jobs 0", "evaluate", "evaluate x --part tests",
        "evaluate x --threads 0",
        "predict x", "predict x y --json", "predict x y --threads 9999", "noise --rate much",
        "report",
        "doctor --fast", "demo --seeds",
    ])
    func usage(_ line: String) throws {
        let tool = try scratch()
        let outcome = try tool.run(line.split(separator: " ").map(String.init))
        #expect(outcome.status == 64)
        #expect(outcome.err.hasPrefix("Error: "))
        #expect(outcome.out == "")
    }

    @Test func helpAndVersion() throws {
        let tool = try scratch()
        let version = try tool.run(["--version"])
        #expect(version.status == 0 && version.out == "0.1.0\n")
        for command in [
            "demo", "train", "compare", "evaluate", "predict", "noise", "report", "doctor",
        ] {
            let help = try tool.run([command, "--help"])
            #expect(help.status == 0)
            #expect(
                help.out.hasPrefix("OVERVIEW: ") && help.out.contains("USAGE: limbeck \(command)"))
        }
    }

    @Test func dryRunTrainsNothing() throws {
        let tool = try scratch()
        let before = try FileManager.default.contentsOfDirectory(atPath: tool.folder).sorted()
        for arguments in [["train", "tiny.yaml"], ["compare", "tiny.yaml"]] {
            let outcome = try tool.run(arguments + ["--dry-run"] + TinyRuns.flags)
            #expect(outcome.status == 0, "\(outcome.err)")
            #expect(outcome.out.contains("nothing was trained"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: tool.folder).sorted() == before)
        }
        let plan = try tool.run(["train", "tiny.yaml", "--dry-run", "--json"] + TinyRuns.flags)
            .object()
        let phase = try #require((plan["phases"] as? [[String: Any]])?.first)
        // 784·24 + 24 + 24·10 + 10
        #expect(phase["parameters"] as? Int == 19_090)
        // 170 samples in batches of 32, two epochs.
        #expect(phase["steps"] as? Int == 12)
        #expect(
            plan["samples"] as? [String: Int] == ["train": 170, "validation": 30, "test": 1000])
    }
}
