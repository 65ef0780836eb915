import Distillation
import Report
import Torch

/// A baseline of adaptive mixing's code: the losses mixed with fixed weights, and each sample's mixed
/// loss through SuperLoss, which holds back samples with a high one.
///
///     L = (1/B) Σ_i superloss( Σ_k w_k ℓ_k(i) )
public final class SuperLossMixing: TeacherLed {
    private let losses: [MixableLoss]
    private let weights: [Double]
    private let superLoss: SuperLoss
    public let teacherScores: PhaseResult.Scores?

    /// - Parameters:
    ///   - weights: one per loss.
    ///   - teacher: scores of the only one, for the record.
    public init(
        _ losses: [MixableLoss], weights: [Double], superLoss: SuperLoss,
        teacher: PhaseResult.Scores? = nil
    ) {
        precondition(weights.count == losses.count)
        self.losses = losses
        self.weights = weights
        self.superLoss = superLoss
        teacherScores = teacher
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let output = outputs[learner]
        var sum: Tensor?
        for (loss, weight) in zip(losses, weights) where weight != 0 {
            let term = loss.values(output.logits, batch) * weight
            sum = sum.map { $0 + term } ?? term
        }
        let mixed = sum ?? Tensor.zeros([batch.labels.count], device: batch.labels.device)
        return Losses(
            [.init("super-loss", superLoss(mixed))], metrics: [.init("mixed", mixed.detached())])
    }
}
