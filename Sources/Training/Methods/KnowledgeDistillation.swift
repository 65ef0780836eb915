import Diagnostics
import Distillation
import Models
import Neural
import Report
import Torch

/// Knowledge distillation: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network",
/// 2015, arXiv 1503.02531.
///
///     L = a · CE(y, z) + b · T² KL( softmax(t/T) ‖ softmax(z/T) )
///
/// with student logits z and teacher logits t. T² keeps the size of the second term's gradient about
/// independent of T. Enters: given labels and a frozen teacher. Learnt: the student.
/// No deviation; T² and the mean over the batch (not over classes) are as in the paper. Options put
/// another loss in the place of either term.
public struct KnowledgeDistillationOptions: Codable, Equatable, Sendable {
    /// T > 0. 4 is the field's usual choice; 1 for a teacher that is not over-confident.
    public var temperature: Double
    /// a, the weight of the given labels, ≥ 0. Low under label noise: the teacher has averaged it out.
    public var labelWeight: Double
    /// b, the weight of the teacher, ≥ 0.
    public var distillationWeight: Double
    /// Instead of CE against the given labels. The teacher, if it is trained here, has cross-entropy.
    public var loss: LabelLoss
    /// Instead of KL to the teacher.
    public var divergence: TeacherLoss
    /// Whether the teacher's and the student's logits are standardised per sample before T: where
    /// their sizes differ much. T around 2 then.
    public var standardiseLogits: Bool

    public init(
        temperature: Double = 4, labelWeight: Double = 0.1, distillationWeight: Double = 0.9,
        loss: LabelLoss = .crossEntropy(), divergence: TeacherLoss = .divergence(.kl),
        standardiseLogits: Bool = false
    ) {
        self.temperature = temperature
        self.labelWeight = labelWeight
        self.distillationWeight = distillationWeight
        self.loss = loss
        self.divergence = divergence
        self.standardiseLogits = standardiseLogits
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        temperature = try values.decodeIfPresent(Double.self, forKey: .temperature) ?? temperature
        labelWeight = try values.decodeIfPresent(Double.self, forKey: .labelWeight) ?? labelWeight
        distillationWeight =
            try values.decodeIfPresent(Double.self, forKey: .distillationWeight)
            ?? distillationWeight
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        divergence = try values.decodeIfPresent(TeacherLoss.self, forKey: .divergence) ?? divergence
        standardiseLogits =
            try values.decodeIfPresent(Bool.self, forKey: .standardiseLogits) ?? standardiseLogits
        guard temperature > 0, temperature.isFinite else {
            throw Problem.outOfRange(
                "method.temperature", found: "\(temperature)", expected: "temperature > 0")
        }
        for (key, value) in [
            ("label-weight", labelWeight), ("distillation-weight", distillationWeight),
        ] where !(value >= 0 && value.isFinite) {
            throw Problem.outOfRange("method.\(key)", found: "\(value)", expected: "\(key) >= 0")
        }
        guard labelWeight + distillationWeight > 0 else {
            throw Problem.outOfRange(
                "method", found: "label-weight 0 and distillation-weight 0",
                expected: "at least one of them above 0")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case temperature, loss, divergence
        case labelWeight = "label-weight"
        case distillationWeight = "distillation-weight"
        case standardiseLogits = "standardise-logits"
    }
}

/// A teacher, trained here first or brought as a file, and a student that learns from it.
public struct KnowledgeDistillation: Method {
    public static let name = "distillation"
    public static let summary = "trains a student on the given labels and a teacher's logits"

    public var options: KnowledgeDistillationOptions
    public var teacher: TeacherOptions

    public init(
        _ options: KnowledgeDistillationOptions = .init(), teacher: TeacherOptions = .init()
    ) {
        self.options = options
        self.teacher = teacher
    }

    private enum Keys: String, CodingKey { case teacher }

