import ArgumentParser
import Diagnostics
import Experiments
import Files
import Foundation
import Report
import RunReports
import Training

struct AdviseMethods: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods",
        abstract: "Says which methods are worth trying on your data.",
        discussion: """
            Trains cross-entropy on a part of the recipe's data, asks every method whether what was seen \
            meets the condition under which it was measured to help, and trains those that may help on \
            the same part with the recipe's network, optimizer and epochs. Says what each gained over \
            cross-entropy, on the given labels of the validation split, and whether chance explains it. \
            Test labels decide nothing.

            Example: limbeck advise methods Examples/first.yaml
            """)

    @Argument(help: "A recipe. A method of its own is tried as one of several.")
    var recipe: String

    @Option(
        name: .customLong("set"),
        help: "Change one value of the recipe: key.path=value. May be repeated.")
    var overrides: [String] = []

    @Option(help: "Training samples to probe with, at most; as many more are measured on.")
    var samples: Int = 2000

    @Option(help: "Seeds, separated by commas, two or more. Default: 0,1,2.")
    var seeds: String?

    @Flag(help: "Try those methods too whose condition does not hold.")
    var all = false

    @Option(help: "The folder of the probe.")
    var out: String = "runs/advice"

    @Option(help: "Networks trained at a time. Default: processors divided by --threads.")
    var jobs: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeArguments

    func validate() throws {
        guard (50...10_000_000).contains(samples) else {
            throw ValidationError("--samples: found \(samples), expected 50 to 10000000")
        }
        if let jobs, !(1...256).contains(jobs) {
            throw ValidationError("--jobs: found \(jobs), expected 1 to 256")
        }
    }

    func run() throws {
        var file = try RecipeFile(path: recipe)
        for assignment in overrides { file = try file.setting(assignment) }
        var question = MethodProbe.Question()
        question.samples = samples
        question.seeds = try parseSeeds(seeds) ?? question.seeds
        question.triesAll = all
        let probe = try MethodProbe(file, question: question)
        try OutputFolder.check(comparison: out)
        func runner(_ rows: ComparisonFile) -> ComparisonRunner {
            ComparisonRunner(
                rows: rows, seeds: question.seeds, folder: out, jobs: jobs, compute: compute,
                json: json)
        }
        let facts = try probe.facts(try runner(probe.first()).trained())
        let (rows, faults) = try probe.second(facts) { rows in
            do {
                _ = try runner(rows).comparison().plannedPhases()
                return nil
            } catch {
                return error as? Problem
            }
        }
        let record = try runner(rows).trained()
        let report = MethodAdviceReport(
            facts: facts, verdicts: try probe.verdicts(facts, record), faults: faults,
            record: record)
        let path = "\(out)/report.html"
        try report.page(folder: out).write(to: path, using: LocalFileSystem())
        if json {
            Console.print(json: report.json(report: path))
        } else {
            Console.print(report.terminal)
            Console.print("report: \(path)")
        }
        try ComparisonReport(record).complainOfFailures(folder: out)
    }
}
