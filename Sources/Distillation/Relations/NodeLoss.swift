import Torch

/// A loss between a sample's features in the student and in the encoder, one value per sample:
///
///     cosine  1 − cos( φ(f_S), f_R )          [reconstruction: the form is not published]
///     kl      KL( softmax f_R ‖ softmax φ(f_S) ), as in code of the paper's corresponding author for
///             another paper
///
/// φ is one linear layer that is learnt with the student, or nothing where the dimensions are
/// equal. Gradients reach φ and the student only.
public enum NodeLoss: String, Codable, Equatable, Sendable, CaseIterable {
    case cosine, kl

    /// - Returns: [N]
    public func callAsFunction(_ input: RelationInput) -> Tensor {
        switch self {
        case .cosine:
            return 1 - (input.projected.normalisedRows() * input.encoder.normalisedRows()).sum(-1)
        case .kl:
            return kullbackLeibler(
                LogProbabilities(input.encoder.logSoftmax()),
                LogProbabilities(input.projected.logSoftmax()))
        }
    }
}
