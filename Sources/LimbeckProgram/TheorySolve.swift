import ArgumentParser
import Diagnostics
import Foundation
import Replica
import Report

struct TheorySolve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "solve",
        abstract: "Errors and order parameters of every stage at given λ and β.",
        discussion: "Example: limbeck theory solve --alpha 3 --theta 0.3 --lambda 1,1 --beta inf")

    @OptionGroup var setting: MixtureArguments
    @OptionGroup var stages: ScheduleArguments
    @Option(
        help: "Solve so many times and say the seconds of the fastest: for comparisons of speed.")
    var `repeat`: Int = 1
    @OptionGroup var output: TheoryOutput

    func run() throws {
        try output.check()
        let mixture = try setting.mixture()
        let schedule = try stages.schedule()
        guard (1...1000).contains(`repeat`) else {
            throw Problem.wrongOption("--repeat", "\(`repeat`)", "1 to 1000")
        }
        let theory = StateEvolution(
            mixture, resolution: setting.resolution, workers: setting.workers)
        var (solution, seconds) = try timed { () throws(Problem) in try theory.solve(schedule) }
        for _ in 1..<max(`repeat`, 2) where `repeat` > 1 {
            let next = try timed { () throws(Problem) in try theory.solve(schedule) }
            (solution, seconds) = (next.0, min(seconds, next.1))
        }
        let value = TheoryJSON(
            mixture, solution.stages.map(TheoryJSON.Stage.init), seconds: seconds)
        let page = TheoryPage(
            title: "Self-distillation, \(TheoryTables.setting(schedule))", facts: setting.facts(),
            warnings: TheoryTables.warnings(solution, mixture),
            findings: TheoryTables.levels(mixture),
            tables: [TheoryTables.stages(solution.stages)],
            charts: [TheoryTables.chart(solution, mixture)])
        try output.publish(value, page: page)
        try solution.check()
    }
}

struct TheoryOptimize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "optimize",
        abstract: "The λ of every stage, and the κ of soft labels, that make the error least.",
        discussion: """
            Entry k is the best k-SD, with all its hyper-parameters searched together. κ = β/(4λ) of the \
            stage that gives the labels; quote it, not β. A λ at the upper bound stands for λ → ∞.

            Example: limbeck theory optimize --alpha 1 --theta 0.3 --stages 2 --labels soft
            """)

    @OptionGroup var setting: MixtureArguments
    @Option(help: "Stages after stage 0.")
    var stages: Int = 1
    @OptionGroup var searching: SearchArguments
    @OptionGroup var output: TheoryOutput

    func run() throws {
        try output.check()
        let mixture = try setting.mixture()
        let search = try searching.search(mixture, setting)
        try checkStages(stages)
        let (found, seconds) = try timed { () throws(Problem) in
            try search.solvedOptima(last: stages)
        }
        let value = TheoryJSON(mixture, found, last: stages, seconds: seconds)
        let page = TheoryPage(
            title:
                "Best self-distillation, \(search.loss.rawValue), \(search.labels.rawValue) labels",
            facts: setting.facts(), findings: TheoryTables.findings(found, mixture),
            tables: [TheoryTables.optima(found)],
            charts: found.isEmpty
                ? []
                : [TheoryTables.chart(found.map(\.error), mixture, title: "Best error of k-SD")])
        try output.publish(value, page: page)
        if let unsolved = value.unsolved { throw Problem.noOptimum(stages: unsolved) }
    }
}

/// What a search is told, by words.
struct SearchArguments: ParsableArguments {
    @Option(help: "cross-entropy or squared.")
    var loss: String = StageLoss.crossEntropy.rawValue

    @Option(help: "learn, carry (from stage 0), or fixed:VALUE.")
    var bias: String = "learn"

    @Option(
        help: "hard or soft labels. Default: hard with cross-entropy, soft with the squared loss.")
    var labels: String?

    @Option(help: "Range of λ, from,to.")
    var lambdaRange: String = "1e-3,1e6"

    @Option(help: "Range of κ, from,to.")
    var kappaRange: String = "1e-3,1e3"

    func search(_ mixture: NoisyMixture, _ setting: MixtureArguments) throws(Problem)
        -> HyperParameterSearch
    {
        var words = ScheduleArguments()
        (words.lambda, words.beta) = (nil, nil)
        (words.loss, words.bias, words.labels) = (loss, bias, labels)
        var search = HyperParameterSearch(
            mixture, loss: try words.lossKind(), bias: try words.biasRule(),
            labels: try words.labelKind())
        search.lambdaBounds = try range(lambdaRange, "--lambda-range", within: 1e-9...1e9)
        search.kappaBounds = try range(kappaRange, "--kappa-range", within: 1e-6...1e6)
        search.resolution = setting.resolution
        search.workers = setting.workers
        return search
    }
}

/// `from,to`, both within a range.
func range(_ text: String, _ option: String, within limits: ClosedRange<Double>) throws(Problem)
    -> ClosedRange<Double>
{
    let ends = try numbers(text, option)
    guard ends.count == 2, ends[0] < ends[1], limits.contains(ends[0]), limits.contains(ends[1])
    else {
        throw .wrongOption(
            option, text, "two rising numbers from \(limits.lowerBound) to \(limits.upperBound)")
    }
    return ends[0]...ends[1]
}

func checkStages(_ stages: Int) throws(Problem) {
    guard (0..<StateEvolution.mostStages).contains(stages) else {
        throw .wrongOption("--stages", "\(stages)", "0 to \(StateEvolution.mostStages - 1)")
    }
}

func timed<Value>(_ body: () throws(Problem) -> Value) throws(Problem) -> (Value, Double) {
    let began = DispatchTime.now().uptimeNanoseconds
    let value = try body()
    return (value, Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9)
}
