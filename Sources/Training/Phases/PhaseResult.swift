/// What came out of a phase: the content of its `result.json`, which is written last and makes it
/// complete.
public struct PhaseResult: Codable, Equatable, Sendable {
    /// One set of weights at the end of training and at its best epoch.
    public struct Readout: Codable, Equatable, Sendable {
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
    /// Of the network that trained.
    public var student: Readout
    /// Of the average of its weights, if one was kept.
    public var average: Readout?
    /// The teacher's scores, measured before the first step.
    public var teacher: Scores?
    /// Share of pseudo-labels that meet the clean label on the training split, where it is known.
    public var pseudoLabelAccuracy: Double?

    public func readout(average: Bool) -> Readout { average ? self.average ?? student : student }
}

/// One line of `metrics.jsonl`: an epoch. Nothing in it depends on the clock.
public struct EpochMetrics: Codable, Equatable, Sendable {
    public struct Scores: Codable, Equatable, Sendable {
        public var accuracy: Double
        public var nll: Double
        public var ece: Double

        init(_ evaluation: Evaluation) {
            accuracy = evaluation.accuracy
            nll = evaluation.nll
            ece = evaluation.ece
        }
    }

    public var phase: String
    /// Counted from 1.
    public var epoch: Int
    public var step: Int
    /// The learning rate of the epoch's last step.
    public var rate: Double
    /// Mean over the epoch's samples of the weighted sum of all terms.
    public var loss: Double
    public var terms: [String: Double]
    /// Agreement of the network, as it trained, with the given labels.
    public var trainAccuracy: Double
    /// Agreement with the clean ones, where they are known: the gap shows how much noise is learnt.
    public var trainCleanAccuracy: Double?
    public var validation: Scores
    public var test: Scores
    public var averageValidation: Scores?
    public var averageTest: Scores?
}

/// What happens while a phase trains, for progress and logs.
public enum PhaseEvent: Sendable {
    case began(PhaseSpec, resumedAt: Int?, steps: Int)
    case teacher(PhaseSpec, PhaseResult.Scores)
    case step(PhaseSpec, step: Int, of: Int)
    case epoch(PhaseSpec, EpochMetrics)
    case finished(PhaseSpec, PhaseResult, seconds: Double, reused: Bool)
}
