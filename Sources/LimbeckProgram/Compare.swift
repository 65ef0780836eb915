import ArgumentParser
import Diagnostics
import Files
import Foundation
import RunReports
import Training

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares methods over label noise and seeds in one table.",
        discussion: """
            Takes a comparison file (a recipe with the key `rows`) or several recipes, one row each. \
            Phases that rows share are trained once. Running it again continues where it stopped. A row, \
            seed or setting that fails (a loss that is not finite) is named and marked, the others are \
            trained, and the exit code is 65; running it again tries it again.

            Example: limbeck compare comparison.yaml --seeds 0,1,2 --out comparisons/noise
            """)

    @Argument(help: "Comparison file, or recipes.")
    var recipes: [String]

    @Option(
        name: .customLong("set"),
        help: "Change one value of every row: key.path=value. May be repeated.")
    var overrides: [String] = []

    @Option(help: "Seeds, separated by commas; at least three say something about chance.")
    var seeds: String?

    @Option(help: "The folder of the comparison.")
    var out: String = "runs/comparison"

    @Option(help: "Networks trained at a time. Default: processors divided by --threads.")
    var jobs: Int?

    @Flag(help: "Check everything; train nothing.")
    var dryRun = false

    @Flag(help: "Make phases whose files are damaged again instead of refusing them.")
    var remake = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeArguments

    func validate() throws {
        if let jobs, !(1...256).contains(jobs) {
            throw ValidationError("--jobs: found \(jobs), expected 1 to 256")
        }
    }

    func run() throws {
        let files = try recipes.map { (path) throws(Problem) in try RecipeFile(path: path) }
        try ComparisonRunner(
            rows: try ComparisonFile(files, overrides: overrides), seeds: try parseSeeds(seeds),
            folder: out, jobs: jobs, compute: compute, json: json, remake: remake
        ).run(dryRun: dryRun)
    }
}

/// What `compare`, `demo` and `advise methods` do once they know their rows.
struct ComparisonRunner {
    var rows: ComparisonFile
    var seeds: [UInt64]?
    var folder: String
    var jobs: Int?
    var compute: ComputeArguments
    var json: Bool
    var remake = false

    func run(dryRun: Bool = false) throws {
        try OutputFolder.check(comparison: folder)
        let comparison = try comparison()
        if dryRun {
            let phases = try announced(comparison)
            if json {
                return Console.print(
                    json: [
                        "rows": rows.rows.count, "seeds": comparison.seeds.count, "phases": phases,
                    ])
            }
            return Console.print("nothing is wrong with the recipes; nothing was trained")
        }
        let record = try trained(comparison)
        for warning in record.facts.warnings { Console.say("warning: \(warning)") }
        let report = try ComparisonReport(record).write(to: folder, using: LocalFileSystem())
        if json {
            Console.print(json: TableJSON(record, report: report))
        } else {
            Console.print(ComparisonReport(record).terminal)
            Console.print("report: \(report)")
        }
        try ComparisonReport(record).complainOfFailures(folder: folder)
    }

    func comparison() throws -> Comparison {
        let first = try rows.rows[0].candidates[0].file.decoded(Recipe.self)
        let options = try compute.resolve(model: first.model, concurrent: true)
        // Checked above; networks differ only in the precision that suits them.
        let resolve = { @Sendable [compute] model in
            (try? compute.resolve(model: model, concurrent: true)) ?? options
        }
        var environment = try TrainingEnvironment.program()
        environment.remake = remake
        let processors = ProcessInfo.processInfo.activeProcessorCount
        return try Comparison(
            rows, folder: folder, seeds: seeds, compute: resolve, threads: options.threads,
            workers: jobs ?? max(1, processors / options.threads), environment: environment)
    }

    /// Says how much work there is.
    private func announced(_ comparison: Comparison) throws -> Int {
        let phases = try comparison.plannedPhases()
        Console.say(
            "\(rows.rows.count) row\(rows.rows.count == 1 ? "" : "s"), \(comparison.seeds.count) seeds, "
                + "\(comparison.noises.count) noise "
                + "setting\(comparison.noises.count == 1 ? "" : "s"): at most \(phases) phases, "
                + "\(comparison.workers) at a time")
        return phases
    }

    /// The record once all is trained.
    func trained() throws -> ComparisonRecord { try trained(comparison()) }

    private func trained(_ comparison: Comparison) throws -> ComparisonRecord {
        let phases = try announced(comparison)
        Progressing.shared.begin(phases: phases, verbose: false)
        try continuedByRunningAgain { try comparison.run() }
        Progressing.shared.clear()
        return try ComparisonRecord(folder: folder)
    }
}

/// Runs what has no `--resume` because it always continues; its hints must not name the options of
/// `train`.
func continuedByRunningAgain<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch var problem as Problem {
        if problem.kind == .interrupted {
            problem.hint = Problem.continuesWhenRunAgain
        } else if problem.hint?.contains("--inexact") == true {
            problem.hint = "set it as it was, or give another --out"
        }
        throw problem
    }
}
