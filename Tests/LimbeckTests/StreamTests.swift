import Files
import Foundation
import TestSupport
import Testing

/// Standard streams that are closed, full, or have nobody at their other end; folders and files that
/// results must not go to; two processes at once.
@Suite(.serialized, .takesTurns) struct StreamTests {
    private let tool: Tool
    /// Every recipe is the same tiny one.
    private let train: String

    init() throws {
        tool = try Tool()
        try tool.write("tiny.yaml", TinyRuns.text("{name: cross-entropy}"))
        train = "\"$P\" train tiny.yaml \(TinyRuns.flags.joined(separator: " "))"
    }

    /// Runs a shell's line in which `$P` is the program; its own exit code.
    private func shell(_ line: String) throws -> Tool.Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = URL(fileURLWithPath: tool.folder)
        process.environment = ["P": try #require(Tool.program), "PATH": "/usr/bin:/bin"]
        let (out, err) = (try tool.write("shell.out", ""), try tool.write("shell.err", ""))
        process.standardOutput = FileHandle(forWritingAtPath: out)
        process.standardError = FileHandle(forWritingAtPath: err)
        process.standardInput = FileHandle.nullDevice
        let began = Date()
        try process.run()
        process.waitUntilExit()
        let isSignal = process.terminationReason == .uncaughtSignal
        return Tool.Outcome(
            status: process.terminationStatus + (isSignal ? 128 : 0),
            out: String(decoding: try readFile(out), as: UTF8.self),
            err: String(decoding: try readFile(err), as: UTF8.self),
            seconds: Date().timeIntervalSince(began))
    }

    private static let closed = "limbeck: standard output: cannot write: Bad file descriptor"

