import Datasets
import Diagnostics
import Torch

/// How long and how a phase trains.
public struct TrainingOptions: Codable, Equatable, Sendable {
    /// What decides which epoch's weights are `selected`: always on the validation split.
    public enum Selection: String, Codable, Sendable, CaseIterable { case accuracy, nll }

    /// A form of logs besides `metrics.jsonl`.
    public enum Logs: String, Codable, Sendable, CaseIterable { case tensorboard }

    /// Passes over the training split, 1 to 100,000.
    public var epochs: Int
    /// Samples per step; the last, smaller batch of an epoch is kept.
    public var batch: Int
    /// Random crop and flip.
    public var augmentation: Augmentation
    /// Decay of the exponential moving average of the weights, [0, 1); 0 for none. The average never
    /// influences training. It is a strong cheap baseline under label noise, so it is on by default.
    /// About one epoch of steps is a good memory: 1 − 1/steps.
    public var ema: Double
    /// Whether the run's result is the network with averaged weights rather than the trained one.
    public var useEMA: Bool
    /// Stop a phase after this many epochs without a better validation value; none: never.
    public var patience: Int?
    public var selection: Selection
    /// Whether it is recorded how each training sample was predicted from epoch to epoch; nil: where a fold is
    /// held out.
    public var dynamics: Bool?
    /// A checkpoint every so many steps, besides those by time; none: only by time.
    public var checkpointSteps: Int?
    /// A checkpoint at least this often, in seconds, at the next step.
    public var checkpointSeconds: Double
    /// Logs that the program `limbeck train` keeps in the run folder; nil: none. No result depends on it.
    public var logs: Logs?

    public init() {
        epochs = 30
        batch = 128
        augmentation = .none
        ema = 0.99
        useEMA = false
        patience = nil
        selection = .accuracy
        checkpointSteps = nil
        checkpointSeconds = 30
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case epochs, batch, augmentation, ema, patience, selection, dynamics, logs
        case useEMA = "use-ema"
        case checkpointSteps = "checkpoint-steps"
        case checkpointSeconds = "checkpoint-seconds"
    }

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epochs = try values.decodeIfPresent(Int.self, forKey: .epochs) ?? epochs
        batch = try values.decodeIfPresent(Int.self, forKey: .batch) ?? batch
        augmentation =
            try values.decodeIfPresent(Augmentation.self, forKey: .augmentation) ?? augmentation
        ema = try values.decodeIfPresent(Double.self, forKey: .ema) ?? ema
        useEMA = try values.decodeIfPresent(Bool.self, forKey: .useEMA) ?? useEMA
        patience = try values.decodeIfPresent(Int.self, forKey: .patience)
        selection = try values.decodeIfPresent(Selection.self, forKey: .selection) ?? selection
        dynamics = try values.decodeIfPresent(Bool.self, forKey: .dynamics)
        logs = try values.decodeIfPresent(Logs.self, forKey: .logs)
        checkpointSteps = try values.decodeIfPresent(Int.self, forKey: .checkpointSteps)
        checkpointSeconds =
            try values.decodeIfPresent(Double.self, forKey: .checkpointSeconds) ?? checkpointSeconds
        try require("epochs", epochs, in: 1...100_000)
        try require("batch", batch, in: 1...65_536)
        if let patience { try require("patience", patience, in: 1...100_000) }
        if let steps = checkpointSteps {
            try require("checkpoint-steps", steps, in: 1...1_000_000_000)
        }
        try require("augmentation.padding", augmentation.padding, in: 0...1024)
        guard (0..<1).contains(ema) else {
            throw Problem.outOfRange(
                "training.ema", found: "\(ema)", expected: "0 <= ema < 1")
        }
        guard checkpointSeconds > 0 else {
            throw Problem.outOfRange(
                "training.checkpoint-seconds", found: "\(checkpointSeconds)", expected: "above 0")
        }
        if useEMA, ema == 0 {
            throw Problem.outOfRange(
                "training.use-ema", found: "true with ema 0", expected: "an ema above 0"
            )
        }
    }

    private func require(_ key: String, _ value: Int, in range: ClosedRange<Int>) throws(Problem) {
        guard range.contains(value) else {
            throw .outOfRange(
                "training.\(key)", found: "\(value)",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// Options of the phases after the first, where they differ from those of the first: soft labels need
/// another number of epochs and another weight decay than given labels (in the theory, every stage has
/// its own λ).
public struct LaterOptions: Codable, Equatable, Sendable {
    /// Instead of `training.epochs`.
    public var epochs: Int?
    /// Instead of `optimizer.learning-rate`.
    public var learningRate: Double?
    /// Instead of `optimizer.weight-decay`.
    public var weightDecay: Double?

    public init() {}

    /// These, and where they say nothing, `others`.
    func filled(from others: LaterOptions) -> LaterOptions {
        var filled = self
        filled.epochs = epochs ?? others.epochs
        filled.learningRate = learningRate ?? others.learningRate
        filled.weightDecay = weightDecay ?? others.weightDecay
        return filled
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case epochs
        case learningRate = "learning-rate"
        case weightDecay = "weight-decay"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        epochs = try values.decodeIfPresent(Int.self, forKey: .epochs)
        learningRate = try values.decodeIfPresent(Double.self, forKey: .learningRate)
        weightDecay = try values.decodeIfPresent(Double.self, forKey: .weightDecay)
        if let epochs, !(1...100_000).contains(epochs) {
            throw Problem.outOfRange("later.epochs", found: "\(epochs)", expected: "1 to 100000")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw Problem.outOfRange(
                "later.learning-rate", found: "\(learningRate)", expected: "above 0")
        }
        if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
            throw Problem.outOfRange(
                "later.weight-decay", found: "\(weightDecay)", expected: "0 or more")
        }
    }
}

/// What a run computes on: part of its identity, because results are byte-identical only at equal
/// engine, thread count, device and precision.
public struct ComputeOptions: Codable, Equatable, Sendable {
    public var engine: String
    public var capability: String
    public var threads: Int
    public var device: String
    public var precision: Precision

    public init(threads: Int, device: Device = .cpu, precision: Precision = .float32) {
        engine = Engine.version
        capability = Engine.capability
        self.threads = threads
        self.device = device.description
        self.precision = precision
    }
}
