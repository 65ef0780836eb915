import Foundation
import Torch

/// A loss between two relation graphs of one batch, the encoder's E^R and the student's E^S: one
/// value per sample, its own row's.
///
/// With r, s the rows of f_R, f_S divided by their lengths and E = the matrix of their products:
///
///     softmax     KL( softmax_{j≠i}(E^R_ij/τ_R) ‖ softmax_{j≠i}(E^S_ij/τ_S) )
///                 [reconstruction: the form is not published]
///     plain       the same at τ = 1 with the diagonal set to 0 and kept, as in code of the paper's
///                 corresponding author for another paper. Almost flat: about a thousandth of the above
///     mse         mean_j (E^R_ij − E^S_ij)²
///     distance    mean_j huber(d^R_ij − d^S_ij), d = ‖f_i − f_j‖ over its mean where it is not 0
///     rkd         25 · distance + 50 · mean_jk huber(angle^R_ijk − angle^S_ijk): Park, Kim, Lu, Cho,
///                 "Relational Knowledge Distillation", 2019, arXiv 1904.05068. N³ numbers
///     sp          3000 · Σ_j (G^R_ij − G^S_ij)²/N, G = f fᵀ with rows of length 1: Tung, Mori,
///                 "Similarity-Preserving Knowledge Distillation", 2019, arXiv 1907.09682
///     cc          mean_j (C^R_ij − C^S_ij)², C = e^{−2γ} Σ_{p≤2} (2γ)^p/p! E^p with γ = .4: Peng et al.,
///                 "Correlation Congruence for Knowledge Distillation", 2019, arXiv 1904.01802 [from memory]
///     pkt         3e4 · mean_j P^R_ij log(P^R_ij/P^S_ij), P = (E + 1)/2 with rows that sum to 1: Passalis,
///                 Tefas, "Learning Deep Representations with Probabilistic Knowledge Transfer", 2018,
///                 arXiv 1803.10837
///     queue       KL( softmax(r·[Q, r]/τ_R) ‖ softmax(s·[Q, r]/τ_S) ) over a queue Q of the encoder's
///                 earlier features, s = φ(f_S) of length 1: Fang et al., "SEED", 2021, arXiv 2101.04731
///                 [from memory]
///     neighbours  KL( softmax(z_i/T) ‖ Σ_j ŝ_ij softmax(z_j/T) ) over i's k nearest neighbours in f_R, ŝ
///                 = positive cosines that sum to 1: Iscen et al., "Learning with Neighbor
///                 Consistency for Noisy Labels", 2022, arXiv 2202.02200 [from memory; there the
///                 student's own features choose the neighbours, here the encoder's]
///
/// The means over samples of these are the batch losses of the papers. Gradients reach the student
/// only.
public enum EdgeLoss: Equatable, Sendable {
    /// τ_R, τ_S > 0. Cosines span [−1, 1]: at 1 the softmax is nearly flat and the loss about 1e-3,
    /// hence sharper ones. .1 and .2 are the reconstruction's.
    case softmax(encoder: Double = 0.1, student: Double = 0.2)
    case plain
    case mse
    case distance
    /// Weights of distances and angles, ≥ 0; 25 and 50 in the reference code.
    case rkd(distance: Double = 25, angle: Double = 50)
    /// `scale` > 0; 3000 in the reference code.
    case similarity(scale: Double = 3000)
    /// γ > 0 of the Gaussian kernel, .4 in the paper [from memory].
    case correlation(gamma: Double = 0.4)
    /// `scale` > 0; 3e4 in the reference code.
    case probabilistic(scale: Double = 3e4)
    /// Features kept, 1 to 65,536; τ_R, τ_S > 0.
    case queue(size: Int = 4096, encoder: Double = 0.07, student: Double = 0.2)
    /// k from 1 to 1000, T > 0.
    case neighbours(count: Int = 10, temperature: Double = 1)

    /// - Parameter queue: normalised features of the encoder [K, D_R], K may be 0; for `queue` only.
    /// - Returns: [N]
    public func callAsFunction(_ input: RelationInput, queue: Tensor? = nil) -> Tensor {
        let (f, g) = (input.student, input.encoder)
        switch self {
        case .softmax(let encoder, let student):
            return edgeLoss(student: f, encoder: g, temperatures: (encoder, student))
        case .plain: return plainEdgeLoss(student: f, encoder: g)
        case .mse: return (g.cosines(with: g) - f.cosines(with: f)).squared().mean(-1)
        case .distance: return distanceLoss(f, g)
        case .rkd(let distance, let angle):
            var values =
                distance == 0
                ? Tensor.zeros([f.shape[0]], dtype: f.dtype) : distanceLoss(f, g) * distance
            if angle > 0 {
                values = values + (f.angles() - g.angles()).smoothL1().mean(-1, -2) * angle
            }
            return values
        case .similarity(let scale):
            func gram(_ x: Tensor) -> Tensor { x.matmul(x.transposed()).normalisedRows() }
            return (gram(f) - gram(g)).squared().mean(-1) * scale
        case .correlation(let gamma):
            return (kernel(f.cosines(with: f), gamma) - kernel(g.cosines(with: g), gamma)).squared()
                .mean(-1)
        case .probabilistic(let scale): return probabilisticLoss(f, g) * scale
        case .queue(_, let encoder, let student):
            return queueLoss(input, queue: queue, temperatures: (encoder, student))
        case .neighbours(let count, let temperature):
            return neighbourLoss(input, count: count, temperature: temperature)
        }
    }

