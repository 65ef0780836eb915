import Audit
import Datasets
import Diagnostics
import Foundation

/// Joins what is known of the samples into one probability for each label, and all that is said beside it.
struct Judgement {
    struct Injection {
        var data: OutOfSample
        var columns: [EvidenceTable.Column]
        var changed: [Bool]
        /// Of the labels of this round.
        var transition: [[Double]]
    }

    let samples: AuditSamples
    let data: OutOfSample
    let seed: UInt64
    let usefulness: Usefulness
    let noise: NoiseEstimate
    /// Beside the probabilities.
    var evidence: [EvidenceTable.Column] = []
    var injection: Injection?
    /// Of the test samples.
    var test: OutOfSample?
    var annotators: [AuditResult.AnnotatorQuality] = []

    init(_ samples: AuditSamples, _ data: OutOfSample, seed: UInt64) {
        (self.samples, self.data, self.seed) = (samples, data, seed)
        usefulness = Usefulness(data, seed: seed)
        noise = NoiseEstimate(data)
    }

    func outcome(
        name: String, source: AuditResult.Source, asking question: LabelAudit.Question
    ) throws(Problem) -> AuditOutcome {
        let part = samples.learning
        let posterior = LabelPosterior(data, transition: noise.transition)
        let table = EvidenceTable(data, posterior, groups: part.groups, others: evidence)
        let rate = RateInterval(noise, count: part.count)
        let model: WrongLabelModel
        if let injection {
            model = WrongLabelModel(
                given: table,
                injected: EvidenceTable(
                    injection.data,
                    LabelPosterior(injection.data, transition: injection.transition),
                    groups: part.groups, others: injection.columns),
                changed: injection.changed, rate: rate, seed: seed)
        } else {
            model = WrongLabelModel(given: table, rate: rate)
        }
        let learning = AuditedPart(
            rows: rows(part, table, model), usefulness: usefulness, model: model,
            length: question.length, truth: truth(part))
        let look = Surroundings(part)
        var result = AuditResult(
            name: name, source: source, classNames: samples.classNames, learning: learning,
            test: tested(), noise: noise, trueTransition: trueTransition(),
            conflicts: look.conflicts, outliers: look.outliers, annotators: annotators,
            warnings: samples.warnings + look.warnings)
        let confident = try ConfidentLearning(
            ProbabilityTable(data.logProbabilities.map { exp($0) }, classes: data.classes),
            labels: part.labels)
        result.testAccuracy = result.test.flatMap(accuracy)
        result.overlaps = confident.overlaps().filter { $0.samples > 0 }
        result.classQuality = confident.classReport()
        var outcome = AuditOutcome(result: result, samples: samples)
        outcome.posteriorLabels = Dictionary(
            uniqueKeysWithValues: part.rows.indices.map { i in
                let other = posterior.suggestedProbability[i] > posterior.given[i]
                return (part.rows[i], other ? posterior.suggested[i] : part.labels[i])
            })
        if let budget = question.budget, !usefulness.isUseless {
            try outcome.spend(budget, model: model, posterior: posterior)
        }
        if let path = question.verdicts { outcome.hear(try PersonsVerdicts(path, samples)) }
        return outcome
    }

    private func rows(
        _ part: AuditSamples.Part, _ table: EvidenceTable, _ model: WrongLabelModel
    ) -> AuditRows {
        AuditRows(
            model.order.map { i in
                AuditRows.Row(
                    sample: part.rows[i], split: part.splits[i], given: part.labels[i],
                    suggested: table.suggested[i], probability: model.probabilities[i],
                    suggestedProbability: table.suggestedProbability[i],
                    evidence: table.columns.map { $0.values[i] })
            }, classNames: samples.classNames, ids: part.data.ids, content: part.content,
            evidenceNames: table.columns.map(\.name))
    }

    private func truth(_ part: AuditSamples.Part) -> [Int: Int]? {
        part.truth.map { Dictionary(uniqueKeysWithValues: zip(part.rows, $0)) }
    }

    /// So many test samples have a noise rate of their own.
    static let ownRate = 30

    /// The test split: by the posterior alone.
    private func tested() -> AuditedPart? {
        guard let test, let part = samples.test else { return nil }
        let own = part.count >= Judgement.ownRate ? NoiseEstimate(test) : noise
        let table = EvidenceTable(
            test, LabelPosterior(test, transition: own.transition), groups: part.groups)
        let model = WrongLabelModel(
            given: table, rate: RateInterval(own, count: part.count))
        return AuditedPart(
            rows: rows(part, table, model), usefulness: Usefulness(test, seed: seed), model: model,
            truth: truth(part))
    }

    /// How often the given label of a test sample is predicted, over all and over those that are not listed.
    private func accuracy(_ part: AuditedPart) -> AuditResult.Accuracy? {
        guard let test, let rows = samples.test?.rows else { return nil }
        let isRight = Dictionary(
            uniqueKeysWithValues: zip(rows, zip(test.labels, test.predictions).map { $0 == $1 }))
        let trusted = part.rows.rows.dropFirst(part.listed)
        func share(_ rows: some Collection<AuditRows.Row>) -> Double {
            Double(rows.count { isRight[$0.sample] == true }) / Double(max(1, rows.count))
        }
        return AuditResult.Accuracy(
            all: share(part.rows.rows), trusted: trusted.isEmpty ? nil : share(trusted),
            trustedSamples: trusted.count)
    }

    /// Share of each true class that was given each label.
    private func trueTransition() -> [[Double]]? {
        guard let truth = samples.learning.truth else { return nil }
        let c = samples.classes
        var counts = [[Double]](repeating: [Double](repeating: 0, count: c), count: c)
        for (a, b) in zip(truth, samples.learning.labels) { counts[a][b] += 1 }
        for a in 0..<c {
            let sum = counts[a].reduce(0, +)
            if sum == 0 { counts[a][a] = 1 } else { counts[a] = counts[a].map { $0 / sum } }
        }
        return counts
    }
}
