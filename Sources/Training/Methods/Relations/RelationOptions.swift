import Datasets
import Diagnostics
import Distillation
import Models
import Neural

/// `relation:` in a recipe: "RMDNet (reconstruction)", on top of any method whose student learns from
/// labelled samples. An encoder learns relations between samples without labels; they guide the
/// student's features while its method trains it.
///
///     relation:
///       encoder: {kind: simsiam, epochs: 100}
///       edge: softmax
///       node: cosine
///       weight: 1
public struct RelationOptions: Equatable, Sendable {
    /// What a student's features start from.
    public enum Start: String, Codable, Sendable, CaseIterable {
        case fresh
        /// The encoder's weights, without its head. Its network must be the student's.
        case encoder
    }

    public var encoder: RelationModelling
    /// Whose features guide instead of an encoder's: a network that learnt from the given labels, by any
    /// method, or a file. Not in the paper.
    public var teacher: TeacherOptions?
    public var guidance: RelationGuidance
    public var start: Start

    public init(
        encoder: RelationModelling = .init(), teacher: TeacherOptions? = nil,
        guidance: RelationGuidance = .init(), start: Start = .fresh
    ) {
        self.encoder = encoder
        self.teacher = teacher
        self.guidance = guidance
        self.start = start
    }
}

extension RelationOptions: Codable {
    private enum Keys: String, CodingKey { case encoder, teacher, start }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        encoder = try values.decodeIfPresent(RelationModelling.self, forKey: .encoder) ?? .init()
        teacher = try values.decodeIfPresent(TeacherOptions.self, forKey: .teacher)
        if teacher != nil, values.contains(.encoder) {
            throw Problem.outOfRange(
                "relation.teacher", found: "a teacher beside an encoder",
                expected: "one of the two")
        }
        guidance = try RelationGuidance(from: decoder)
        start = try values.decodeIfPresent(Start.self, forKey: .start) ?? .fresh
        if start == .fresh, !guidance.isOn {
            throw Problem.outOfRange(
                "relation.start", found: "fresh with neither edge nor node",
                expected: "start: encoder, or a term")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        if let teacher {
            try values.encode(teacher, forKey: .teacher)
        } else {
            try values.encode(self.encoder, forKey: .encoder)
        }
        try guidance.encode(to: encoder)
        try values.encode(start, forKey: .start)
    }
}

extension RelationOptions {
    /// The phase that learns relations: described by samples, split and seed, and by nothing of the labels,
    /// so that every label noise and every method of a comparison share it.
    ///
    /// The split is part of it, because the encoder learns from the training samples only; classes enter
    /// a split (it is stratified), which is why `samplesHash` is that of the data as it came.
    func encoderPhase(
        of recipe: Recipe, samplesHash: String, compute: ComputeOptions
    ) -> PhaseSpec {
        var (data, training) = (recipe.data, recipe.training)
        data.cleanValidation = false
        data.cleanMetaValidation = nil
        training.epochs = encoder.epochs
        training.batch = encoder.batch
        training.augmentation = .none
        training.ema = 0
        training.patience = nil
        training.selection = .accuracy
        training.dynamics = nil
        // What is in `learners` is not said a second time.
        var target = encoder
        target.model = nil
        let learner = LearnerSpec(
            model: encoder.model ?? recipe.model, optimizer: encoder.optimizer,
            schedule: encoder.schedule)
        return PhaseSpec(
            name: "relations", index: 0, seed: recipe.seed, data: data, dataHash: samplesHash,
            noise: LabelNoise(.clean), target: AnyTarget(EncoderTarget(options: target)),
            learners: [learner], training: training, compute: compute)
    }

    /// Adds to a phase what its students are guided by.
    ///
    /// A phase that continues from another's weights starts from those.
    func guide(_ spec: inout PhaseSpec, _ source: WeightSource) {
        if guidance.isOn {
            spec.target = AnyTarget(
                RelationGuided.Target(base: spec.target, guidance: guidance, encoder: source))
        }
        if start == .encoder, spec.start == nil {
            spec.start = .init(source: source, isFeaturesOnly: true)
        }
    }

    func check(_ recipe: Recipe) throws(Problem) {
        guard recipe.method.learnsFromData else { throw .relationsNeedSamples() }
        if let teacher {
            try teacher.check(recipe, at: "relation.teacher")
            if start == .encoder, teacher.model ?? recipe.model != recipe.model {
                throw .outOfRange(
                    "relation.start", found: "encoder with a teacher of another network",
                    expected: "one network for both, or start: fresh")
            }
            return
        }
        let place = "relation.encoder"
        if let model = encoder.model { try recipe.check(model, at: "\(place).") }
        try encoder.optimizer.validate(at: .init(detail: ["\(place).optimizer"]))
        try encoder.schedule.validate(at: .init(detail: ["\(place).schedule"]))
        let students = recipe.method.base.students(recipe)
        if start == .encoder,
            let other = students.first(where: { $0 != encoder.model ?? recipe.model })
        {
            throw .outOfRange(
                "relation.start",
                found: "encoder with a student of another network (\(other.name))",
                expected: "one network for both, or start: fresh")
        }
    }
}
