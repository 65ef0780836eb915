import ArgumentParser
import Diagnostics
import Exports
import Files
import Foundation
import RunReports
import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs one recipe.",
        discussion: """
            The run folder holds the resolved recipe, metrics, checkpoints, the trained network as \
            safetensors, per-sample records and a report. Killed at any moment, the run continues with \
            --resume to the same bytes.

            The recipe names one of these methods:
            \(MethodRegistry.standard.overview)

            Its key relation guides the student by relations learnt without labels: RMDNet \
            (reconstruction).

            Example: limbeck train recipe.yaml --set noise.rate=0.2 --out runs/first
            """)

    @Argument(
        help: "The recipe, a YAML file. With --resume the run's own is used if this is left out.")
    var recipe: String?

    @Option(
        name: .customLong("set"),
        help: "Change one value of the recipe: key.path=value. May be repeated.")
    var overrides: [String] = []

    @Option(help: "The run folder. Default: runs/NAME-SEED.")
    var out: String?

    @Option(help: "Instead of the recipe's seed.")
    var seed: UInt64?

    @Flag(help: "Continue the run in --out.")
    var resume = false

    @Flag(
        help: "Resume although engine or instruction set differ: the bytes will too.")
    var inexact = false

    @Flag(
        help: "With --resume: make damaged parts of the run again instead of refusing them.")
    var remake = false

    @Option(
        help:
            "Also log for TensorBoard, into this folder. With training.logs of the recipe: into the run's own."
    )
    var tensorboard: String?

    @Flag(help: "Check recipe, files, shapes and memory; train nothing.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var compute: ComputeArguments

    func validate() throws {
        if remake, !resume { throw ValidationError("--remake: only with --resume") }
    }

    func run() throws {
        let file = try read()
        let recipe = try file.decoded(Recipe.self)
        let folder = out ?? "runs/\(slug(recipe.name))-\(recipe.seed)"
        if resume, !FileManager.default.fileExists(atPath: "\(folder)/recipe.yaml") {
            throw Problem.noRun(folder)
        }
        try OutputFolder.check(run: folder, continues: resume || dryRun)
        var options = try compute.resolve(model: recipe.model, concurrent: false)
        if resume, inexact {
            // The run keeps the identity it began with; only this process computes otherwise.
            options = try RunFacts(folder: folder).compute
        }
        var environment = try TrainingEnvironment.program()
        environment.remake = remake
        let log = log(recipe, folder: folder)
        if let log {
            let observe = environment.observe
            environment.observe = { event in
                log.observe(event)
                observe(event)
            }
        }
        let run = try file.placing {
            try Run(recipe, folder: folder, compute: options, environment: environment)
        }
        if dryRun { return try describe(run) }
        try run.checkFolder()
        for warning in run.data.warnings { Console.say("warning: \(warning)") }
        announce(run)
        Progressing.shared.begin(phases: run.chain.count, verbose: true)
        let result = try run.train(continues: resume)
        Progressing.shared.clear()
        if let problem = log?.failure {
            Console.say("warning: TensorBoard's log ends early: \(problem)")
        }
        let report = "\(folder)/report.html"
        try RunReport.page(RunRecord(folder: folder, isVerified: true)).write(
            to: report, using: LocalFileSystem())
        if json {
            Console.print(json: TableJSON(run: run, result: result, report: report))
        } else {
            Console.print(RunReport.terminalTable(result))
            Console.print("report: \(report)")
        }
    }

    /// TensorBoard's log, where one is asked for.
    private func log(_ recipe: Recipe, folder: String) -> TensorBoardLog? {
        guard !dryRun, tensorboard != nil || recipe.training.logs == .tensorboard else {
            return nil
        }
        let name = folder.split(separator: "/").last.map(String.init) ?? "run"
        return TensorBoardLog(
            folder: tensorboard.map { "\($0)/\(name)" } ?? "\(folder)/tensorboard",
            store: PhaseStore("\(folder)/phases", named: true), recipe: recipe.yaml)
    }

    private func read() throws(Problem) -> RecipeFile {
        guard let path = recipe ?? (resume ? out.map { "\($0)/recipe.yaml" } : nil) else {
            throw .noRecipe()
        }
        if recipe == nil, let out {
            try FolderLock.checkIsFree(out)
            try RunFolder(out, training: true).verifyRecipe(remake: remake)
        }
        var file = try RecipeFile(path: path)
        if file.has("rows") { throw .rowsInTrain(path) }
        if file.has("search") { throw .searchInTrain(path) }
        for assignment in overrides { file = try file.setting(assignment) }
        if let seed { file = try file.setting("seed=\(seed)") }
        return file
    }

    private func announce(_ run: Run) {
        let split = run.data.split
        Console.say(
            "\(run.data.learning.name): \(split.train.count) training, \(split.validation.count) validation, "
                + "\(run.data.testMembers.count) test samples, \(run.data.classCount) classes")
        for line in NoiseLines.short(run.data.noise) { Console.say(line) }
        let c = run.compute
        Console.say(
            "\(run.recipe.model.name), \(run.chain.count) phase\(run.chain.count == 1 ? "" : "s"), LibTorch "
                + "\(c.engine), \(c.device), \(c.threads) thread\(c.threads == 1 ? "" : "s"), \(c.precision.rawValue)"
        )
    }

    private func describe(_ run: Run) throws {
        let plan = try DryRun(run)
        for warning in run.data.warnings { Console.say("warning: \(warning)") }
        if json { return Console.print(json: plan) }
        announce(run)
        for line in plan.lines { Console.say(line) }
        Console.print("nothing is wrong with the recipe; nothing was trained")
    }
}
