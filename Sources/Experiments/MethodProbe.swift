import Datasets
import Diagnostics
import Foundation
import Report
import Training

/// Which methods are worth trying on some data: cross-entropy is trained on a part of it, every method says
/// of what was seen whether its condition holds, and those that may help are trained on the same part.
///
/// All of it is judged on the given labels of the validation split. Test labels decide nothing; they are in
/// the comparison's record for whoever wants to know whether the advice was right.
public struct MethodProbe {
    /// What to ask.
    public struct Question: Sendable {
        /// Training samples to probe with, at most. As many again are held out to measure on.
        public var samples = 2000
        /// Two or more: without a spread nothing can be told from chance.
        public var seeds: [UInt64] = [0, 1, 2]
        /// Try those methods too whose condition does not hold.
        public var triesAll = false

        public init() {}
    }

    /// A row to try.
    struct Trial {
        var name: String
        var advice: MethodAdvice
        var changes: [String]
    }

    /// The recipe as it was given, on part of its data, without method and relations.
    let base: RecipeFile
    let question: Question
    private let registry: MethodRegistry
    /// The recipe's own way to train, where it is another than plain cross-entropy.
    private let own: RecipeFile?
    /// Read once for the split and the facts.
    private let files = DataFiles()

    /// - Parameter file: a recipe; its method is tried as one of several.
    public init(
        _ file: RecipeFile, question: Question = Question(), methods: MethodRegistry = .standard
    ) throws {
        guard question.seeds.count > 1 else {
            throw Problem.outOfRange(
                "--seeds", found: "\(question.seeds.count) seed", expected: "2 or more")
        }
        self.question = question
        registry = methods
        let recipe = try file.decoded(Recipe.self)
        let part = try MethodProbe.part(
            file.without("seed", "name"), recipe.data,
            try PreparedData(recipe, seed: question.seeds[0], files: files).split,
            training: question.samples)
        base = try part.without("method", "relation", "later").setting(
            "method={name: cross-entropy}")
        let isPlain = (recipe.method.base as? CrossEntropy) == CrossEntropy()
        own = isPlain && recipe.relation == nil ? nil : part
    }

    /// The recipe on so many training samples and, to measure on, as many more or what there is: differences
    /// on the few labels of a usual validation split drown in chance. Of few data, 30 % at least.
    static func part(
        _ file: RecipeFile, _ data: DataOptions, _ split: Split, training: Int
    ) throws(Problem) -> RecipeFile {
        let pool = split.train.count + split.validation.count
        let train = min(training, pool * 7 / 10)
        let kept = min(pool, 2 * train)
        // The limit counts the samples of a test split that is taken out of them.
        let whole = pool + split.test.count
        let limit = kept * whole / pool
        let share = max(data.validation, Double(kept - train) / Double(limit))
        let rounded = (1000 * share).rounded() / 1000
        return try file.setting("data.limit=\(limit)").setting("data.validation=\(rounded)")
    }

    /// The comparison to run first: plain cross-entropy.
    public func first() throws(Problem) -> ComparisonFile {
        try ComparisonFile([try named(MethodProbe.plain, base)])
    }

    /// What every other row is compared with.
    public static let plain = CrossEntropy.name

    private func named(_ name: String, _ file: RecipeFile) throws(Problem) -> RecipeFile {
        try file.setting("name", word: name)
    }

    /// What cross-entropy showed.
    ///
    /// - Parameter record: of the comparison `first`.
    public func facts(_ record: ComparisonRecord) throws -> DataFacts {
        let recipe = try base.decoded(Recipe.self)
        let data = try PreparedData(recipe, seed: question.seeds[0], files: files)
        let cells = record.cells(row: MethodProbe.plain, noise: 0)
        func mean(_ value: (Comparison.Cell) -> Double) -> Double {
            cells.map(value).reduce(0, +) / Double(max(1, cells.count))
        }
        guard !cells.isEmpty else {
            throw Problem(
                .data, "cross-entropy could not be trained, and the others are judged by it",
                at: .file(base.file), found: record.failures.first?.reason ?? "no result",
                hint: "lower optimizer.learning-rate")
        }
        let best = mean { $0.selected { $0.validation.accuracy } }
        let count = Double(max(1, data.split.validation.count))
        return DataFacts(
            samples: data.split.train.count, classes: data.learning.classNames.count,
            dimension: max(1, data.learning.sampleSize), isImages: data.sampleShape.count == 3,
            hasMetaValidation: !data.metaValidation.isEmpty,
            isMetaValidationClean: recipe.data.cleanMetaValidation ?? false,
            epochs: cells.first?.resultMetrics.count ?? 1, best: best,
            last: mean(\.evaluations.last.validation.accuracy),
            trained: mean {
                $0.resultMetrics.last?.trainAccuracy ?? $0.evaluations.last.validation.accuracy
            },
            error: (best * (1 - best) / count).squareRoot())
    }

    /// What every method says of the facts, in the registry's order; relations last.
    func advices(_ facts: DataFacts) -> [(name: String, advice: MethodAdvice)] {
        let asked: [any Advisable.Type] = registry.methods + [RelationModelling.self]
        return asked.compactMap { type in type.advice(facts).map { (type.name, $0) } }
    }