    public init(from decoder: any Decoder) throws {
        options = try KnowledgeDistillationOptions(from: decoder)
        let values = try decoder.container(keyedBy: Keys.self)
        teacher = try values.decodeIfPresent(TeacherOptions.self, forKey: .teacher) ?? .init()
    }

    public func encode(to encoder: any Encoder) throws {
        try options.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(teacher, forKey: .teacher)
    }

    public var asksFor: [TeacherWeights] { teacher.asksFor }
    public var files: [String] { teacher.files }
    public func resolve(_ recipe: inout Recipe) { teacher.method?.base.resolve(&recipe) }

    public func check(_ recipe: Recipe) throws(Problem) {
        try teacher.check(recipe, at: "method.teacher")
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let (teachers, source) = try plan.teacher(teacher)
        let estimation = plan.estimation(for: [options.loss])
        let target = Target(
            options: options, teacher: source, estimators: estimation.networks)
        return teachers + estimation.phases(besides: teachers) + [
            plan.phase("student", max(1, teachers.count), target)
        ]
    }

    /// The given labels and a teacher.
    struct Target: PhaseTarget {
        static let name = "teacher"
        var options: KnowledgeDistillationOptions
        var teacher: WeightSource
        /// What the label loss's transition matrix is estimated from, if it has to be.
        var estimators: [WeightSource]?
        var sources: [WeightSource] { [teacher] + (estimators ?? []) }
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func check(_ data: PreparedData) throws(Problem) {
            try options.loss.check(classes: data.classCount)
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let frozen = try phase.frozen(teacher)
            // Without augmentation the teacher sees the same inputs every epoch: once is enough.
            let table = phase.isPlain ? try phase.trainingLogits(frozen) : nil
            var options = options
            options.loss = try phase.ready(options.loss, from: estimators)
            return DistillationObjective(
                options, teacher: TeacherOutputs(frozen, table: table),
                scores: try phase.scores(frozen))
        }
    }
}

public final class DistillationObjective: TeacherLed {
    public let options: KnowledgeDistillationOptions
    private let teacher: TeacherOutputs
    public let teacherScores: PhaseResult.Scores?

    /// - Parameter scores: the teacher's, for the record.
    public init(
        _ options: KnowledgeDistillationOptions = .init(), teacher: TeacherOutputs,
        scores: PhaseResult.Scores? = nil
    ) {
        self.options = options
        self.teacher = teacher
        teacherScores = scores
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let logits = outputs[learner].logits
        return Losses(
            .init(
                options.loss.name, weight: options.labelWeight,
                options.loss.trainingLoss(logits, labels: batch.labels)),
            .init(
                "distillation", weight: options.distillationWeight,
                options.divergence.trainingLoss(
                    teacher: teacher.logits(for: batch), student: logits,
                    labels: batch.labels, temperature: options.temperature,
                    standardised: options.standardiseLogits)))
    }
}

extension KnowledgeDistillation {
    /// A teacher that learnt from the same labels knows nothing that they do not say.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        MethodAdvice(
            .doesNot,
            because:
                "no teacher is known that learnt from more than these labels; a recipe that names "
                + "one (method.teacher.file) is tried as it is")
    }
}

extension KnowledgeDistillation {
    public static let presets = [
        ("dkd-resnet", 2.0, "ResNet-56 to 20 and 110 to 32"),
        ("dkd-vgg", 6, "VGG-13 to 8, VGG-13 to MobileNetV2, and pairs of wide ResNets"),
        ("dkd-mobile", 8, "ResNet-32x4 to 8x4, ShuffleNets, ResNet-50 to MobileNetV2"),
    ].map { name, beta, pairs in
        MethodPreset(
            name,
            "divergence: {name: dkd, target: 1, non-target: \(beta)}, temperature: 4, label-weight: 1, "
                + "distillation-weight: 1",
            source: "CIFAR-100, \(pairs); decoupled distillation in mdistiller's configurations")
    }
}
