import Torch

// The regularisers of NMTune on the features m of a batch: Chen, Wang, Shah, Tao, Wei, Xie, Sugiyama, Raj,
// "Understanding and Mitigating the Label Noise in Pre-training on Downstream Tasks", 2023, arXiv 2309.17002.

/// (1/D) Σ_k (m̂_ik − f̂_ik)² per sample [N], x̂ = x/‖x‖: how far features turned from where the frozen network
/// had them.
///
/// - Parameters:
///   - features: m [N, D]; a row of zeros stays one.
///   - frozen: f [N, D]; no gradient flows to it.
public func featureConsistency(_ features: Tensor, frozen: Tensor) -> Tensor {
    func unit(_ x: Tensor) -> Tensor { x / x.norm(-1, keep: true).clamped(1e-12, nil) }
    return (unit(features) - unit(frozen.detached())).squared().mean(-1)
}

/// (1/D) Σ_{i≠j} Cov(m)_ij² [1], the covariance over the rows with divisor N − 1: 0 where columns are not correlated.
///
/// - Parameter features: m [N, D], N of at least 2.
public func covariancePenalty(_ features: Tensor) -> Tensor {
    let (rows, columns) = (features.shape[0], features.shape[1])
    let centred = features - features.mean(0, keep: true)
    let covariance = centred.transposed().matmul(centred) / Double(rows - 1)  // [D, D]
    let variances = centred.squared().sum(0) / Double(rows - 1)  // [D], the diagonal
    let others = covariance.squared().sum() - variances.squared().sum()
    return (others / Double(columns)).reshaped([1])
}

/// −(1/K) Σ_{k≤K} σ_k / Σ_j σ_j [1] of the singular values σ_1 ≥ σ_2 ≥ … of m: the less, the more of m lies in its
/// K main directions.
///
/// Directions of equal singular values are not determined, and then the gradient is not either.
///
/// - Parameters:
///   - features: m [N, D].
///   - count: K; at most min(N, D) are taken.
/// - Returns: nil where two of σ_1 … σ_{K+1} differ by less than `leastGap` times σ_1, or m is 0.
public func dominantSingularValues(_ features: Tensor, count: Int = 5) -> Tensor? {
    let values = features.singularValues()
    let known = values.detached().to(.float64).doubles()
    let taken = min(count, known.count)
    guard taken > 0, known[0] > 0 else { return nil }
    let last = min(taken + 1, known.count)
    for k in 1..<max(1, last) where !(known[k - 1] - known[k] >= leastGap * known[0]) { return nil }
    let shares = values.narrowed(0, from: 0, count: taken) / values.sum()
    return -shares.mean().reshaped([1])
}

/// Of singular values that count as different, in units of the largest one.
public let leastGap = 1e-6
