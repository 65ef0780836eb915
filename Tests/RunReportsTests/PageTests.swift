import Files
import Foundation
import RunReports
import TestSupport
import Testing
import Training

/// A Swift program writes the pages that `train` and `compare` write, with what the library makes
/// public.
@Suite(.takesTurns) struct PageTests {
    private let recipe = """
        data: {kind: embedded, limit: 200}
        noise: {kind: symmetric, rate: 0.3}
        model: {name: mlp, hidden: [16]}
        training: {epochs: 1, batch: 64}
        """

    private func withScratch(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-reports-\(UUID())").path
        try LocalFileSystem().createDirectory(folder)
        defer { try? LocalFileSystem().remove(folder) }
        try body(folder)
    }

    @Test func aRun() throws {
        try withScratch { scratch in
            let folder = "\(scratch)/run"
            let file = try RecipeFile(
                text: recipe + "\nmethod: {name: cross-entropy}", file: "tiny")
            let compute = ComputeOptions(threads: 1)
            _ = try Run(file.decoded(Recipe.self), folder: folder, compute: compute).train()
            let path = "\(scratch)/report.html"
            try RunReport.page(RunRecord(folder: folder)).write(to: path)
            let page = try String(contentsOfFile: path, encoding: .utf8)
            #expect(page.contains("Accuracy in percent on the test split"))
            #expect(page.contains("One seed: differences between methods need several"))
        }
    }

    @Test func aComparison() throws {
        try withScratch { scratch in
            let folder = "\(scratch)/comparison"
            let rows = """

                seeds: [0, 1]
                rows:
                  - {name: plain, method: {name: cross-entropy}}
                  - {name: smoothed, method: {name: cross-entropy, smoothing: 0.1}}
                """
            let file = try ComparisonFile([RecipeFile(text: recipe + rows, file: "tiny")])
            try Comparison(
                file, folder: folder, compute: { _ in ComputeOptions(threads: 1) }, threads: 1,
                workers: 1
            ).run()
            let path = "\(scratch)/report.html"
            let report = ComparisonReport(try ComparisonRecord(folder: folder))
            try report.page(folder: folder).write(to: path)
            let page = try String(contentsOfFile: path, encoding: .utf8)
            #expect(page.contains("<li>Best: "))
        }
    }

    /// A row with a noise of its own keeps it beside `noises`; on clean labels it is the ceiling and takes
    /// no part. A robust loss is no plain row.
    @Test func aCeilingFramesTheRows() throws {
        try withScratch { scratch in
            let folder = "\(scratch)/comparison"
            let rows = """

                seeds: [0, 1]
                noises: [{kind: symmetric, rate: 0.2}, {kind: symmetric, rate: 0.4}]
                rows:
                  - {name: plain, method: {name: cross-entropy}}
                  - {name: robust, method: {name: cross-entropy, loss: gce}}
                  - {name: clean, noise: {kind: none}, method: {name: cross-entropy}}
                """
            let file = try ComparisonFile([RecipeFile(text: recipe + rows, file: "tiny")])
            try Comparison(
                file, folder: folder, compute: { _ in ComputeOptions(threads: 1) }, threads: 1,
                workers: 1
            ).run()
            let record = try ComparisonRecord(folder: folder)
            #expect(
                record.ceilings == ["clean"]
                    && record.facts.warnings.allSatisfy { !$0.contains("from the other rows") })
            let report = ComparisonReport(record)
            _ = try report.write(to: folder, using: LocalFileSystem())
            let page = try report.page(folder: folder)
            #expect(page.groups.map(\.title) == ["symmetric 0.2", "symmetric 0.4"])
            for group in page.groups {
                #expect(group.methods.map(\.role) == [.plain, .method, .ceiling])
                #expect(group.methods[2].selected == page.groups[0].methods[2].selected)
                #expect(group.ranking.rows.first { $0.method.role == .ceiling }?.place == nil)
            }
            #expect(
                page.answerLines.count == 2
                    && page.answerLines[0].hasPrefix("symmetric 0.2: Best: "))
            let csv = String(decoding: try readFile("\(folder)/table.csv"), as: UTF8.self)
            #expect(csv.split(separator: "\n").count == 7)
            let latex = String(decoding: try readFile("\(folder)/table.tex"), as: UTF8.self)
            #expect(latex.components(separatedBy: "\\begin{table}").count == 3)
            // Rows that are read no further are folded.
            let html = try page.html()
            #expect(html.components(separatedBy: "<details>").count == 4)
        }
    }
}
