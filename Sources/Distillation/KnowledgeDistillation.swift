import Diagnostics
import Neural
import Torch

/// Knowledge distillation: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network",
/// 2015, arXiv 1503.02531.
///
///     L = hard · CE(y, z) + soft · T² KL( softmax(t/T) ‖ softmax(z/T) )
///
/// with student logits z and teacher logits t. T² keeps the size of the soft term's gradient about
/// independent of T. Enters: given labels and a frozen teacher. Learnt: the student.
/// No deviation; T² and the mean over the batch (not over classes) are as in the paper. Options put
/// another loss in the place of either term.
public struct KnowledgeDistillationOptions: Codable, Equatable, Sendable {
    /// T > 0. 4 is the field's usual choice; 1 for a teacher that is not over-confident.
    public var temperature: Double
    /// Weight of the given labels, ≥ 0. Low under label noise: the teacher has averaged it out.
    public var hard: Double
    /// Weight of the teacher, ≥ 0.
    public var soft: Double
    /// Instead of CE against the given labels. The teacher, if it is trained here, has cross-entropy.
    public var loss: LabelLoss
    /// Instead of KL to the teacher.
    public var divergence: TeacherLoss
    /// Whether the teacher's and the student's logits are standardised per sample before T: where
    /// their sizes differ much. T around 2 then.
    public var standardise: Bool

    public init(
        temperature: Double = 4, hard: Double = 0.1, soft: Double = 0.9,
        loss: LabelLoss = .crossEntropy(), divergence: TeacherLoss = .divergence(.kl),
        standardise: Bool = false
    ) {
        self.temperature = temperature
        self.hard = hard
        self.soft = soft
        self.loss = loss
        self.divergence = divergence
        self.standardise = standardise
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        temperature = try values.decodeIfPresent(Double.self, forKey: .temperature) ?? temperature
        hard = try values.decodeIfPresent(Double.self, forKey: .hard) ?? hard
        soft = try values.decodeIfPresent(Double.self, forKey: .soft) ?? soft
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        divergence = try values.decodeIfPresent(TeacherLoss.self, forKey: .divergence) ?? divergence
        standardise = try values.decodeIfPresent(Bool.self, forKey: .standardise) ?? standardise
        guard temperature > 0, temperature.isFinite else {
            throw Problem.outOfRange(
                "method.temperature", found: "\(temperature)", expected: "temperature > 0")
        }
        for (key, value) in [("hard", hard), ("soft", soft)] where !(value >= 0 && value.isFinite) {
            throw Problem.outOfRange("method.\(key)", found: "\(value)", expected: "\(key) >= 0")
        }
        guard hard + soft > 0 else {
            throw Problem.outOfRange(
                "method", found: "hard 0 and soft 0", expected: "at least one of them above 0")
        }
    }

    /// The later three only where they are not the default: keys of phases that are trained already
    /// hold on.
    public func encode(to encoder: any Encoder) throws {
        let standard = KnowledgeDistillationOptions()
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(temperature, forKey: .temperature)
        try values.encode(hard, forKey: .hard)
        try values.encode(soft, forKey: .soft)
        if loss != standard.loss { try values.encode(loss, forKey: .loss) }
        if divergence != standard.divergence { try values.encode(divergence, forKey: .divergence) }
        if standardise { try values.encode(true, forKey: .standardise) }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case temperature, hard, soft, loss, divergence, standardise
    }
}

/// T² KL( softmax(t/T) ‖ softmax(z/T) ) per sample [N]; no gradient reaches the teacher.
public func distillationLoss(student: Logits, teacher: Logits, temperature: Double) -> Tensor {
    let target = teacher.detached.logProbabilities(temperature: temperature)  // [N, C]
    let own = student.logProbabilities(temperature: temperature)  // [N, C]
    return kullbackLeibler(target, own) * (temperature * temperature)  // [N]
}

public final class KnowledgeDistillation: Objective {
    public let options: KnowledgeDistillationOptions
    private let teacher: TeacherOutputs

    public init(_ options: KnowledgeDistillationOptions = .init(), teacher: TeacherOutputs) {
        self.options = options
        self.teacher = teacher
    }

    public func losses(_ output: StudentOutput, _ batch: LabelledBatch) -> Losses {
        Losses(
            .init(
                options.loss.name, weight: options.hard,
                options.loss.trainingLoss(output.logits, labels: batch.labels)),
            .init(
                "distillation", weight: options.soft,
                options.divergence.trainingLoss(
                    teacher: teacher.logits(for: batch), student: output.logits,
                    labels: batch.labels, temperature: options.temperature,
                    standardised: options.standardise)))
    }
}
