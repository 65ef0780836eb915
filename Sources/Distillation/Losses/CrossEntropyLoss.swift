import Torch

/// −Σ_c q_c log softmax(z)_c per sample [N], with q = (1 − ε) onehot(y) + ε/C.
///
/// - Parameters:
///   - labels: classes [N], int64.
///   - smoothing: ε of label smoothing, 0 ≤ ε < 1 (Szegedy et al. 2016, arXiv 1512.00567).
public func crossEntropy(_ logits: Logits, labels: Tensor, smoothing: Double = 0) -> Tensor {
    Torch.crossEntropy(logits.inLossPrecision, labels, smoothing: smoothing)  // [N]
}

/// −Σ_c q_c log softmax(z)_c per sample [N] against soft labels q.
public func crossEntropy(_ logits: Logits, _ targets: Probabilities) -> Tensor {
    Torch.crossEntropy(logits.inLossPrecision, targets.tensor)  // [N]
}

/// KL(p ‖ softmax(z)) = Σ_c p_c (log p_c − log softmax(z)_c) per sample [N]. Zero where p and
/// softmax(z) agree, never negative; gradient with respect to z: softmax(z) − p.
///
/// - Parameter target: log p, so that p may underflow without a logarithm of zero.
public func kullbackLeibler(_ target: LogProbabilities, _ own: LogProbabilities) -> Tensor {
    let p = target.probabilities.tensor  // [N, C]
    return (p * (target.tensor - own.tensor)).sum(-1)  // [N]
}

extension Logits {
    /// float32 unless they are float64 already.
    package var inLossPrecision: Tensor { tensor.dtype == .float64 ? tensor : tensor.to(.float32) }
}
