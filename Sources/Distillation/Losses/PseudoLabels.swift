import Torch

/// softmax(β z), or the one-hot arg max for infinite β: [N, C].
public func pseudoLabels(_ logits: Logits, beta: Double) -> Probabilities {
    if beta.isInfinite {
        let classes = logits.tensor.shape[1]
        return Probabilities(logits.predictions.oneHot(classes).to(.float32))
    }
    return Probabilities((logits.inLossPrecision * beta).softmax())
}
