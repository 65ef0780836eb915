import Diagnostics
import Distillation
import Files
import Foundation
import Report
import TestSupport
import Testing
import Torch

@testable import RunReports
@testable import Training

/// A method that nobody but this test knows shows everything that can be shown.
private struct Shown: Training.Method {
    static let name = "shown"
    func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(), isGuided: false)]
    }

    struct Target: PhaseTarget {
        static let name = "shown"
        func objective(_ phase: PhaseContext) throws -> any Objective { ShownObjective() }
    }
}

private final class ShownObjective: Objective {
    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        Losses(
            .init("own-loss", crossEntropy(outputs[learner].logits, labels: batch.labels)))
    }

    func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        ["own.metric": Double(epoch.epoch) + 0.5]
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        let seed = Double(epoch.phase.spec.seed)
        return [
            Section(
                title: "Own section", summary: "own summary", warnings: ["An own warning."],
                findings: ["An own finding."],
                tables: [
                    TableModel(title: "Own table", columns: [.init("own head")], rows: [["1"]])
                ],
                charts: [
                    CurveChart(
                        title: "Own chart", xLabel: "epoch", yLabel: "own",
                        curves: [
                            Curve(
                                name: "own curve", x: history.map { Double($0.epoch) },
                                mean: history.map { $0.metrics?["own.metric"] ?? .nan })
                        ])
                ],
                heatMaps: [
                    HeatMap(
                        title: "Own map", rowLabels: ["a"], columnLabels: ["b"], values: [[0.25]],
                        format: .decimal(2), rowAxis: "r", columnAxis: "c")
                ],
                imageGrids: [
                    ImageGrid(
                        title: "Own images", rows: [.init(name: "r", images: [[9]])],
                        columns: ["first"], width: 1, height: 1, channels: 1)
                ],
                values: [
                    .init("own-share", "own share", 0.25 + seed / 2, .percent(1)),
                    .init("own-unknown", "own unknown", nil, .percent(1)),
                ], note: "An own note.",
                columns: [
                    .init(name: "rows", numbers: (0..<epoch.phase.rows).map { Double($0) / 3 }),
                    .init(
                        name: "a, b", cells: (0..<epoch.phase.rows).map { $0 == 0 ? "x,\n\"y" : "" }
                    ),
                ]),
            Section(
                title: "Second section",
                values: [.init("count", "own count", of: "one", 3, .count)], subject: "own subject"),
        ]
    }
}

