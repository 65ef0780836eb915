import Torch

// The parts of MixMatch (Berthelot et al. 2019, arXiv 1905.02249) as DivideMix has them: targets, and losses
// on mixed samples. All targets are constants.

/// p^(1/T) / Σ_c p_c^(1/T): the smaller T, the surer.
///
/// - Parameter p: rows that are not negative [N, C].
public func sharpened(_ p: Tensor, temperature: Double) -> Tensor {
    withoutGradient {
        let powers = p.pow(1 / temperature)
        return powers / powers.sum(-1, keep: true)
    }
}

/// sharpen(w y + (1 − w) p): the given label as far as it is believed, and the network's own prediction.
///
/// - Parameters:
///   - labels: one-hot [N, C].
///   - clean: w [N], the probability that the label is right.
///   - p: [N, C].
public func refinedLabels(
    _ labels: Tensor, clean w: Tensor, predictions p: Tensor, temperature: Double
) -> Tensor {
    withoutGradient {
        let w = w.unsqueezed(1)  // [N, 1]
        return sharpened(labels * w + p * (1 - w), temperature: temperature)  // [N, C]
    }
}

/// The mean over several predictions of the same samples, each [N, C].
public func meanPrediction(_ list: [Tensor]) -> Tensor {
    withoutGradient { Tensor.stacked(list).mean(0) }
}

/// (1/C) Σ_c (p_c − t_c)² per sample [N]: bounded, as a guessed target may be wrong.
public func squaredDistance(_ logits: Logits, _ targets: Tensor) -> Tensor {
    let rest = logits.probabilities().tensor - targets  // [N, C]
    return (rest * rest).mean(-1)
}

/// Σ_c (1/C) log((1/C) / p̄_c) [1] with the mean p̄ over the rows of `logits`: 0 where all classes are predicted
/// alike often.
public func priorPenalty(_ logits: Logits) -> Tensor {
    let mean = logits.probabilities().tensor.mean(0)  // [C]
    return (mean * Double(mean.count)).log().mean().reshaped([1]) * -1
}

/// Σ_c p_c log p_c per sample [N], at most 0: as a term it holds a network back from being sure.
public func negativeEntropy(_ logits: Logits) -> Tensor {
    let lp = logits.logProbabilities().tensor  // [N, C]
    return (lp.exp() * lp).sum(-1)
}
