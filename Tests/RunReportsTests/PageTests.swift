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
            #expect(page.contains("Points over plain, at the last epoch"))
        }
    }
}
