import Torch

/// How the numbers that are learnt per sample (the *mixing parameters* α, [B, P]) make the weights
/// of the K losses (w, [B, K]), of which loss 0 is that of the given label.
///
///     convex-clamp     P = K−1   λ = α, kept in [0, 1];          w_0 = 1 − max_m λ_m,  w_m = λ_m
///     convex-sigmoid   P = K−1   λ = σ(α);                       w_0 = 1 − max_m λ_m,  w_m = λ_m
///     softmax          P = K     w = softmax(α)
///     taylor-softmax   P = K     w_k = f_k / Σ_l f_l,            f = 1 + α + α²/2
///     box              P = K     w = α, kept in [0, 2], each by itself
///     simplex          P = K     w = α, kept at w ≥ 0, Σ_k w_k = 1
///
/// Convex clamp is what ALM-KD describes, box what the released code of AMAL does, softmax was tried
/// there; sigmoid, Taylor-softmax and simplex are in no released code: reconstructions.
/// With several teachers "w_0 = 1 − max" is no convex mix: its weights can sum to more than 1.
public enum MixingRule: String, Codable, CaseIterable, Sendable {
    /// One λ per teacher; with one teacher the weights are 1 − λ and λ. Start here.
    case convexClamp = "convex-clamp"
    /// As convex clamp without a border: moves slowly near 0 and 1.
    case convexSigmoid = "convex-sigmoid"
    /// A convex mix of all losses.
    case softmax
    /// A convex mix with slimmer tails than softmax; not monotone below α = −1.
    case taylorSoftmax = "taylor-softmax"
    /// Independent weights: the label's loss can be trusted or distrusted along with a teacher's.
    case box
    /// A convex mix that can reach 0 and 1.
    case simplex

    /// P for K losses. K is at least 2.
    public func parameterCount(losses: Int) -> Int {
        precondition(losses >= 2, "a mix has at least two losses")
        return isConvex ? losses - 1 : losses
    }

    private var isConvex: Bool { self == .convexClamp || self == .convexSigmoid }

    /// Whether the weights of a sample always sum to 1.
    public func sumsToOne(losses: Int) -> Bool {
        switch self {
        case .convexClamp, .convexSigmoid: losses == 2
        case .softmax, .taylorSoftmax, .simplex: true
        case .box: false
        }
    }

    /// w [B, K] of α [B, P].
    public func weights(_ parameters: Tensor) -> Tensor {
        switch self {
        case .convexClamp: Self.withLabelWeight(parameters)
        case .convexSigmoid: Self.withLabelWeight(parameters.sigmoid())
        case .softmax: parameters.softmax()
        case .taylorSoftmax:
            {
                let f = Self.taylor(parameters)
                return f / f.sum(1, keep: true)
            }()
        case .box, .simplex: parameters
        }
    }

    /// ∂M/∂α [B, P] from ∂M/∂w [B, K] at α; linear in `slopes`.
    ///
    /// Where teachers tie for the largest λ, the first of them takes the subgradient.
    public func pulledBack(_ slopes: Tensor, at parameters: Tensor) -> Tensor {
        switch self {
        case .convexClamp: return Self.withoutLabelWeight(slopes, largest: parameters)
        case .convexSigmoid:
            let share = parameters.sigmoid()
            return Self.withoutLabelWeight(slopes, largest: parameters) * share * (1 - share)
        case .softmax:
            let w = parameters.softmax()
            return w * (slopes - (w * slopes).sum(1, keep: true))
        case .taylorSoftmax:
            let f = Self.taylor(parameters)
            let sum = f.sum(1, keep: true)
            let mean = (f * slopes).sum(1, keep: true) / sum
            return (parameters + 1) / sum * (slopes - mean)
        case .box, .simplex: return slopes
        }
    }

    /// The nearest α that the rule allows.
    public func projected(_ parameters: Tensor) -> Tensor {
        switch self {
        case .convexClamp: parameters.clamped(0, 1)
        case .box: parameters.clamped(0, 2)
        case .simplex: projectedToSimplex(parameters)
        case .convexSigmoid, .softmax, .taylorSoftmax: parameters
        }
    }

    /// α whose weights are w [B, K], as nearly as the rule can make them: a mix that must sum to 1
    /// is normalised, the convex rules take their λ_m = w_m and let w_0 follow.
    public func parameters(for weights: Tensor) -> Tensor {
        // Nothing can move away from a probability of exactly 0 or 1.
        let least = 1e-3
        switch self {
        case .convexClamp: return Self.teachers(weights).clamped(0, 1)
        case .convexSigmoid:
            let share = Self.teachers(weights).clamped(least, 1 - least)
            return share.log() - (1 - share).log()
        case .softmax:
            let w = weights.clamped(least, nil)
            return (w / w.sum(1, keep: true)).log()
        case .taylorSoftmax:
            // The branch above −1 of f(α) = w/min(w): the smallest weight has α = 0.
            let w = weights.clamped(least, nil)
            return (w / w.min(1, keep: true) * 2 - 1).sqrt() - 1
        case .box: return weights.clamped(0, 2)
        case .simplex: return weights / weights.sum(1, keep: true).clamped(1e-12, nil)
        }
    }

    // MARK: Parts

    private static func teachers(_ weights: Tensor) -> Tensor {
        weights.narrowed(1, from: 1, count: weights.shape[1] - 1)
    }

    private static func withLabelWeight(_ share: Tensor) -> Tensor {
        .concatenated([1 - share.max(1, keep: true), share], 1)
    }

    /// ∂M/∂λ_m = m_m − [m = arg max λ] m_0. The released code subtracts m_0 for every m.
    private static func withoutLabelWeight(_ slopes: Tensor, largest: Tensor) -> Tensor {
        let own = teachers(slopes)
        let isLargest = largest.argmax(1).oneHot(largest.shape[1]).to(slopes.dtype)
        return own - isLargest * slopes.narrowed(1, from: 0, count: 1)
    }

    private static func taylor(_ parameters: Tensor) -> Tensor {
        parameters.squared() * 0.5 + parameters + 1
    }
}

/// The nearest point of {w ≥ 0, Σ w = 1} to every row of `points` [B, K], by sorting and
/// thresholding (Held, Wolfe, Crowder 1974; Duchi, Shalev-Shwartz, Singer, Chandra 2008).
public func projectedToSimplex(_ points: Tensor) -> Tensor {
    let count = points.shape[1]
    let sorted = points.sorted(1, descending: true).values  // [B, K]
    let excess = sorted.cumulativeSum(1) - 1
    let places = (Tensor.arange(count) + 1).to(points.dtype).to(points.device)
    let means = excess / places
    // The threshold is the last mean that is below the value it belongs to: there is always the
    // first, and they form a prefix.
    let kept = sorted.greater(means).to(points.dtype).sum(1, keep: true) - 1
    return (points - means.gathered(1, kept.to(.int64))).relu()
}
