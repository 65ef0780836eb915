import Datasets
import Diagnostics
import Distillation
import Models
import Neural

/// Relation modelling: how the encoder learns, from the training samples without a label.
///
/// The paper's encoder is described as SimSiam's [second-hand]; network, length and optimizer are not
/// known. The defaults are SimSiam's for CIFAR, scaled to small networks [our choice].
public struct RelationModelling: Equatable, Sendable {
    public var kind: SelfSupervision
    /// Its network; the student's if not given.
    public var model: ModelSpec?
    /// 1 to 100,000. 200 to 800 in SimSiam; small images and networks need fewer.
    public var epochs: Int
    /// Samples per step, 2 to 65,536; two views of each. The rest of an epoch that does not fill a batch is
    /// left out.
    public var batch: Int
    /// sgd with learning rate .03 · batch/256 and weight decay 5e-4 if not given.
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
    /// Of the projections, 2 to 65,536; 2048 in SimSiam.
    public var dimension: Int
    /// Of the predictor's middle (SimSiam); a quarter of `dimension` if not given.
    public var hidden: Int
    /// T > 0 of SimCLR.
    public var temperature: Double
    public var views: Views
    /// Neighbours that the evaluation asks, 1 to 1000.
    public var neighbours: Int

    public init(
        kind: SelfSupervision = .simSiam, model: ModelSpec? = nil, epochs: Int = 100,
        batch: Int = 256, optimizer: OptimizerOptions? = nil, schedule: Schedule = .init(),
        dimension: Int = 256, hidden: Int? = nil, temperature: Double = 0.5, views: Views = .init(),
        neighbours: Int = 20
    ) {
        self.kind = kind
        self.model = model
        self.epochs = epochs
        self.batch = batch
        self.optimizer =
            optimizer
            ?? OptimizerOptions(
                kind: .sgd, learningRate: 0.03 * Double(batch) / 256, weightDecay: 5e-4)
        self.schedule = schedule
        self.dimension = dimension
        self.hidden = hidden ?? max(1, dimension / 4)
        self.temperature = temperature
        self.views = views
        self.neighbours = neighbours
    }
}

extension RelationModelling: Codable {
    private enum Keys: String, CodingKey {
        case kind, model, epochs, batch, optimizer, schedule, dimension, hidden, temperature
        case views, neighbours
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        let standard = RelationModelling()
        func whole(_ key: Keys, _ standard: Int, _ range: ClosedRange<Int>) throws -> Int {
            let found = try values.decodeIfPresent(Int.self, forKey: key) ?? standard
            guard range.contains(found) else {
                throw Problem.outOfRange(
                    "relation.encoder.\(key.rawValue)", found: "\(found)",
                    expected: "\(range.lowerBound) to \(range.upperBound)")
            }
            return found
        }
        let dimension = try whole(.dimension, standard.dimension, 2...65_536)
        self.init(
            kind: try values.decodeIfPresent(SelfSupervision.self, forKey: .kind) ?? standard.kind,
            model: try values.decodeIfPresent(ModelSpec.self, forKey: .model),
            epochs: try whole(.epochs, standard.epochs, 1...100_000),
            batch: try whole(.batch, standard.batch, 2...65_536),
            optimizer: try values.decodeIfPresent(OptimizerOptions.self, forKey: .optimizer),
            schedule: try values.decodeIfPresent(Schedule.self, forKey: .schedule)
                ?? standard.schedule,
            dimension: dimension, hidden: try whole(.hidden, max(1, dimension / 4), 1...65_536),
            temperature: try values.decodeIfPresent(Double.self, forKey: .temperature)
                ?? standard.temperature,
            views: try values.decodeIfPresent(Views.self, forKey: .views) ?? standard.views,
            neighbours: try whole(.neighbours, standard.neighbours, 1...1000))
        guard temperature > 0, temperature.isFinite else {
            throw Problem.outOfRange(
                "relation.encoder.temperature", found: "\(temperature)", expected: "above 0")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(kind, forKey: .kind)
        try values.encodeIfPresent(model, forKey: .model)
        try values.encode(epochs, forKey: .epochs)
        try values.encode(batch, forKey: .batch)
        try values.encode(optimizer, forKey: .optimizer)
        try values.encode(schedule, forKey: .schedule)
        try values.encode(dimension, forKey: .dimension)
        try values.encode(hidden, forKey: .hidden)
        try values.encode(temperature, forKey: .temperature)
        try values.encode(views, forKey: .views)
        try values.encode(neighbours, forKey: .neighbours)
    }
}
