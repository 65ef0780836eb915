import ArgumentParser
import AuditRuns
import Datasets
import Diagnostics
import Files
import Foundation
import Training

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Finds out which labels are wrong.",
        discussion: """
            Takes a recipe, the folder of a run, or a table (CSV, TSV), for which it makes a recipe. Five \
            folds of it are trained and judge the samples that they did not see; then the same again after \
            some labels were changed on purpose, which shows how well wrong ones are found. Every sample \
            gets a probability that its label is wrong, and the list an expected precision. Test labels \
            are judged apart, and never changed. Running it again continues where it stopped.

            Examples:
              limbeck audit recipe.yaml
              limbeck audit measured.csv --label kind --sheet 50
              limbeck audit runs/audit-measured --verdicts runs/audit-measured/sheet.csv
              limbeck audit recipe.yaml --probabilities predictions.npy
            """)

    @Argument(help: "A recipe, the folder of a run or an audit, or a table.")
    var source: String

    @Option(
        name: .customLong("set"),
        help: "Change one value of the recipe: key.path=value. May be repeated.")
    var overrides: [String] = []

    @Option(
        help:
            "The method that judges. Default: the recipe's, or early-learning where that is plain cross-entropy."
    )
    var method: String?

    @Option(
        help:
            "Probabilities of the classes, a row per sample as read (npy, safetensors, CSV): nothing is trained."
    )
    var probabilities: String?

    @Option(help: "Networks that each leave a part out and judge it, 2 to 50. Default: 5.")
    var folds: Int?

    @Option(help: "The folder of the audit. Default: runs/audit-NAME.")
    var out: String?

    @Option(help: "Instead of the recipe's seed.")
    var seed: UInt64?

    @Option(help: "Length of the list. Default: that of the largest expected F1.")
    var length: Int?

    @Option(help: "Write sheet.csv: so many random samples for a person to judge.")
    var sheet: Int?

    @Option(help: "The sheet with a person's verdicts.")
    var verdicts: String?

    @Option(help: "So many labels can be checked: budget.csv has them in the order of worth.")
    var budget: Int?

    @Option(
        help:
            "Write applied.yaml, the recipe with corrected, pruned, sure or posterior labels, or weights."
    )
    var apply: String?

    @OptionGroup(title: "Tables") var table: AuditTableArguments

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
        for (name, value) in [
            ("--length", length), ("--sheet", sheet), ("--budget", budget),
        ] {
            if let value, !(1...100_000_000).contains(value) {
                throw ValidationError("\(name): found \(value), expected 1 to 100000000")
            }
        }
        if let folds, !(2...50).contains(folds) {
            throw ValidationError("--folds: found \(folds), expected 2 to 50")
        }
        if let jobs, !(1...256).contains(jobs) {
            throw ValidationError("--jobs: found \(jobs), expected 1 to 256")
        }
        if probabilities != nil, method != nil {
            throw ValidationError("--method: with --probabilities nothing is trained")
        }
    }

    func run() throws {
        let change = try change()
        let job = try AuditJob(self)
        try job.checkOutputs()
        let lock = try job.open()
        defer { job.close(lock) }
        let audit = try job.explained {
            try LabelAudit(job.file, folds: job.settings.folds, table: job.table)
        }
        let trains = job.settings.probabilities == nil
        let phases = trains ? try job.explained { try audit.check(asking: job.question) } : 0
        if dryRun { return announce(job, phases) }
        try job.save()
        let outcome = try continuedByRunningAgain { try judged(job, audit) }
        try job.finish(outcome, change: change, json: json)
    }

    private func judged(_ job: AuditJob, _ audit: LabelAudit) throws -> AuditOutcome {
        if let path = job.settings.probabilities {
            return try audit.judge(path, asking: job.question)
        }
        return try audit.run(in: job.folder, asking: job.question) { rows, folder in
            Console.say(folder.hasSuffix("given") ? "given labels:" : "with changed labels:")
            return try ComparisonRunner(
                rows: rows, folder: folder, jobs: jobs, compute: compute, json: json,
                remake: remake
            ).trained()
        }
    }

    private func announce(_ job: AuditJob, _ phases: Int) {
        if json {
            return Console.print(json: ["folds": job.settings.folds, "phases": phases])
        }
        if phases > 0 {
            Console.say("\(job.settings.folds) folds, two rounds: at most \(phases) phases")
        }
        Console.print("nothing is wrong with the recipe; nothing was trained")
    }

    private func change() throws(Problem) -> AuditOutcome.Change? {
        guard let apply else { return nil }
        guard let change = AuditOutcome.Change(rawValue: apply) else {
            throw .unknownWord("--apply", apply, AuditOutcome.Change.allCases.map(\.rawValue))
        }
        return change
    }
}

/// What is said of a table that is audited.
struct AuditTableArguments: ParsableArguments {
    @Option(help: "Its column of given labels, by name or index. Default: the last one.")
    var label: String?

    @Option(help: "Columns of several annotators' labels, separated by commas.")
    var annotators: String?

    @Option(help: "Its column of texts, by name or index; without, it is a table of numbers.")
    var text: String?

    @Option(help: "A column that names samples, by name or index.")
    var id: String?

    @Option(help: "A column whose equal values belong together, by name or index.")
    var group: String?

    @Option(help: "Columns to leave out, by name, separated by commas.")
    var drop: String?

    var columns: TableAudit.Columns {
        func list(_ text: String?) -> [String] {
            (text ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
        return .init(
            label: label, annotators: list(annotators), text: text, id: id, group: group,
            drop: list(drop))
    }

    /// The options that were given, by their names.
    var given: [String] {
        [
            ("--label", label), ("--annotators", annotators), ("--text", text), ("--id", id),
            ("--group", group), ("--drop", drop),
        ].filter { $0.1 != nil }.map(\.0)
    }
}
