import Diagnostics
import Files
import Foundation
import Report

/// What came out of a phase: the content of its `result.json`, which is written last and makes it
/// complete.
public struct PhaseResult: Codable, Equatable, Sendable {
    /// One set of weights at the end of training and at its best epoch.
    public struct Evaluations: Codable, Equatable, Sendable {
        /// After the last epoch.
        public var last: Scores
        /// At the epoch that was best on the validation split.
        public var selected: Scores
        public var selectedEpoch: Int
    }

    public struct Scores: Codable, Equatable, Sendable {
        public var validation: Evaluation
        public var test: Evaluation
    }

    public var key: String
    public var name: String
    public var epochs: Int
    public var steps: Int
    /// Several networks together.
    public struct Together: Codable, Equatable, Sendable {
        /// Of the mean of their class probabilities.
        public var ensemble: Scores
        /// Mean over pairs of the share of validation samples with equal predictions.
        public var agreement: Double
        public var testAgreement: Double
    }

    /// Networks that learnt side by side.
    public struct Peers: Codable, Equatable, Sendable {
        public struct Peer: Codable, Equatable, Sendable {
            public var name: String
            /// Its network's name.
            public var model: String
            public var own: Evaluations
            public var ema: Evaluations?
        }

        public var each: [Peer]
        /// The one whose selected weights are best on the validation split.
        public var best: Int
        /// After the last epoch.
        public var last: Together
        /// Each at its own best epoch.
        public var selected: Together
    }

    /// Of the network that trained; where several did, of the best one on the validation split.
    public var student: Evaluations
    /// Of the exponential moving average of its weights, if one was kept.
    public var ema: Evaluations?
    /// Where several networks learnt side by side.
    public var peers: Peers?
    /// What all these scores are.
    public var metric = PhaseMetric.accuracy
    /// The numbers of the objective's sections, which `sections.json` has whole.
    public var sections: [Section] = []
    /// Where it had to gain on an earlier phase.
    public var verdict: PhaseVerdict?

    public func evaluations(ema: Bool) -> Evaluations { ema ? self.ema ?? student : student }

    /// Those of its sections: what a reader has to know before the result is used.
    public var warnings: [String] { sections.flatMap(\.warnings) }

    /// A number of its sections by its key, such as `weight.teacher-2`; nil where it is not known, too.
    public func value(_ key: String) -> Double? {
        sections.lazy.flatMap(\.values).first { $0.key == key }?.value
    }
}

extension PhaseResult {
    /// For the line of a log that says that the phase is done.
    public var summary: String {
        let scores =
            metric.isShown
            ? [
                "test \(percent(student.last.test.accuracy)) last, "
                    + "\(percent(student.selected.test.accuracy)) selected on validation"
            ] : []
        let all = scores + sections.compactMap(\.summary) + [verdict?.sentence].compactMap(\.self)
        return all.isEmpty
            ? "\(metric.name) \(percent(student.last.test.accuracy))"
            : all.joined(separator: "; ")
    }
}

/// One line of `metrics.jsonl`: an epoch. Nothing in it depends on the clock.
public struct EpochMetrics: Codable, Equatable, Sendable {
    public struct Scores: Codable, Equatable, Sendable {
        public var accuracy: Double
        public var nll: Double
        public var ece: Double

        init(accuracy: Double, nll: Double, ece: Double) {
            self.accuracy = accuracy
            self.nll = nll
            self.ece = ece
        }

        init(_ evaluation: Evaluation) {
            accuracy = evaluation.accuracy
            nll = evaluation.nll
            ece = evaluation.ece
        }
    }

    /// One of several networks.
    public struct Learner: Codable, Equatable, Sendable {
        public var loss: Double
        public var terms: [String: Double]
        public var metrics: [String: Double]?
        public var gradientNorm: Double?
        public var trainAccuracy: Double?
        public var trainCleanAccuracy: Double?
        public var validation: Scores
        public var test: Scores
        public var emaValidation: Scores?
        public var emaTest: Scores?
    }

    public var phase: String
    /// Counted from 1.
    public var epoch: Int
    public var step: Int
    /// The learning rate of the epoch's last step; of the first of several networks.
    public var learningRate: Double
    // With several networks, everything from here to `emaTest` is the mean over them.
    /// Mean over the epoch's samples of the weighted sum of all terms.
    public var loss: Double
    public var terms: [String: Double]
    /// What is logged beside the terms, and what the objective says of the epoch.
    public var metrics: [String: Double]?
    /// Agreement of the network, as it trained, with the given labels; nil where it predicts none.
    public var trainAccuracy: Double?
    /// Agreement with the clean ones, where they are known: the gap shows how much noise is learnt.
    public var trainCleanAccuracy: Double?
    public var validation: Scores
    public var test: Scores
    public var emaValidation: Scores?
    public var emaTest: Scores?
    /// Each of several networks.
    public var learners: [Learner]?
    /// Of the mean of their probabilities, on the validation and the test split.
    public var ensembleValidation: Scores?
    public var ensembleTest: Scores?
    /// Mean over pairs of the share of validation samples with equal predictions.
    public var agreement: Double?
}

