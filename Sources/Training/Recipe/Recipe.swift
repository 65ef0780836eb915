import Datasets
import Diagnostics
import Distillation
import Models
import Neural

/// One run, described as data: what is learnt from, what learns, how, and from which seed.
///
/// Everything has a default but `data`, `model` and `method`; the resolved recipe, with every
/// default written out, is kept in the run folder.
public struct Recipe: Codable, Equatable, Sendable {
    /// What tables and reports call this run; the method's name if not given.
    public var name: String
    /// Splits, label noise, initial weights, order and augmentation all derive from it.
    public var seed: UInt64
    public var data: DataOptions
    public var noise: LabelNoise
    /// Labels in the place of given ones, those of `noise` too; nil: none.
    public var labels: SampleFileOptions?
    /// How much the loss of each training sample counts; nil: all alike.
    public var weights: SampleFileOptions?
    public var model: ModelSpec
    public var method: AnyMethod
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
    public var training: TrainingOptions
    /// What differs in the phases after the first: a distilled student, later stages.
    public var later: LaterOptions
    /// Relations between samples, learnt without labels, that guide the student.
    public var relation: RelationOptions?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, seed, data, noise, labels, weights, model, method, optimizer, schedule, training
        case later, relation
    }

    /// A recipe of a program. Its values are checked when a run begins (`checked`).
    ///
    /// - Parameter optimizer: nil: SGD at 0.1, and for later phases what the method's paper has.
    public init(
        name: String? = nil, seed: UInt64 = 0, data: DataOptions, noise: LabelNoise = .none,
        labels: SampleFileOptions? = nil, weights: SampleFileOptions? = nil, model: ModelSpec,
        method: any Method = CrossEntropy(),
        optimizer: OptimizerOptions? = nil, schedule: Schedule = .init(),
        training: TrainingOptions = .init(), later: LaterOptions = .init(),
        relation: RelationOptions? = nil
    ) {
        self.method = AnyMethod(method)
        self.name = name ?? self.method.name
        self.seed = seed
        self.data = data
        self.noise = noise
        self.labels = labels
        self.weights = weights
        self.model = model
        self.optimizer = optimizer ?? .init()
        self.schedule = schedule
        self.training = training
        self.later = optimizer == nil ? later.filled(from: method.usualLater) : later
        self.relation = relation
        method.resolve(&self)
        relation?.teacher?.method?.base.resolve(&self)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        data = try values.decode(DataOptions.self, forKey: .data)
        noise = try values.decodeIfPresent(LabelNoise.self, forKey: .noise) ?? LabelNoise(.clean)
        labels = try values.decodeIfPresent(SampleFileOptions.self, forKey: .labels)
        weights = try values.decodeIfPresent(SampleFileOptions.self, forKey: .weights)
        model = try values.decode(ModelSpec.self, forKey: .model)
        method = try values.decode(AnyMethod.self, forKey: .method)
        let named = try values.decodeIfPresent(OptimizerOptions.self, forKey: .optimizer)
        optimizer = named ?? .init()
        schedule = try values.decodeIfPresent(Schedule.self, forKey: .schedule) ?? .init()
        training = try values.decodeIfPresent(TrainingOptions.self, forKey: .training) ?? .init()
        later = try values.decodeIfPresent(LaterOptions.self, forKey: .later) ?? .init()
        // Whoever names an optimizer means it for all phases.
        if named == nil { later = later.filled(from: method.base.usualLater) }
        relation = try values.decodeIfPresent(RelationOptions.self, forKey: .relation)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? method.name
        method.base.resolve(&self)
        relation?.teacher?.method?.base.resolve(&self)
        guard !name.isEmpty, name.count <= 80 else {
            throw Problem.outOfRange("name", found: "\(name.count) characters", expected: "1 to 80")
        }
        try validate()
    }

    /// What can be said without the data; whether network, noise and samples fit is seen later.
    func validate() throws(Problem) {
        try optimizer.validate(at: .init(detail: ["optimizer"]))
        try schedule.validate(at: .init(detail: ["schedule"]))
        try check(model, at: "")
        let method = method.base
        if training.ema == 0,
            let weights = (method.asksFor + (relation?.teacher?.asksFor ?? [])).first(
                where: \.isEMA)
        {
            throw .outOfRange(
                "training.ema", found: "0 with weights \(weights.rawValue)", expected: "above 0"
            )
        }
        try method.check(self)
        try relation?.check(self)
        guard data.source.hasSamples || !self.method.learnsFromData else {
            throw .dataMissing(
                self.method.name,
                without: MethodRegistry.standard.methods.filter { !$0.learnsFromData }.map {
                    $0.name
                })
        }
    }

    /// Refuses peers whose networks, optimizers or schedules are not ones that there are.
    public func check(_ peers: PeersOptions) throws(Problem) {
        for (i, peer) in peers.each.enumerated() {
            let place = "method.peers.\(i)"
            if let model = peer.model { try check(model, at: "\(place).") }
            try peer.optimizer?.validate(at: .init(detail: ["\(place).optimizer"]))
            try peer.schedule?.validate(at: .init(detail: ["\(place).schedule"]))
        }
    }

    /// Refuses a method's warm-up that leaves no epoch for what comes after it.
    func check(warmUp: Int) throws(Problem) {
        guard warmUp < training.epochs else {
            throw .outOfRange(
                "method.warm-up", found: "\(warmUp)",
                expected: "fewer than the \(training.epochs) epochs of training")
        }
    }

    /// Refuses a network that there is not, or options that it does not have.
    ///
    /// - Parameter prefix: the key path before `model`.
    public func check(_ model: ModelSpec, at prefix: String) throws(Problem) {
        do {
            // Samples that every network of the kind takes: name and options are in question.
            let shape = data.source.textLength.map { [1, $0] } ?? [3, 32, 32]
            try ModelRegistry.check(model, sampleShape: shape, classes: 2)
        } catch {
            var problem = error
            if let key = problem.place?.detail.first { problem.place?.detail = [prefix + key] }
            throw problem
        }
    }
}
