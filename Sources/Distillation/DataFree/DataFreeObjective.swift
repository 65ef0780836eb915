import Diagnostics
import Torch

/// How students learn from synthetic images: as in `SynthesisOptions.method`'s papers,
///
///     L_i = T² KL( softmax(t/T) ‖ softmax(z_i/T) )
///
/// with teacher logits t; no label takes part. Any divergence may stand in for KL, and several
/// students may teach one another beside:
///
///     L_i += w/(K−1) Σ_{j≠i} T_m² D( softmax(z_j/T_m) ‖ softmax(z_i/T_m) )
public struct DataFreeObjectiveOptions: Equatable, Sendable {
    /// T > 0; 20 in the papers.
    public var temperature = 20.0
    public var divergence = TeacherLoss.divergence(.kl)
    public var standardise = false
    /// Between several students; their labels take no part.
    public var mutual = MutualLearningOptions()

    public init() {}
}

public final class DataFreeObjective: PeerObjective {
    private let options: DataFreeObjectiveOptions
    private let teacher: TeacherOutputs
    private let mutual: MutualLearning

    public init(_ options: DataFreeObjectiveOptions, teacher: TeacherOutputs) {
        self.options = options
        self.teacher = teacher
        mutual = MutualLearning(options.mutual)
    }

    public func begin(epoch: Int, of epochs: Int) { mutual.begin(epoch: epoch, of: epochs) }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: LabelledBatch
    ) -> Losses {
        let own = outputs[learner].logits
        let said = logits(for: batch)
        let agreement = withoutGradient {
            own.predictions.equal(said.predictions).to(.float32)
        }
        let term = Losses.Term(
            "distillation",
            options.divergence.trainingLoss(
                teacher: said, student: own, labels: batch.labels,
                temperature: options.temperature, standardised: options.standardise))
        let pull = mutual.pull(of: learner, outputs)
        return Losses(
            [term] + pull.terms, measures: [.init("teacher-agreement", agreement)] + pull.measures)
    }

    /// Several students see the same batch: the teacher looks at it once.
    private func logits(for batch: LabelledBatch) -> Logits {
        if let recent, recent.inputs === batch.inputs { return recent.logits }
        let logits = teacher.logits(for: batch)
        recent = (batch.inputs, logits)
        return logits
    }

    private var recent: (inputs: Tensor, logits: Logits)?
}
