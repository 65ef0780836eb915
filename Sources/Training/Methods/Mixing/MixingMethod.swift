import Diagnostics
import Distillation
import Models
import Torch

/// `adaptive-mixing`: who teaches, with which losses, and how the losses are weighed.
///
///     method:
///       name: adaptive-mixing
///       teachers: [{model: {name: resnet20}}, {model: {name: resnet8}, epochs: [5, 10]}]
///       weighting: adaptive
public struct AdaptiveMixing: Method {
    public static let name = "adaptive-mixing"
    public static let summary = "weighs the losses of labels and teachers sample by sample"

    public enum Weighting: String, Codable, Sendable, CaseIterable {
        /// A weight per sample and loss, learnt on the meta-validation split.
        case adaptive
        /// `initial-weight` for every sample, all the time.
        case fixed
        /// Fixed, and every teacher left out of a batch with probability `drop`.
        case dropping
        /// Fixed, and each sample's mixed loss through SuperLoss.
        case superLoss = "super-loss"
    }

    public var weighting: Weighting
    /// Of adaptive weights; `temperature` and `initialWeight` are those of every weighting.
    public var mixing: AdaptiveMixingOptions
    public var drop: Double
    /// ℓ_0, against the given labels.
    public var loss: LabelLoss
    /// ℓ_1 … ℓ_M, towards each teacher.
    public var divergence: TeacherLoss
    /// Further losses against the given labels, mixed like those of teachers.
    public var extraLosses: [LabelLoss]
    public var teachers: [MixingTeacher]

    public init(teachers: [MixingTeacher] = [MixingTeacher()]) {
        self.teachers = teachers
        weighting = .adaptive
        mixing = .init()
        drop = 0.25
        loss = .crossEntropy()
        divergence = .divergence(.kl)
        extraLosses = []
    }

    private enum Keys: String, CodingKey {
        case weighting, drop, loss, divergence, teachers
        case extraLosses = "extra-losses"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        self.init()
        mixing = try AdaptiveMixingOptions(from: decoder)
        weighting = try values.decodeIfPresent(Weighting.self, forKey: .weighting) ?? weighting
        drop = try values.decodeIfPresent(Double.self, forKey: .drop) ?? drop
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        divergence = try values.decodeIfPresent(TeacherLoss.self, forKey: .divergence) ?? divergence
        extraLosses =
            try values.decodeIfPresent([LabelLoss].self, forKey: .extraLosses) ?? extraLosses
        teachers = try values.decodeIfPresent([MixingTeacher].self, forKey: .teachers) ?? teachers
        guard (0..<1).contains(drop) else {
            throw Problem.outOfRange("method.drop", found: "\(drop)", expected: "0 <= drop < 1")
        }
        guard teachers.count <= 16, teachers.count + extraLosses.count >= 1 else {
            throw Problem.outOfRange(
                "method.teachers", found: "\(teachers.count)", expected: "1 to 16 teachers")
        }
        guard extraLosses.count <= 8 else {
            throw Problem.outOfRange(
                "method.extra-losses", found: "\(extraLosses.count)", expected: "at most 8")
        }
        guard weighting == .adaptive || fixedShare != nil else {
            throw Problem.outOfRange(
                "method.initial-weight", found: "uniform",
                expected: "a number, where weights are fixed")
        }
        if weighting == .dropping, fixedShare == 1, drop > 0 {
            throw Problem.outOfRange(
                "method.initial-weight", found: "1", expected: "below 1 where teachers are dropped")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        try mixing.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(weighting, forKey: .weighting)
        try values.encode(drop, forKey: .drop)
        try values.encode(loss, forKey: .loss)
        try values.encode(divergence, forKey: .divergence)
        try values.encode(extraLosses, forKey: .extraLosses)
        try values.encode(teachers, forKey: .teachers)
    }

    /// λ of the fixed weightings: 1 − λ for the given labels, λ for every other loss.
    var fixedShare: Double? {
        if case .share(let share) = mixing.initialWeight { share } else { nil }
    }

    /// What adaptive weights hold out where the recipe does not say: 10 % of CIFAR-100's training images
    /// in the paper's code.
    static let usualMetaValidation = 0.1

    public var files: [String] { teachers.flatMap(\.options.files) }

    public var asksFor: [TeacherWeights] { teachers.flatMap(\.options.asksFor) }

    public func resolve(_ recipe: inout Recipe) {
        if weighting == .adaptive, recipe.data.metaValidation == nil {
            recipe.data.metaValidation = Self.usualMetaValidation
        }
        for teacher in teachers { teacher.method?.base.resolve(&recipe) }
    }

    public func check(_ recipe: Recipe) throws(Problem) {
        for (i, teacher) in teachers.enumerated() {
            let place = "method.teachers.\(i)"
            try teacher.options.check(recipe, at: place)
            if let epoch = teacher.snapshotEpochs.max(), epoch > recipe.training.epochs {
                throw .outOfRange(
                    "\(place).snapshot-epochs", found: "\(epoch)",
                    expected: "at most training.epochs, \(recipe.training.epochs)")
            }
        }
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        var chain: [PhaseSpec] = []
        var mixed: [MixingTarget.Teacher] = []
        for (i, teacher) in teachers.enumerated() {
            let network = teacher.model ?? plan.recipe.model
            let name = teachers.count > 1 ? "teacher-\(i + 1)" : "teacher"
            var sources: [WeightSource] = []
            if teacher.untrained {
                sources = [.untrained(network, seed: plan.recipe.seed &+ 1000 &+ UInt64(i))]
            } else if teacher.file != nil || teacher.method != nil {
                // Teachers of one kind start from weights of their own.
                let alike = teachers[..<i].count {
                    $0.method == teacher.method && ($0.model ?? plan.recipe.model) == network
                }
                var (phases, source) = try plan.teacher(
                    teacher.options, name: name, seed: 1000 &* UInt64(alike))
                if !teacher.snapshotEpochs.isEmpty {
                    phases[phases.count - 1].keep = teacher.snapshotEpochs.sorted()
                    source = .phase(key: phases.last!.key, teacher.weights)
                }
                chain += phases
                sources =
                    teacher.snapshotEpochs.map { .epoch(key: phases.last!.key, $0) } + [source]
            } else {
                var spec = plan.phase(
                    name, 0, CrossEntropy.Target(), model: network, isGuided: false)
                // Teachers of one architecture start from weights of their own. Index 1 is the
                // student's.
                let alike = chain.count { $0.model == network }
                if alike > 0 { spec.index = alike + 1 }
                if !teacher.snapshotEpochs.isEmpty { spec.keep = teacher.snapshotEpochs.sorted() }
                chain.append(spec)
                sources =
                    teacher.snapshotEpochs.map { .epoch(key: spec.key, $0) }
                    + [.phase(key: spec.key, teacher.weights)]
            }
            mixed += sources.map { .init(source: $0, corrupt: teacher.corrupt) }
        }
        try checkEstimates(of: [loss] + extraLosses, at: "method.extra-losses")
        let estimation = plan.estimation(for: [loss] + extraLosses)
        let target = MixingTarget(
            options: self, teachers: mixed, estimators: estimation.networks)
        return chain + estimation.phases(besides: chain) + [plan.phase("student", 1, target)]
    }
}
