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
    public var model: ModelSpec
    public var method: MethodOptions
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
    public var training: TrainingOptions
    /// What differs in the phases after the first: a distilled student, later stages.
    public var later: LaterOptions
    /// Relations between samples, learnt without labels, that guide the student.
    public var relation: RelationOptions?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, seed, data, noise, model, method, optimizer, schedule, training, later, relation
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        data = try values.decode(DataOptions.self, forKey: .data)
        noise = try values.decodeIfPresent(LabelNoise.self, forKey: .noise) ?? LabelNoise(.clean)
        model = try values.decode(ModelSpec.self, forKey: .model)
        method = try values.decode(MethodOptions.self, forKey: .method)
        optimizer = try values.decodeIfPresent(OptimizerOptions.self, forKey: .optimizer) ?? .init()
        schedule = try values.decodeIfPresent(Schedule.self, forKey: .schedule) ?? .init()
        training = try values.decodeIfPresent(TrainingOptions.self, forKey: .training) ?? .init()
        later = try values.decodeIfPresent(LaterOptions.self, forKey: .later) ?? .init()
        relation = try values.decodeIfPresent(RelationOptions.self, forKey: .relation)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? method.name
        if case .adaptiveMixing(let options) = method, options.weighting == .adaptive,
            data.metaValidation == nil
        {
            data.metaValidation = Recipe.usualMetaValidation
        }
        guard !name.isEmpty, name.count <= 80 else {
            throw Problem.outOfRange("name", found: "\(name.count) characters", expected: "1 to 80")
        }
        try validate()
    }

    /// What adaptive mixing holds out where the recipe does not say: 10 % of CIFAR-100's training
    /// images in the paper's code.
    static let usualMetaValidation = 0.1

    /// What can be said without the data; whether network, noise and samples fit is seen later.
    private func validate() throws(Problem) {
        try optimizer.validate(at: .init(detail: ["optimizer"]))
        try schedule.validate(at: .init(detail: ["schedule"]))
        try check(model, at: "")
        let weights: TeacherWeights? =
            switch method {
            case .crossEntropy: nil
            case .distillation(_, let teacher): teacher.file == nil ? teacher.weights : nil
            case .selfDistillation(_, let weights): weights
            case .mutual: nil
            case .adaptiveMixing(let options):
                options.teachers.first { $0.file == nil && $0.weights.isAverage }?.weights
            case .dataFree(let options):
                options.teacher.file == nil ? options.teacher.weights : nil
            }
        if training.average == 0, let weights, weights.isAverage {
            throw Problem.outOfRange(
                "training.average", found: "0 with weights \(weights.rawValue)", expected: "above 0"
            )
        }
        if case .distillation(_, let teacher) = method, let model = teacher.model {
            try check(model, at: "method.teacher.")
        }
        if case .mutual(_, let peers) = method { try validate(peers) }
        if case .adaptiveMixing(let options) = method { try validate(options) }
        if let relation { try validate(relation) }
        try validateDataFree()
    }

    private func validate(_ relation: RelationOptions) throws(Problem) {
        if case .dataFree = method { throw .relationsNeedSamples() }
        let place = "relation.encoder"
        let own = relation.encoder
        if let model = own.model { try check(model, at: "\(place).") }
        try own.optimizer.validate(at: .init(detail: ["\(place).optimizer"]))
        try own.schedule.validate(at: .init(detail: ["\(place).schedule"]))
        var students = [model]
        if case .mutual(_, let peers) = method { students = peers.each.map { $0.model ?? model } }
        if relation.start == .encoder,
            let other = students.first(where: { $0 != own.model ?? model })
        {
            throw .outOfRange(
                "relation.start",
                found: "encoder with a student of another network (\(other.name))",
                expected: "one network for both, or start: fresh")
        }
    }

    private func validateDataFree() throws(Problem) {
        guard case .dataFree(let options) = method else {
            guard data.kind != .none else { throw .dataMissing(method.name) }
            return
        }
        if let model = options.teacher.model { try check(model, at: "method.teacher.") }
        if let peers = options.peers { try validate(peers) }
        guard relation == nil else {
            throw .outOfRange(
                "relation", found: "with \(method.name)",
                expected: "a method whose students see labelled samples")
        }
        guard data.kind == .none else { return }
        guard options.teacher.file != nil else { throw .teacherMissing() }
        guard noise.kind == .clean else { throw .noiseWithoutData(noise.kind.rawValue) }
    }

    private func validate(_ options: MixingOptions) throws(Problem) {
        for (i, teacher) in options.teachers.enumerated() {
            let place = "method.teachers.\(i)"
            if let model = teacher.model { try check(model, at: "\(place).") }
            if let epoch = teacher.epochs.max(), epoch > training.epochs {
                throw Problem.outOfRange(
                    "\(place).epochs", found: "\(epoch)",
                    expected: "at most training.epochs, \(training.epochs)")
            }
        }
    }

    private func validate(_ peers: PeersOptions) throws(Problem) {
        for (i, peer) in peers.each.enumerated() {
            let place = "method.peers.\(i)"
            if let model = peer.model { try check(model, at: "\(place).") }
            try peer.optimizer?.validate(at: .init(detail: ["\(place).optimizer"]))
            try peer.schedule?.validate(at: .init(detail: ["\(place).schedule"]))
        }
    }

    /// - Parameter prefix: the key path before `model`.
    private func check(_ model: ModelSpec, at prefix: String) throws(Problem) {
        do {
            // Samples that every network of the kind takes: name and options are in question.
            let shape = data.kind == .text ? [1, data.length ?? 1024] : [3, 64, 64]
            try ModelRegistry.check(model, sampleShape: shape, classes: 2)
        } catch {
            var problem = error
            if let key = problem.place?.detail.first { problem.place?.detail = [prefix + key] }
            throw problem
        }
    }
}

/// Which of a finished phase's weights teach the next one.
public enum TeacherWeights: String, Codable, Sendable, CaseIterable {
    /// Best on the validation split: early stopping for the teacher.
    case selected
    /// After the last epoch.
    case last
    case averageSelected = "average-selected"
    case averageLast = "average-last"

    var isAverage: Bool { self == .averageSelected || self == .averageLast }
}

/// The teacher of `distillation`: trained here first, or brought as a file.
public struct TeacherOptions: Codable, Equatable, Sendable {
    /// Its network; the student's if not given.
    public var model: ModelSpec?
    /// A safetensors file with the weights of `model`; if not given, the teacher is trained with
    /// cross-entropy on the same (noisy) labels.
    public var file: String?
    /// Which weights of the trained teacher teach.
    public var weights: TeacherWeights

    public init(model: ModelSpec? = nil, file: String? = nil, weights: TeacherWeights = .selected) {
        self.model = model
        self.file = file
        self.weights = weights
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decodeIfPresent(ModelSpec.self, forKey: .model)
        file = try values.decodeIfPresent(String.self, forKey: .file)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case model, file, weights }
}