    @Test func resultsThatGoNowhereAre74() throws {
        for command in ["--version", "--help", "train --help", "demo --print-recipe"] {
            let outcome = try shell("\"$P\" \(command) >&-")
            #expect(outcome.status == 74, "\(command)")
            #expect(outcome.err == Self.closed + "\n", "\(command)")
            #if os(Linux)
                let full = try shell("\"$P\" \(command) >/dev/full")
                #expect(full.status == 74, "\(command)")
                #expect(
                    full.err == "limbeck: standard output: cannot write: No space left on device\n")
            #endif
        }
        // The reader is gone before the first word.
        let piped = try shell("{ sleep 0.3; \"$P\" demo --print-recipe; echo $? >code; } | :")
        #expect(piped.err == "limbeck: standard output: cannot write: Broken pipe\n")
        #expect(try readFile(tool("code")) == Array("74\n".utf8))
        #expect(try shell("\"$P\" demo --print-recipe >&- 2>&-").status == 74)
        // What is wrong with the call comes first.
        #expect(try shell("\"$P\" trian >&-").status == 64)
    }

    /// Training goes on without its words, and nothing that is meant for a stream lands in a file.
    @Test func closedStreamsChangeNoFile() throws {
        #expect(try shell("\(train) --out whole").status == 0)
        for (name, streams, status) in [
            ("error-closed", "2>&-", 0), ("output-closed", ">&-", 74),
            ("all-closed", "<&- >&- 2>&-", 74),
        ] as [(String, String, Int32)] {
            let outcome = try shell("\(train) --out \(name) \(streams)")
            #expect(outcome.status == status, "\(name): \(outcome.err)")
            #expect(try tool.differences(tool("whole"), tool(name)) == [], "\(name)")
        }
        #if os(Linux)
            let full = try shell("\(train) --out error-full 2>/dev/full")
            #expect(full.status == 0)
            #expect(full.out.contains("report: error-full/report.html"))
            #expect(try tool.differences(tool("whole"), tool("error-full")) == [])
        #endif
        // A limit of file sizes, in blocks of 512 bytes, as a full disk; then room again.
        let limited = try shell("ulimit -f 16; \(train) --out limited")
        #expect(limited.status == 74)
        #expect(limited.complaint.hasPrefix("limbeck: limited/"), "\(limited.err)")
        #expect(limited.complaint.hasSuffix(": cannot write: File too large"), "\(limited.err)")
        let again = try shell("\(train) --out limited --resume")
        #expect(again.status == 0, "\(again.err)")
        #expect(try tool.differences(tool("whole"), tool("limited")) == [])
    }

    @Test func foreignFoldersAreRefused() throws {
        #expect(try shell("\(train) --out run").status == 0)
        try LocalFileSystem().createDirectory(tool("mine"))
        try tool.write("mine/recipe.yaml", "mine")
        try tool.write("mine/labels.csv", "mine")
        let before = try tool.content(tool.folder).filter { !$0.key.hasPrefix("shell.") }
        func refused(_ command: String, _ folder: String, _ name: String, _ what: String) throws {
            let outcome = try shell("\"$P\" \(command)")
            #expect(outcome.status == 64, "\(command)")
            #expect(
                outcome.complaint
                    == "limbeck: \(folder): the folder holds other files: found \"\(name)\", expected a new "
                    + "or empty folder, or one of the same \(what) (give another --out)",
                "\(command)")
        }
        try refused("train tiny.yaml --out mine", "mine", "labels.csv", "run")
        try refused("train tiny.yaml --out mine --resume", "mine", "labels.csv", "run")
        try refused("compare tiny.yaml --out mine", "mine", "labels.csv", "comparison")
        try refused("compare tiny.yaml --out run", "run", "run.json", "comparison")
        try refused("demo --out mine", "mine", "labels.csv", "comparison")
        try refused("synthesize run --out mine", "mine", "labels.csv", "data set")
        try refused("theory solve --out mine", "mine", "labels.csv", "theory")
        try refused("train tiny.yaml --out .", ".", "mine", "run")
        let file = try shell("\(train) --out tiny.yaml")
        #expect(file.status == 64)
        #expect(
            file.complaint
                == "limbeck: tiny.yaml: not a folder: expected a new or empty folder (give another --out)"
        )
        let after = try tool.content(tool.folder).filter { !$0.key.hasPrefix("shell.") }
        #expect(before == after)
    }

    @Test func outputsThatAreInputsAreRefused() throws {
        #expect(try shell("\(train) --out run && ln tiny.yaml other.yaml").status == 0)
        try tool.write("table.csv", "a,b\n1,2\n")
        try tool.write("labels.csv", "index,label\n0,1\n")
        let table = TinyRuns.text("{name: cross-entropy}").replacing(
            "{kind: embedded, limit: 200}", with: "{kind: csv, path: table.csv}")
        try tool.write("table.yaml", table)
        for (command, option, found) in [
            ("noise tiny.yaml --out tiny.yaml", "--out", "tiny.yaml"),
            ("noise tiny.yaml --out other.yaml", "--out", "other.yaml, which is tiny.yaml"),
            ("noise --labels labels.csv --out labels.csv", "--out", "labels.csv"),
            ("noise table.yaml --out ./table.csv", "--out", "./table.csv, which is table.csv"),
            ("predict run table.csv --out table.csv", "--out", "table.csv"),
            (
                "predict run table.csv --out run/model.safetensors", "--out",
                "run/model.safetensors"
            ),
            ("features run --out run/recipe.yaml", "--out", "run/recipe.yaml"),
            ("report run --out run/result.json", "--out", "run/result.json"),
            ("embed-labels --names labels.csv --glove g --out labels.csv", "--out", "labels.csv"),
            (
                "import table.csv --model mlp --classes 2 --sample-shape 2 --out table.csv",
                "--out",
                "table.csv"
            ),
            ("selfdistil table.csv --svg table.csv", "--svg", "table.csv"),
        ] {
            let outcome = try shell("\"$P\" \(command)")
            #expect(outcome.status == 64, "\(command)")
            #expect(
                outcome.complaint
                    == "limbeck: \(option): the output would replace an input: found \(found) "
                    + "(give another name)", "\(command)")
        }
        #expect(try readFile(tool("table.csv")) == Array("a,b\n1,2\n".utf8))
    }

    /// Started at the same instant, one goes on and the other is refused.
    @Test func twoProcessesInOneFolder() throws {
        #expect(try shell("\(train) --out whole").status == 0)
        for trial in 0..<4 {
            let name = "race-\(trial)"
            // Not `wait`: the signals that it waits for may be blocked here.
            let race = try shell(
                "(\(train) --out \(name) >a.out 2>a.err; echo $? >a.code) & "
                    + "\(train) --out \(name) >b.out 2>b.err; echo $? >b.code; "
                    + "until [ -s a.code ]; do sleep 0.05; done")
            #expect(race.status == 0)
            let codes = try ["a", "b"].map {
                try #require(
                    Int(
                        String(decoding: try readFile(tool("\($0).code")), as: UTF8.self)
                            .trimmingCharacters(in: .whitespacesAndNewlines)))
            }
            // The second comes while the first trains, or after it is done.
            #expect(codes.sorted() == [0, 74] || codes.sorted() == [0, 64], "\(codes)")
            if let loser = codes.firstIndex(of: 74) {
                let said = String(
                    decoding: try readFile(tool(["a.err", "b.err"][loser])), as: UTF8.self)
                #expect(
                    said.contains(
                        "limbeck: \(name): another process writes into this folder: found process "),
                    "\(said)")
            }
            #expect(try tool.differences(tool("whole"), tool(name)) == [])
            try LocalFileSystem().remove(tool("a.code"))
        }
    }
}