@Suite(.serialized, .takesTurns) struct SectionTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-sections-\(UUID())").path
        deinit { try? LocalFileSystem().remove(path) }
    }

    private let folder = Folder()

    private func run(
        _ name: String, seed: UInt64 = 0, _ environment: TrainingEnvironment = .init()
    ) throws -> Run {
        try LocalFileSystem().createDirectory(folder.path)
        let text = """
            data: {kind: embedded, limit: 200}
            noise: {kind: symmetric, rate: 0.3}
            model: {name: mlp, hidden: [16]}
            method: {name: cross-entropy}
            training: {epochs: 2, batch: 64, checkpoint-steps: 2}
            """
        var recipe = try RecipeFile(text: text, file: "tiny").decoded(Recipe.self)
        (recipe.method, recipe.seed, recipe.name) = (AnyMethod(Shown()), seed, "own row")
        return try Run(
            recipe, folder: "\(folder.path)/\(name)", compute: ComputeOptions(threads: 1),
            environment: environment)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try readFile("\(folder.path)/\(path)"), as: UTF8.self)
    }

    private func object(_ json: some Encodable) throws -> [String: Any] {
        let data = try JSONEncoder().encode(json)
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func values(_ json: some Encodable) throws -> [String: Any] {
        let rows = try #require(try object(json)["rows"] as? [[String: Any]])
        let phases = try #require(rows[0]["values"] as? [String: Any])
        #expect(phases.keys.sorted() == ["student"])
        return try #require(phases["student"] as? [String: Any])
    }

    @Test func aRunShowsAllOfIt() throws {
        let run = try run("run")
        let result = try run.train()
        let phase = result.scores.phases[0]
        #expect(phase.value("own-share") == 0.25 && phase.value("own-unknown") == nil)
        #expect(phase.sections.map(\.summary) == ["own summary", nil])
        let metrics = run.store.metrics(run.chain[0])
        #expect(metrics.map { $0.metrics?["own.metric"] } == [0.5, 1.5])

        let record = try RunRecord(folder: run.folder)
        let page = RunReport.page(record)
        #expect(page.warnings.contains("An own warning."))
        #expect(page.findings.first == "An own finding.")
        #expect(page.tables.map(\.title).suffix(2) == ["Own table", "Second section"])
        #expect(page.tables.last?.rows == [["student", "one", "3"]])
        #expect(page.charts.last?.title == "Own chart")
        #expect(page.charts.last?.curves.first?.mean == [0.5, 1.5])
        #expect(page.heatMaps.last?.title == "Own map")
        #expect(page.imageGrids.map(\.title) == ["Own images"])
        let html = try page.html()
        for text in ["Own table", "Own chart", "Own map", "Own images", "An own warning."] {
            #expect(html.contains(text), "\(text)")
        }

        let json = try values(TableJSON(run: run, result: result, report: "r"))
        #expect(json.keys.sorted() == ["count.one", "own-share", "own-unknown"])
        #expect((json["own-share"] as? [String: Any])?["mean"] as? Double == 0.25)
        #expect(json["own-unknown"] is NSNull, "unknown stays unknown")
    }

    /// Training samples have their cells, validation samples empty ones.
    @Test func columnsJoinTheSamples() throws {
        let run = try run("run")
        _ = try run.train()
        let lines = try text("run/samples.csv").split(separator: "\n")
        #expect(
            lines[0]
                == #"index,split,given,clean,predicted,confidence,loss,student.rows,"student.a, b""#
        )
        let training = lines.filter { $0.contains(",train,") }
        #expect(training.count == run.data.split.train.count)
        #expect(training[0].hasSuffix(#",0,"x,\n""y""#))
        #expect(training[1].hasSuffix(",0.333333,"))
        #expect(lines.dropFirst(training.count + 1).allSatisfy { $0.hasSuffix(",,") })
        #expect(
            lines.dropFirst(training.count + 1).allSatisfy {
                $0.split(separator: ",", omittingEmptySubsequences: false).count == 9
            })
    }

    @Test func aComparisonShowsItsNumbers() throws {
        let runs = try (0..<2).map { try run("run-\($0)", seed: UInt64($0)) }
        let results = try runs.map { try $0.train() }
        func cells(_ row: String) -> [Comparison.Cell] {
            zip(runs, results).map { run, result in
                Comparison.Cell(
                    row: row, noise: 0, seed: run.recipe.seed, setting: "",
                    phases: run.chain.map(Comparison.Phase.init), results: result.scores.phases,
                    metrics: run.chain.map(run.store.metrics), useEMA: false, seconds: 1,
                    realisedNoise: nil)
            }
        }
        let facts = try RunFacts(folder: runs[0].folder)
        func report(_ rows: [String]) -> ComparisonReport {
            ComparisonReport(
                ComparisonRecord(
                    facts: facts, rows: rows, seeds: [0, 1],
                    noises: [.init(kind: "symmetric", rate: 0.3, realised: 0.3)],
                    cells: rows.flatMap(cells)))
        }
        let own = report(["own row"])
        let page = try own.page(folder: runs[0].folder)
        let table = try #require(page.tables.first { $0.title == "Own section, in percent" })
        #expect(table.columns.map(\.title) == ["method", "own share", "own unknown"])
        #expect(table.rows == [["own row", "50.0 ± 35.4", "–"]] && table.note == "An own note.")
        let counts = try #require(page.tables.first { $0.title == "Second section" })
        #expect(counts.columns.map(\.title) == ["method", "own subject", "own count"])
        #expect(counts.rows == [["own row", "one", "3"]])
        #expect(
            page.warnings.suffix(1) == ["own row, seed 0 (and 1 more seed): An own warning."])
        // The terminal answers; the page has the rest.
        #expect(!own.terminal.contains("Own section, in percent"))
        let json = try values(TableJSON(own.record, report: "r"))
        // One number per seed; two epochs are no five.
        let row = try #require(
            (try object(TableJSON(own.record, report: "r"))["rows"] as? [[String: Any]])?.first)
        let last = try #require((row["last"] as? [String: Any])?["values"] as? [Double])
        #expect(last == results.map(\.evaluations.last.test.accuracy))
        #expect(row["last_five"] is NSNull)
        let share = try #require(json["own-share"] as? [String: Any])
        #expect(share["mean"] as? Double == 0.5 && share["sd"] is Double)

        // Rows that share their phases are one line.
        let shared = try report(["own row", "another", "third"]).page(folder: runs[0].folder)
        let one = try #require(shared.tables.first { $0.title == "Own section, in percent" })
        #expect(one.rows == [["own row and 2 more", "50.0 ± 35.4", "–"]])
        #expect(shared.warnings.count == page.warnings.count)
    }

    @Test(arguments: [1, 3, 4, 5]) func resumedRunsHaveTheSame(_ steps: Int) throws {
        _ = try run("whole").train()
        var environment = TrainingEnvironment()
        let count = Count()
        environment.shouldStop = { count.next() == steps }
        #expect(throws: Problem.self) { try run("cut", environment).train() }
        _ = try run("cut").train()
        for name in ["sections.json", "columns.csv", "metrics.jsonl", "result.json"] {
            let path = "phases/0-student/\(name)"
            #expect(try text("cut/\(path)") == (try text("whole/\(path)")), "\(name)")
        }
        #expect(try text("cut/samples.csv") == (try text("whole/samples.csv")))
    }

    @Test(arguments: ["sections.json", "columns.csv"]) func damageIsRefused(_ name: String) throws {
        let run = try run("run")
        _ = try run.train()
        let path = "\(run.folder)/phases/0-student/\(name)"
        var bytes = try readFile(path)
        bytes[bytes.count / 2] ^= 4
        try LocalFileSystem().write(bytes, to: path)
        let problem = #expect(throws: Problem.self) { try RunRecord(folder: run.folder) }
        #expect(problem?.description.hasPrefix("\(path): the file is damaged") == true)
    }

    private final class Count: @unchecked Sendable {
        // The steps of these runs are asked one after the other.
        private var value = 0
        func next() -> Int {
            value += 1
            return value
        }
    }
}
