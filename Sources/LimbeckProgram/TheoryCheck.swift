import ArgumentParser
import Diagnostics
import Experiments
import Replica
import Report

struct TheoryCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Theory against simulations of finite size: passes or fails.",
        discussion: """
            Passes if at every stage the simulated m is within four standard errors of the theory's, and Q \
            within 3 %. Ends with 65 if not. Unequal classes with a learnt bias deviate at small N: the \
            error bends strongly in b.

            Example: limbeck theory check --alpha 3 --theta 0.3 --lambda 1,1,1 --bias fixed:0
            """)

    @OptionGroup var setting: MixtureArguments
    @OptionGroup var schedule: ScheduleArguments
    @Option(help: "Stages after stage 0, where one λ stands for all.")
    var stages: Int?
    @Option(help: "Dimensions N of the simulation.")
    var simulate: Int = 400
    @Option(help: "Simulated training sets.")
    var trials: Int = 20
    @Option(help: "Seed of the simulation.")
    var seed: UInt64 = 0
    @OptionGroup var output: TheoryOutput

    func run() throws {
        try output.check()
        if let stages { try checkStages(stages) }
        let mixture = try setting.mixture()
        let plan = try schedule.schedule(stages: stages)
        var trial = try FiniteSimulation(mixture, dimensions: simulate, trials: trials, seed: seed)
        trial.workers = setting.workers
        guard trials > 1 else {
            throw Problem.wrongOption("--trials", "\(trials)", "at least 2")
        }
        let solution = try StateEvolution(
            mixture, resolution: setting.resolution, workers: setting.workers
        ).solve(plan)
        if solution.unsolved != nil {
            var value = TheoryJSON(mixture, solution.stages.map(TheoryJSON.Stage.init))
            value.passed = false
            try output.publish(
                value,
                page: TheoryPage(
                    title: "No theory to compare with, \(TheoryTables.setting(plan))",
                    facts: setting.facts(), tables: [TheoryTables.stages(solution.stages)]))
            try solution.check()
        }
        Console.say("simulating \(trials) sets of N = \(simulate)")
        let found = try trial.run(plan)
        let failed = zip(solution.stages, found).filter { !Self.agrees($0, $1) }.map(\.0.stage)
        var value = TheoryJSON(mixture, solution.stages.map(TheoryJSON.Stage.init))
        value.simulation = found.map(TheoryJSON.Simulated.init)
        value.passed = failed.isEmpty
        try output.publish(
            value, page: page(mixture, plan, solution.stages, found, failed: failed))
        if !failed.isEmpty { throw Problem.disagreement(failed) }
    }

    /// The criterion, also that of the tests.
    static func agrees(_ theory: StageResult, _ trial: FiniteSimulation.Stage) -> Bool {
        theory.converged && trial.converged
            && abs(trial.m.mean - theory.m) < 4 * trial.m.error
            && abs(trial.q.mean / theory.q - 1) < 0.03
    }

    private func page(
        _ mixture: NoisyMixture, _ plan: Schedule, _ theory: [StageResult],
        _ found: [FiniteSimulation.Stage], failed: [Int]
    ) -> TheoryPage {
        func pair(_ a: Double, _ b: FiniteSimulation.Mean) -> [String] {
            [Numbers.fixed(a, 4), "\(Numbers.fixed(b.mean, 4)) ± \(Numbers.fixed(b.error, 4))"]
        }
        let table = TableModel(
            columns: [.init("stage")]
                + ["error", "m", "Q", "b", "right labels"].flatMap {
                    [.init($0, .trailing), .init("simulated", .trailing)] as [TableModel.Column]
                } + [.init("")],
            rows: zip(theory, found).map { a, b in
                ["\(a.stage)-SD"] + pair(a.error, b.error) + pair(a.m, b.m) + pair(a.q, b.q)
                    + pair(a.bias, b.bias) + pair(a.labelAccuracy, b.labelAccuracy)
                    + [failed.contains(a.stage) ? "differs" : "agrees"]
            }, note: "N = \(simulate), \(trials) training sets, mean ± standard error.")
        let x = theory.map { Double($0.stage) }
        let chart = CurveChart(
            title: "Theory and simulation", xLabel: "stage", yLabel: "generalisation error",
            curves: [
                Curve(name: "theory", x: x, mean: theory.map(\.error)),
                Curve(
                    name: "simulation", x: x, mean: found.map(\.error.mean),
                    sd: found.map(\.error.error), marks: true, series: 1),
            ], note: table.note)
        return TheoryPage(
            title: "Theory against simulation, \(TheoryTables.setting(plan))",
            facts: setting.facts(),
            findings: TheoryTables.levels(mixture) + [
                failed.isEmpty ? "Every stage agrees." : "Stages that differ: \(failed)."
            ], tables: [table], charts: [chart])
    }
}
