import Diagnostics
import Foundation
import Testing

@testable import LimbeckProgram

/// Two outputs never are one file, however it is spelt.
struct OutputTests {
    private let tool: Tool

    init() throws { tool = try Tool() }

    private func said(_ first: String, _ second: String, inputs: [String] = []) -> String {
        do {
            try Outputs.check([("--out", tool(first)), ("--svg", tool(second))], inputs: inputs)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }

    /// Long paths are cut, as in every message: how long the temporary folder's name is decides nothing here.
    private func twice(_ first: String, _ second: String) -> String {
        Problem.outputTwice("--svg", tool(second), tool(first)).description
    }

    @Test func sentences() {
        #expect(
            Problem.outputTwice("--svg", "b", "a").description
                == "--svg: two outputs would be one file: found b, which is a (give another name)")
        #expect(
            Problem.outputTwice("--svg", "a", "a").description
                == "--svg: two outputs would be one file: found a (give another name)")
    }

    @Test func namesThatAreOneFile() throws {
        try tool.write("there", "old")
        try tool.write("other", "old")
        #expect(link(tool("there"), tool("hard")) == 0)
        #expect(symlink("there", tool("soft")) == 0)
        #expect(symlink("later", tool("dangling")) == 0)
        try FileManager.default.createDirectory(
            atPath: tool("folder"), withIntermediateDirectories: false)
        #expect(symlink("folder", tool("same")) == 0)
        for (first, second) in [
            ("there", "there"), ("new", "new"), ("there", "./there"), ("new", "./new"),
            ("new", "folder/../new"), ("there", "hard"), ("there", "soft"), ("soft", "hard"),
            ("later", "dangling"), ("folder/new", "same/new"), ("no/new", "no/./new"),
        ] {
            #expect(said(first, second) == twice(first, second))
        }
        for (first, second) in [
            ("there", "other"), ("new", "newer"), ("there", "new"), ("new", "folder/new"),
            ("there", "dangling"), ("no/new", "no/newer"),
        ] {
            #expect(said(first, second) == "nothing", "\(first) \(second)")
        }
    }

    /// A chart beside the page that it is on.
    @Test func chartsDoNotReplaceThePage() throws {
        let chart = tool("report.html")
        let output = try TheoryOutput.parse(["--out", tool.folder, "--svg", chart])
        #expect {
            try output.check()
        } throws: {
            "\($0)" == "--out: two outputs would be one file: found \(chart) (give another name)"
        }
    }
}
