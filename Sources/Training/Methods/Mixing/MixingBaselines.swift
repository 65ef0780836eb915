import Diagnostics
import Distillation
import Randomness
import Report
import Torch

/// The baseline of every mix: the same weights for every sample, fixed once.
///
///     L = (1/B) Σ_i Σ_k w_k ℓ_k(i)
///
/// Knowledge distillation is the case of two losses.
public final class FixedMixing: TeacherLed {
    private let losses: [MixableLoss]
    private let weights: [Double]
    public let teacherScores: PhaseResult.Scores?

    /// - Parameters:
    ///   - weights: one per loss, each finite and at least 0, not all 0.
    ///   - teacher: scores of the only one, for the record.
    public init(
        _ losses: [MixableLoss], weights: [Double], teacher: PhaseResult.Scores? = nil
    ) throws(Problem) {
        guard weights.count == losses.count, weights.allSatisfy({ $0 >= 0 && $0.isFinite }),
            weights.contains(where: { $0 > 0 })
        else {
            throw .outOfRange(
                "method.weights", found: "\(weights)",
                expected: "\(losses.count) numbers of at least 0, not all 0")
        }
        self.losses = losses
        self.weights = weights
        teacherScores = teacher
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        Losses(
            zip(losses, weights).map { loss, weight in
                Losses.Term(loss.name, weight: weight, loss.values(outputs[learner].logits, batch))
            })
    }
}

/// Several teachers, each left out of a batch at random: the baseline that the code of adaptive loss
/// mixing calls DGKD, after Son, Na, Choi, Hwang, "Densely Guided Knowledge Distillation using Multiple
/// Teacher Assistants", 2021, arXiv 2009.08825.
///
///     L = a · ℓ_0 + b · Σ_m d_m ℓ_m,   d_m = 0 with probability p, else 1, per batch
///
/// The sum over the kept teachers is not scaled up for those left out, and a batch may keep none:
/// so says our source for the baseline; we have not read the paper's own code.
public struct TeacherDroppingOptions: Codable, Equatable, Sendable {
    /// p, at least 0 and below 1; .25 in the baseline.
    public var drop: Double
    /// a, the weight of the given labels, at least 0.
    public var labelWeight: Double
    /// b, the weight of each teacher, at least 0.
    public var distillationWeight: Double

    public init(drop: Double = 0.25, labelWeight: Double = 0.1, distillationWeight: Double = 0.9) {
        self.drop = drop
        self.labelWeight = labelWeight
        self.distillationWeight = distillationWeight
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        drop = try values.decodeIfPresent(Double.self, forKey: .drop) ?? drop
        labelWeight = try values.decodeIfPresent(Double.self, forKey: .labelWeight) ?? labelWeight
        distillationWeight =
            try values.decodeIfPresent(Double.self, forKey: .distillationWeight)
            ?? distillationWeight
        guard (0..<1).contains(drop) else {
            throw Problem.outOfRange(
                "method.drop", found: "\(drop)", expected: "0 <= drop < 1")
        }
        for (key, value) in [
            ("label-weight", labelWeight), ("distillation-weight", distillationWeight),
        ] where !(value >= 0 && value.isFinite) {
            throw Problem.outOfRange("method.\(key)", found: "\(value)", expected: "\(key) >= 0")
        }
        // Without the labels, a batch that drops every teacher would teach nothing.
        guard labelWeight > 0 || (distillationWeight > 0 && drop == 0) else {
            throw Problem.outOfRange(
                "method.label-weight", found: "\(labelWeight)",
                expected: "label-weight > 0 where teachers are dropped")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case drop
        case labelWeight = "label-weight"
        case distillationWeight = "distillation-weight"
    }
}

/// Which of `count` teachers a batch keeps.
public func keptTeachers(
    _ count: Int, drop: Double, seed: UInt64, epoch: Int, step: Int
) -> [Bool] {
    // Sample 1: sample 0 of this purpose seeds the networks' dropout.
    var draw = Draw(seed: seed, .dropout, epoch: epoch, step: step, sample: 1)
    return (0..<count).map { _ in draw.uniform() >= drop }
}

public final class TeacherDropping: TeacherLed {
    public let options: TeacherDroppingOptions
    private let label: MixableLoss
    private let teachers: [MixableLoss]
    private let seed: UInt64
    public let teacherScores: PhaseResult.Scores?

    public init(
        _ options: TeacherDroppingOptions = .init(), label: MixableLoss = .labels(),
        teachers: [MixableLoss], seed: UInt64, teacher: PhaseResult.Scores? = nil
    ) {
        self.options = options
        self.label = label
        self.teachers = teachers
        self.seed = seed
        teacherScores = teacher
    }

    /// A dropped teacher's term stays among the terms with weight 0, without being computed.
    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let output = outputs[learner]
        let kept = keptTeachers(
            teachers.count, drop: options.drop, seed: seed, epoch: batch.epoch, step: batch.step)
        let none = Tensor.zeros([batch.labels.count], device: batch.labels.device)
        return Losses(
            [.init(label.name, weight: options.labelWeight, label.values(output.logits, batch))]
                + zip(teachers, kept).map { teacher, isKept in
                    Losses.Term(
                        teacher.name, weight: isKept ? options.distillationWeight : 0,
                        isKept ? teacher.values(output.logits, batch) : none)
                })
    }
}
