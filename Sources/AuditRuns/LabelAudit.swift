import Audit
import Datasets
import Diagnostics
import Files
import Foundation
import Training

/// Finds out which labels of a recipe's data are wrong, by networks that did not see the samples.
///
///     let audit = try LabelAudit(RecipeFile(path: "recipe.yaml"))
///     let outcome = try audit.run(in: "audits/first") { rows, folder in … }
///     print(outcome.result.learning.list)
///
/// 1. Round *given*: K runs of the recipe, each with another fold held out. What they say of their folds gives the
///    noise rate and the transition matrix.
/// 2. Round *injected*: the same K runs after some labels were changed on purpose by that matrix. How changed
///    labels stand out is learnt there (`WrongLabelModel`).
///
/// Both are ordinary comparisons in the folders `given` and `injected`: a phase that is there is not trained again,
/// so that an audit that was killed at any moment goes on to the same result. If the first round tells nothing of
/// the labels, there is no second one, and nothing is listed.
public struct LabelAudit {
    /// What is asked beside the list.
    public struct Question: Codable, Equatable, Sendable {
        /// Length of the list; nil: the one of largest expected F1.
        public var length: Int?
        /// How many labels somebody can check.
        public var budget: Int?
        /// A sheet with a person's verdicts.
        public var verdicts: String?

        public init(length: Int? = nil, budget: Int? = nil, verdicts: String? = nil) {
            (self.length, self.budget, self.verdicts) = (length, budget, verdicts)
        }
    }

    /// As it is audited.
    public let file: RecipeFile
    public let recipe: Recipe
    public let folds: Int
    let rounds: AuditRounds
    let files: DataFiles
    /// The table, of which every row is judged; nil: not one without a recipe.
    let table: TableAudit?

    /// - Parameters:
    ///   - file: a recipe; a method of it that learns nothing from labels cannot judge any.
    ///   - folds: 2 to 50.
    ///   - table: what the recipe was made of, with ``TableAudit/judgingAll(_:folder:)``.
    /// - Throws: for a recipe that is a comparison, or wrong.
    public init(
        _ file: RecipeFile, folds: Int = 5, table: TableAudit? = nil,
        files: DataFiles = DataFiles()
    ) throws(Problem) {
        guard Folds.range.contains(folds) else { throw .auditFolds(folds) }
        for key in ["rows", "search", "noises", "seeds"] where file.has(key) {
            throw .auditOfComparison(file.file, key)
        }
        var file = file
        // The likelihood of unseen labels is what evidence is made of.
        file = try file.setting("training.selection=nll")
        self.file = file
        self.folds = folds
        self.table = table
        self.files = files
        recipe = try file.decoded(Recipe.self)
        rounds = AuditRounds(file: file, folds: folds, seed: recipe.seed)
    }

    /// Trains the rows of a round in a folder, or finds them there, and says what came out.
    public typealias Trainer = (_ rows: ComparisonFile, _ folder: String) throws ->
        ComparisonRecord

    static let labelsName = "injected-labels.csv"

    /// Checks all that can be checked before anything is trained, the round with changed labels too.
    ///
    /// - Returns: how many phases are trained at most.
    @discardableResult
    public func check(asking question: Question = .init()) throws -> Int {
        let samples = try AuditSamples(recipe, files: files, ownTest: table == nil)
        if let budget = question.budget { try samples.check(budget: budget) }
        if let path = question.verdicts { _ = try PersonsVerdicts(path, samples) }
        // Any file of labels does: a recipe may be refused because it has one.
        let path =
            FileManager.default.temporaryDirectory.path + "/limbeck-\(UUID()).csv"
        defer { try? LocalFileSystem().remove(path) }
        let (row, label) = (samples.learning.rows[0], samples.learning.labels[0])
        try LocalFileSystem().replace(
            path, with: LabelAudit.labelFile([row: label], names: samples.classNames))
        var phases = 0
        for labels in [nil, path] {
            let file = try rounds.recipe(fold: 1, labels: labels)
            let run = try file.placing {
                try Run(
                    try file.decoded(Recipe.self), folder: path,
                    compute: ComputeOptions(threads: 1), dataFiles: files)
            }
            phases += run.chain.count * folds
        }
        return phases
    }

