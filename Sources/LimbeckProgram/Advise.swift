import ArgumentParser
import Diagnostics
import Experiments
import Files
import Foundation
import Replica
import Report
import Torch

struct Advise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says which methods are worth trying, or how to self-distil on features.",
        subcommands: [AdviseMethods.self, AdviseFeatures.self],
        defaultSubcommand: AdviseFeatures.self)
}

struct AdviseFeatures: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Says whether self-distillation will help on your features, and how to do it.",
        discussion: """
            Estimates sample ratio, variance, noise rate and class share of the training samples as if \
            they came from two Gaussians, asks the theory for the best stages, λ, κ and bias, and sets \
            its predictions beside cross-validation on the same samples. Says so when the Gaussian \
            picture does not fit: then use limbeck selfdistil. FEATURES is a file of limbeck features or \
            a run folder.

            Examples:
              limbeck advise features.safetensors --classes Pullover,Coat --theta 0.2
              limbeck advise runs/first --one 6
            """)

    @Argument(help: "A features file or a run folder.")
    var features: String

    @Option(help: "Two classes by name or number; the second is the positive one.")
    var classes: String?

    @Option(help: "One class against the rest. Without --classes and --one, every class in turn.")
    var one: String?

    @Option(help: "The noise rate, if known; estimated otherwise.")
    var theta: Double?

    @Option(help: "Most stages after stage 0, 1 to 4.")
    var stages: Int = 2

    @Option(help: "auto, yes or no: whiten the features first.")
    var whiten: String = "auto"

    @Option(help: "Use this many training samples at most.")
    var limit: Int = 4000

    @Option(help: "Folds of the cross-validation.")
    var folds: Int = 5

    @Option(help: "Seed of the folds and of the limit.")
    var seed: UInt64 = 0

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @OptionGroup var output: TheoryOutput

    func validate() throws {
        try checkThreads(threads)
        guard (50...100_000).contains(limit) else {
            throw ValidationError("--limit: found \(limit), expected 50 to 100000")
        }
        if classes != nil, one != nil {
            throw ValidationError("--classes and --one: give one of them")
        }
    }

    func run() throws {
        Engine.threads = threads
        try output.check(inputs: [features])
        var question = Advice.Question()
        question.noiseRate = theta
        question.stages = stages
        question.folds = folds
        question.seed = seed
        question.workers = threads
        switch whiten {
        case "auto": break
        case "yes": question.whiten = true
        case "no": question.whiten = false
        default: throw Problem.unknownWord("--whiten", whiten, ["auto", "yes", "no"])
        }
        let set = try FeatureSet.loaded(features)
        var problems: [TwoClasses] = []
        if let one {
            problems = [
                try TwoClasses(set, oneAgainstRest: set.classNumber(one, option: "--one"))
            ]
        } else if classes != nil || set.classNames.count == 2 {
            problems = [try TwoClasses(set, pair: set.pair(classes))]
        } else {
            // A class without samples (labels that begin at 1 have one) is nobody's question.
            let present = Set(set.labels)
            for number in set.classNames.indices where present.contains(number) {
                problems.append(try TwoClasses(set, oneAgainstRest: number))
            }
            for number in set.classNames.indices where !present.contains(number) {
                Console.say(
                    "warning: class \(Problem.oneLine(set.classNames[number], limit: 60)): "
                        + "no samples, left out")
            }
        }
        var reports: [AdviceReport] = []
        for problem in problems {
            let rows = problem.sample(limit: limit, seed: seed)
            let training = try problem.features.selecting(rows).standardised(
                on: Array(rows.indices))
            let advice = try Advice(
                features: training.matrix(Array(rows.indices)),
                given: rows.map { problem.given[$0] },
                clean: problem.clean.map { clean in rows.map { clean[$0] } }, question: question)
            reports.append(
                AdviceReport(
                    problem: problem, advice: advice, samples: rows.count,
                    dimension: training.dimension))
        }
        let page = AdviceReport.page(reports, source: set.source)
        try output.publish(["problems": reports.map(\.json)], page: page)
        let points = reports.flatMap { report in
            report.advice.points.map { (report.problem.positive, $0) }
        }
        let unsolved = points.filter { $0.1.predicted.isNaN }.map { name, point in
            "\(Problem.oneLine(name, limit: 40)): stage \(point.stage) at lambda "
                + Numbers.compact(point.lambda)
        }
        if !unsolved.isEmpty { throw Problem.unsolved(unsolved, of: points.count) }
    }
}