extension EpochMetrics.Learner {
    init(
        _ sums: EpochSums, _ scores: PhaseResult.Scores, ema: PhaseResult.Scores?,
        knowsClean: Bool
    ) {
        let n = Double(max(1, sums.samples))
        loss = sums.total / n
        terms = sums.terms.mapValues { $0 / n }
        metrics = sums.metrics.isEmpty ? nil : sums.metrics.mapValues { $0 / n }
        gradientNorm = sums.gradientNorm
        let predicts = sums.predicted > 0
        trainAccuracy = predicts ? Double(sums.hits) / n : nil
        trainCleanAccuracy = knowsClean && predicts ? Double(sums.cleanHits) / n : nil
        validation = .init(scores.validation)
        test = .init(scores.test)
        emaValidation = ema.map { .init($0.validation) }
        emaTest = ema.map { .init($0.test) }
    }
}

extension [EpochMetrics] {
    /// Mean test accuracy over the last five epochs, and over the networks where several learnt; nil
    /// with fewer epochs. Some papers report it in place of the last epoch.
    ///
    /// - Parameter ema: of the averaged weights, where there are any.
    public func lastFive(ema: Bool) -> Double? {
        guard count >= 5 else { return nil }
        return suffix(5).map { (ema ? $0.emaTest ?? $0.test : $0.test).accuracy }
            .reduce(0, +) / 5
    }
}

extension EpochMetrics {
    /// The epochs of a `metrics.jsonl`; a line that cannot be read is left out.
    static func read(_ path: String) throws(Problem) -> [EpochMetrics] {
        try readFile(path, limit: 256 << 20).split(separator: 10).compactMap {
            try? JSON.read(EpochMetrics.self, $0)
        }
    }

    /// Adds what an objective says of the epoch.
    mutating func add(_ others: [String: Double]) {
        guard !others.isEmpty else { return }
        metrics = (metrics ?? [:]).merging(others) { $1 }
    }

    init(
        phase: String, epoch: Int, step: Int, learningRate: Double, learners: [Learner],
        together: PhaseResult.Together?
    ) {
        func mean(_ value: (Learner) -> Double?) -> Double? {
            let values = learners.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        func means(_ value: (Learner) -> [String: Double]) -> [String: Double] {
            var means: [String: Double] = [:]
            for name in Set(learners.flatMap { value($0).keys }) {
                means[name] = mean { value($0)[name] }
            }
            return means
        }
        func scores(_ value: (Learner) -> Scores?) -> Scores? {
            guard learners.contains(where: { value($0) != nil }) else { return nil }
            return Scores(
                accuracy: mean { value($0)?.accuracy }!, nll: mean { value($0)?.nll }!,
                ece: mean { value($0)?.ece }!)
        }
        self.phase = phase
        self.epoch = epoch
        self.step = step
        self.learningRate = learningRate
        loss = mean(\.loss)!
        terms = means(\.terms)
        let others = means { $0.metrics ?? [:] }
        metrics = others.isEmpty ? nil : others
        trainAccuracy = mean(\.trainAccuracy)
        trainCleanAccuracy = mean(\.trainCleanAccuracy)
        validation = scores(\.validation)!
        test = scores(\.test)!
        emaValidation = scores(\.emaValidation)
        emaTest = scores(\.emaTest)
        self.learners = learners.count > 1 ? learners : nil
        ensembleValidation = together.map { Scores($0.ensemble.validation) }
        ensembleTest = together.map { Scores($0.ensemble.test) }
        agreement = together?.agreement
    }
}

/// What happens while a phase trains, for progress and logs.
public enum PhaseEvent: Sendable {
    case began(PhaseSpec, resumedAt: Int?, steps: Int)
    case step(PhaseSpec, step: Int, of: Int)
    /// Work beside steps gets on, with what a log says of it; nil: that it does.
    case note(PhaseSpec, String?)
    case epoch(PhaseSpec, EpochMetrics)
    /// For its data or its numbers; a comparison goes on with the others.
    case failed(PhaseSpec, Problem)
    case finished(PhaseSpec, PhaseResult, seconds: Double, reused: Bool)
}

extension PhaseEvent: CustomStringConvertible {
    /// Whether a log without a progress bar wants a line of it.
    public var isWorthALine: Bool {
        switch self {
        case .step, .note(_, nil): false
        default: true
        }
    }

    /// One line.
    public var description: String {
        switch self {
        case .began(let spec, let resumed, let steps):
            return
                "\(spec.name): \(resumed.map { "resumed at step \($0) of" } ?? "begins") \(steps) steps"
        case .step(let spec, let step, let steps): return "\(spec.name): step \(step) of \(steps)"
        case .note(let spec, let text): return "\(spec.name): \(text ?? "…")"
        case .epoch(let spec, let metrics):
            return "\(spec.name) epoch \(metrics.epoch): loss "
                + String(format: "%.4f", metrics.loss)
                + ", validation \(percent(metrics.validation.accuracy))"
                + ", test \(percent(metrics.test.accuracy))"
        case .failed(let spec, let problem): return "\(spec.name): failed: \(problem)"
        case .finished(let spec, let result, _, let reused):
            return "\(spec.name) \(reused ? "found" : "done"): "
                + ([result.summary] + result.warnings.map { "warning: \($0)" })
                .joined(separator: "; ")
        }
    }
}