    /// Whether student and encoder must be in one space.
    package var needsProjection: Bool { if case .queue = self { true } else { false } }
}

/// The default edge loss, KL( softmax_{j≠i}(E^R_ij/τ_R) ‖ softmax_{j≠i}(E^S_ij/τ_S) ) for each i.
///
/// Its gradient, with P, Q the two softmaxes: ∂L/∂E^S_ij = (Q_ij − P_ij)/(N τ_S) for the mean L.
///
/// - Parameters:
///   - student, encoder: features [N, D_S] and [N, D_R].
///   - temperatures: τ_R, τ_S.
/// - Returns: [N]; 0 for a single sample, which has no relation.
public func edgeLoss(
    student: Tensor, encoder: Tensor, temperatures: (encoder: Double, student: Double)
) -> Tensor {
    let diagonal = Tensor.diagonal(like: student)
    func logShares(_ features: Tensor, _ temperature: Double) -> Tensor {
        (features.cosines(with: features) / temperature).filled(where: diagonal, with: excluded)
            .logSoftmax()  // [N, N]
    }
    return kullbackLeibler(
        LogProbabilities(logShares(encoder.detached(), temperatures.encoder)),
        LogProbabilities(logShares(student, temperatures.student)))
}

private func plainEdgeLoss(student: Tensor, encoder: Tensor) -> Tensor {
    let diagonal = Tensor.diagonal(like: student)
    func logShares(_ features: Tensor) -> Tensor {
        features.cosines(with: features).filled(where: diagonal, with: 0).logSoftmax()
    }
    return kullbackLeibler(
        LogProbabilities(logShares(encoder.detached())), LogProbabilities(logShares(student)))
}

private func distanceLoss(_ student: Tensor, _ encoder: Tensor) -> Tensor {
    func relative(_ features: Tensor) -> Tensor {
        let d = features.distances()
        let count = d.greater(0).to(d.dtype).sum().clamped(1, nil)
        return d / (d.sum() / count).clamped(1e-12, nil)
    }
    return (relative(student) - relative(encoder)).smoothL1().mean(-1)
}

/// e^{−2γ} Σ_{p≤2} (2γ)^p/p! E^p: the Gaussian kernel of rows of length 1, by Taylor.
private func kernel(_ cosines: Tensor, _ gamma: Double) -> Tensor {
    let x = cosines * (2 * gamma)
    return (x + x.squared() * 0.5 + 1) * exp(-2 * gamma)
}

private func probabilisticLoss(_ student: Tensor, _ encoder: Tensor) -> Tensor {
    func shares(_ features: Tensor) -> Tensor {
        let e = (features.cosines(with: features) + 1) * 0.5
        return e / e.sum(-1, keep: true)
    }
    let (p, q) = (shares(encoder), shares(student))
    // The reference's guard against a logarithm of zero.
    return (p * ((p + 1e-7) / (q + 1e-7)).log()).mean(-1)
}

private func queueLoss(
    _ input: RelationInput, queue: Tensor?, temperatures: (encoder: Double, student: Double)
) -> Tensor {
    let r = input.encoder.normalisedRows()
    let s = input.projected.normalisedRows()
    func logShares(_ x: Tensor, _ temperature: Double) -> LogProbabilities {
        let own = (x * r).sum(-1, keep: true)  // [N, 1]
        let others = queue.flatMap { $0.shape[0] > 0 ? x.matmul($0.transposed()) : nil }
        let all = others.map { Tensor.concatenated([$0, own], 1) } ?? own  // [N, K + 1]
        return LogProbabilities((all / temperature).logSoftmax())
    }
    return kullbackLeibler(logShares(r, temperatures.encoder), logShares(s, temperatures.student))
}

private func neighbourLoss(
    _ input: RelationInput, count: Int, temperature: Double
) -> Tensor {
    let n = input.encoder.shape[0]
    let own = input.logits.logProbabilities(temperature: temperature)
    guard n > 1 else { return own.tensor.sum(-1) * 0 }
    let target = withoutGradient {
        let e = input.encoder.cosines(with: input.encoder)
            .filled(where: .diagonal(like: input.encoder), with: excluded)
        let (values, indices) = e.topK(min(count, n - 1))
        let positive = values.relu() + 1e-12
        let shares = positive / positive.sum(-1, keep: true)
        let weights = Tensor.full([n, n], 0, like: shares).scatterAdding(1, indices, shares)
        let p = own.probabilities.tensor
        return weights.to(p.dtype).matmul(p).clamped(1e-38, nil).log()  // [N, C]
    }
    let p = own.probabilities.tensor
    return (p * (own.tensor - target)).sum(-1)
}