    /// Trains what is not trained yet and judges all samples.
    ///
    /// - Parameter folder: of the audit; the rounds are folders in it.
    public func run(
        in folder: String, asking question: Question = .init(), train: Trainer
    ) throws -> AuditOutcome {
        let samples = try AuditSamples(recipe, files: files, ownTest: table == nil)
        let useEMA = recipe.training.useEMA
        let (part, c) = (samples.learning, samples.classes)
        let given = try rounds.findings(
            try train(try rounds.rows(), "\(folder)/given"), folder: "\(folder)/given",
            samples: samples, labels: part.labels, useEMA: useEMA)
        let source = AuditResult.Source.folds(
            method: recipe.method.name, count: folds, seed: recipe.seed)
        var judgement = Judgement(samples, given.outOfSample, seed: recipe.seed)
        judgement.evidence = given.columns
        judgement.annotators = try annotators(given.outOfSample)
        if !judgement.usefulness.isUseless {
            let injection = LabelInjection(
                all(samples), among: part.rows, transition: judgement.noise.transition,
                seed: recipe.seed)
            let path = "\(folder)/\(LabelAudit.labelsName)"
            try write(injection, samples, to: path)
            let places = Set(injection.changed)
            let labels = part.rows.map { injection.labels[$0] }
            let record = try train(try rounds.rows(labels: path), "\(folder)/injected")
            let injected = try rounds.findings(
                record, folder: "\(folder)/injected", samples: samples, labels: labels,
                useEMA: useEMA)
            judgement.injection = Judgement.Injection(
                data: injected.outOfSample, columns: injected.columns,
                changed: part.rows.map(places.contains),
                transition: injection.composed(with: judgement.noise.transition))
        }
        if let test = samples.test, let logP = given.test {
            judgement.test = try OutOfSample(
                logProbabilities: logP, labels: test.labels, classes: c)
        }
        return try judgement.outcome(name: recipe.name, source: source, asking: question)
    }

    private func annotators(
        _ data: OutOfSample
    ) throws(Problem) -> [AuditResult.AnnotatorQuality] {
        guard let table else { return [] }
        let isWhole = data.count == table.table.rows.count
        return try table.qualities(
            isWhole
                ? ProbabilityTable(
                    data.logProbabilities.map { exp($0) }, classes: data.classes) : nil)
    }

    /// By row of the data as read; only labels of samples that are judged matter.
    private func all(_ samples: AuditSamples) -> [Int] {
        var labels = samples.learning.data.labels
        for (row, label) in zip(samples.learning.rows, samples.learning.labels) {
            labels[row] = label
        }
        return labels
    }

    /// The recipe's own label file, with the changed labels in it.
    private func write(
        _ injection: LabelInjection, _ samples: AuditSamples, to path: String
    ) throws(Problem) {
        var labels = samples.edits.labels
        for row in injection.changed { labels[row] = injection.labels[row] }
        // A round without a change has the labels of the first.
        if labels.isEmpty { labels[samples.learning.rows[0]] = samples.learning.labels[0] }
        let bytes = LabelAudit.labelFile(
            labels, leftOut: samples.edits.leftOut, names: samples.classNames)
        if let old = try? readFile(path), old == bytes { return }
        try LocalFileSystem().createDirectory(LocalFileSystem().parent(of: path))
        try LocalFileSystem().replace(path, with: bytes)
    }

    /// What `labels: {file: …}` reads.
    static func labelFile(
        _ labels: [Int: Int], leftOut: Set<Int> = [], names: [String]
    ) -> [UInt8] {
        CSV.file(
            ["sample", "label"],
            leftOut.union(labels.keys).sorted().lazy.map { row in
                ["\(row)", leftOut.contains(row) ? nil : labels[row].map { names[$0] }]
            })
    }
}