    /// More weight decay, before anything cleverer: a plain network that is regularised is the row to beat.
    private func decays(_ recipe: Recipe, _ facts: DataFacts) -> [Trial] {
        let known = recipe.optimizer.weightDecay
        return [0.0005, 0.005, 0.02].filter { $0 > 2 * known }.suffix(2).map { decay in
            Trial(
                name: "weight decay \(decay)",
                advice: MethodAdvice(
                    facts.memorises ? .helps : .open,
                    because: facts.memorises
                        ? "labels are learnt by heart (\(facts.gapPhrase))"
                        : "little is learnt by heart (\(facts.gapPhrase))"),
                changes: ["optimizer.weight-decay=\(decay)"])
        }
    }

    func trials(_ facts: DataFacts) throws(Problem) -> [Trial] {
        let recipe = try base.decoded(Recipe.self)
        return decays(recipe, facts)
            + advices(facts).map {
                Trial(name: $0.name, advice: $0.advice, changes: $0.advice.changes)
            }
    }

    /// The comparison of everything that may help.
    ///
    /// - Parameter fault: why a comparison of one row cannot be trained on these data, if so; the row is then
    ///   left out.
    public func second(
        _ facts: DataFacts, fault: (ComparisonFile) -> Problem?
    ) throws(Problem) -> (file: ComparisonFile, faults: [String: Problem]) {
        var files = [try named(MethodProbe.plain, base)]
        var faults: [String: Problem] = [:]
        for trial in try trials(facts) where isTried(trial) {
            var file = try named(trial.name, base)
            for change in trial.changes { file = try file.setting(change) }
            if let problem = fault(try ComparisonFile([file])) {
                faults[trial.name] = problem
            } else {
                files.append(file)
            }
        }
        if let own { files.append(try named(MethodProbe.ownName, own)) }
        return (try ComparisonFile(files), faults)
    }

    static let ownName = "as in the recipe"

    private func isTried(_ trial: Trial) -> Bool {
        !trial.changes.isEmpty && (question.triesAll || trial.advice.expectation != .doesNot)
    }

    // MARK: Judging

    /// What is advised of a method.
    public struct Verdict: Sendable {
        public enum Answer: String, Codable, Sendable {
            /// It gained more than chance gives.
            case yes
            /// Its gain or loss is within chance.
            case perhaps
            /// It lost more than chance takes, or its condition does not hold and it was not tried.
            case no
        }

        public var method: String
        public var answer: Answer
        public var expectation: MethodAdvice.Expectation?
        public var because: String
        /// Over plain cross-entropy, paired by seed; nil if it was not tried or failed.
        public var gain: PairedDifference?
        /// What turns the recipe into one of this method.
        public var changes: [String]
    }

    /// The advice, the best first; what was not tried comes last.
    ///
    /// - Parameter record: of the comparison `second`.
    public func verdicts(_ facts: DataFacts, _ record: ComparisonRecord) throws(Problem)
        -> [Verdict]
    {
        let gains = PairedDifference.pooled(
            record.rows.map { MethodProbe.differences(of: $0, record) { $0.validation.accuracy } })
        func gain(_ row: String) -> PairedDifference? {
            guard row != MethodProbe.plain, let place = record.rows.firstIndex(of: row) else {
                return nil
            }
            return gains[place]
        }
        var list = try trials(facts).map { trial in
            let gain = gain(trial.name)
            return Verdict(
                method: trial.name, answer: MethodProbe.answer(gain, trial.advice.expectation),
                expectation: trial.advice.expectation, because: trial.advice.because, gain: gain,
                changes: trial.changes)
        }
        if own != nil {
            let gain = gain(MethodProbe.ownName)
            list.append(
                Verdict(
                    method: MethodProbe.ownName, answer: MethodProbe.answer(gain, .open),
                    expectation: nil, because: "the recipe's own method", gain: gain, changes: []))
        }
        return list.enumerated().sorted { a, b in
            switch (a.element.gain, b.element.gain) {
            case (let x?, let y?): x.mean == y.mean ? a.offset < b.offset : x.mean > y.mean
            case (nil, nil): a.offset < b.offset
            case (let x, _): x != nil
            }
        }.map(\.element)
    }

    /// What a row gained over cross-entropy on the test labels: how right the advice was.
    public static func testGain(of row: String, _ record: ComparisonRecord) -> PairedDifference? {
        PairedDifference(differences(of: row, record) { $0.test.accuracy })
    }

    /// Seed by seed, what a row has more than cross-entropy at the selected epochs.
    private static func differences(
        of row: String, _ record: ComparisonRecord, _ value: (PhaseResult.Scores) -> Double
    ) -> [Double] {
        let plain = record.cells(row: plain, noise: 0)
        return record.cells(row: row, noise: 0).compactMap { cell in
            plain.first { $0.seed == cell.seed }.map {
                cell.selected(value) - $0.selected(value)
            }
        }
    }

    /// Of Student's t test: an advice is a guess, and a method that is tried in vain costs little.
    public static let level = 0.1

    static func answer(
        _ gain: PairedDifference?, _ expectation: MethodAdvice.Expectation
    ) -> Verdict.Answer {
        guard let gain else { return expectation == .doesNot ? .no : .perhaps }
        guard gain.p < level else { return .perhaps }
        return gain.mean > 0 ? .yes : .no
    }
}

extension Comparison.Cell {
    /// A score at the selected epoch, mean over the networks where several learnt: the better of them would
    /// be chosen on the labels that it is judged by.
    func selected(_ value: (PhaseResult.Scores) -> Double) -> Double {
        guard let peers = results.last?.peers else { return value(evaluations.selected) }
        let each = peers.each.map { value((useEMA ? $0.ema ?? $0.own : $0.own).selected) }
        return each.reduce(0, +) / Double(each.count)
    }
}
