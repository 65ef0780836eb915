import ArgumentParser
import Diagnostics
import Experiments
import Foundation
import Replica
import Report
import Workers

struct TheoryCurve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curve",
        abstract: "Errors against alpha, theta or the stage, with simulated points beside them.",
        discussion: """
            At given λ and β, or with --optimize at the best ones of every point.

            Examples:
              limbeck theory curve --over stage --stages 5 --lambda 1 --simulate 500 --svg stages.svg
              limbeck theory curve --from 0.1 --to 100 --points 20 --optimize --stages 5 --loss squared
              limbeck theory curve --optimize --theta 0.4 --gain --measured pixels.json --svg gain.svg
            """)

    @OptionGroup var setting: MixtureArguments
    @OptionGroup var schedule: ScheduleArguments
    @Option(help: "alpha, theta or stage.")
    var over: String = "alpha"
    @Option(help: "Values of what it runs over, separated by commas.")
    var values: String?
    @Option(help: "First value.")
    var from: Double?
    @Option(help: "Last value.")
    var to: Double?
    @Option(help: "How many values from first to last.")
    var points: Int = 20
    @Flag(help: "Equal ratios between values, and a logarithmic axis.")
    var log = false
    @Option(help: "Stages after stage 0.")
    var stages: Int?
    @Flag(help: "Search the best λ (and κ) at every point.")
    var optimize = false
    @Option(help: "Range of λ for --optimize, from,to.")
    var lambdaRange: String = "1e-3,1e6"
    @Option(help: "Range of κ for --optimize, from,to.")
    var kappaRange: String = "1e-3,1e3"
    @Option(help: "Also simulate with so many dimensions N (not with --optimize).")
    var simulate: Int?
    @Option(help: "Simulated training sets per point.")
    var trials: Int = 20
    @Option(help: "Values to simulate at; all of them if not given.")
    var simulateAt: String?
    @Option(help: "Seed of the simulation.")
    var seed: UInt64 = 0
    @Flag(help: "Draw what k-SD gains over 0-SD instead of errors.")
    var gain = false
    @Option(
        help:
            "JSON of limbeck selfdistil: its gains at this theta are drawn beside (with --gain, over alpha)."
    )
    var measured: String?
    @OptionGroup var output: TheoryOutput

    /// One point of the theory, or of the simulation.
    private struct Point: Encodable, Sendable {
        var x: Double
        var loss: String
        var theory: TheoryJSON
        enum CodingKeys: String, CodingKey { case x, loss }
        func encode(to encoder: any Encoder) throws {
            try theory.encode(to: encoder)
            var c = encoder.container(keyedBy: CodingKeys.self)
            try c.encode(x, forKey: .x)
            try c.encode(loss, forKey: .loss)
        }
    }

    private struct Answer: Encodable {
        var over: String
        var points: [Point]
    }

    func run() throws {
        try output.check(inputs: [measured])
        guard ["alpha", "theta", "stage"].contains(over) else {
            throw Problem.unknownWord("--over", over, ["alpha", "theta", "stage"])
        }
        if optimize, simulate != nil {
            throw Problem.contradiction("--optimize", "--simulate", "simulate at given λ")
        }
        if gain, simulate != nil {
            throw Problem.contradiction("--gain", "--simulate", "simulated errors are not paired")
        }
        if gain, over == "stage" {
            throw Problem.contradiction(
                "--gain", "--over stage", "gains are drawn over alpha or theta")
        }
        if measured != nil, !gain || over != "alpha" {
            throw Problem.optionWithoutUse("--measured", for: "a curve without --gain over alpha")
        }
        let gains = try measured.map { (path) throws(Problem) in
            try MeasuredGains(path, theta: setting.theta)
        }
        if let stages { try checkStages(stages) }
        let losses: [StageLoss] =
            schedule.loss == "both" ? [.squared, .crossEntropy] : [try schedule.lossKind()]
        let xs = over == "stage" ? [.nan] : try abscissae()
        let simulated = try simulateAt.map { (text) throws(Problem) in
            try numbers(text, "--simulate-at")
        }
        var points: [Point] = []
        for loss in losses {
            let results = Parallel.map(xs.count, workers: setting.workers) {
                i -> Result<TheoryJSON, Problem> in
                do throws(Problem) {
                    return .success(try theory(xs[i], loss))
                } catch { return .failure(error) }
            }
            for (x, result) in zip(xs, results) {
                var value = try result.get()
                let wanted = simulated.map { $0.contains { abs($0 - x) <= 1e-9 * abs(x) } } ?? true
                if let simulate, wanted || x.isNaN {
                    let trial = try FiniteSimulation(
                        mixture(x), dimensions: simulate, trials: trials, seed: seed)
                    Console.say(
                        "simulating \(trials) sets of N = \(simulate), \(loss.rawValue)"
                            + (x.isNaN ? "" : ", \(over) \(Numbers.compact(x))"))
                    value.simulation = try trial.run(schedule(for: loss)).map(
                        TheoryJSON.Simulated.init)
                }
                points.append(Point(x: x, loss: loss.rawValue, theory: value))
            }
        }
        let report = TheoryCurveReport(
            over: over, optimised: optimize, log: isLog(xs),
            lines: losses.map { loss in
                (
                    losses.count > 1 ? "\(loss.rawValue) " : "",
                    points.filter { $0.loss == loss.rawValue }.map { ($0.x, $0.theory) }
                )
            }, gains: gain, measured: gains, labels: try schedule.labelKind() ?? .hard)
        let page = report.page(facts: setting.facts(over: over), dimensions: simulate)
        if over == "stage", losses.count == 1 {
            try output.publish(points[0].theory, page: page)
        } else {
            try output.publish(Answer(over: over, points: points), page: page)
        }
        // What was solved is kept; that a script has points without numbers is no success.
        let unsolved = points.compactMap { point in
            point.theory.unsolved.map { stage in
                let x = over == "stage" ? "" : "\(over) \(Numbers.compact(point.x, 6)) "
                return (losses.count > 1 ? "\(point.loss) " : "") + x + "stage \(stage)"
            }
        }
        if !unsolved.isEmpty { throw Problem.unsolved(unsolved, of: points.count) }
    }

    private func isLog(_ xs: [Double]) -> Bool {
        guard over == "alpha", let low = xs.first, let high = xs.last else { return log }
        return log || high / low > 20
    }

    private func abscissae() throws(Problem) -> [Double] {
        if let values { return try numbers(values, "--values") }
        let (low, high) = over == "alpha" ? (from ?? 0.3, to ?? 10) : (from ?? 0, to ?? 0.45)
        guard (2...1000).contains(points) else {
            throw .wrongOption("--points", "\(points)", "2 to 1000")
        }
        guard low.isFinite, high.isFinite, low < high, !(log || over == "alpha") || low > 0 else {
            throw .wrongOption(
                "--from", "\(low)", "a number below --to, above 0 for alpha or --log")
        }
        let byRatio = log || (over == "alpha" && high / low > 20)
        return (0..<points).map { i in
            let t = Double(i) / Double(points - 1)
            // Rounded, so that 0.30000000000000004 is 0.3 in titles and files.
            let x = byRatio ? low * pow(high / low, t) : low + t * (high - low)
            return Double(String(format: "%.8g", x)) ?? x
        }
    }

    private func mixture(_ x: Double) throws(Problem) -> NoisyMixture {
        switch over {
        case "alpha": try setting.mixture(alpha: x)
        case "theta": try setting.mixture(theta: x)
        default: try setting.mixture()
        }
    }

    private func schedule(for loss: StageLoss) throws(Problem) -> Schedule {
        try schedule.schedule(loss: loss, stages: stages)
    }

    private func theory(_ x: Double, _ loss: StageLoss) throws(Problem) -> TheoryJSON {
        let mixture = try mixture(x)
        guard optimize else {
            let theory = StateEvolution(
                mixture, resolution: setting.resolution,
                workers: over == "stage" ? setting.workers : 1)
            let solution = try theory.solve(schedule(for: loss))
            return TheoryJSON(mixture, solution.stages.map(TheoryJSON.Stage.init))
        }
        var words = SearchArguments()
        (words.loss, words.bias, words.labels) = (loss.rawValue, schedule.bias, schedule.labels)
        (words.lambdaRange, words.kappaRange) = (lambdaRange, kappaRange)
        var search = try words.search(mixture, setting)
        search.workers = over == "stage" ? setting.workers : 1
        let last = stages ?? 1
        return TheoryJSON(mixture, try search.solvedOptima(last: last), last: last)
    }
}
