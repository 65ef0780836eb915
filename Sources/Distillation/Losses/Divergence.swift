import Foundation
import Torch

/// How far one distribution is from another: what a student or peer is pulled along.
///
/// The first argument p is a teacher's or peer's and constant, the second, q, is the network's own.
/// In the formulas z are the own logits, q = softmax(z), d_c = log p_c − log q_c.
///
///     kl               Σ p d                                          gradient  q − p
///     reverse-kl       −Σ q d                                         −q (d + KL(q‖p))
///     jensen-shannon   π KL(p‖m) + (1−π) KL(q‖m), m = π p + (1−π) q   (1−π) q (log q/m − KL(q‖m))
///     renyi            log Σ p^α q^(1−α) / (α − 1)                    q − r,  r ∝ p^α q^(1−α)
///
/// Sources: Rényi divergence between peers, Huang et al., "Rényi Divergence Deep Mutual Learning",
/// 2022, arXiv 2209.05732; generalised Jensen–Shannon, Lin 1991 and, for noisy labels, Englesson
/// and Azizpour 2021, arXiv 2105.04522 (which divides by −(1−π) log(1−π); this does not). The
/// gradients are derived here and checked by finite differences.
///
/// Every member is at least 0, and 0 exactly where p = q (Rényi of order 0 is 0 everywhere). Rényi's
/// gradient is never longer than √2, whatever the logits; reverse KL's has no bound.
public enum Divergence: Equatable, Sendable {
    /// KL(p ‖ q): covers all that the teacher holds possible.
    case kl
    /// KL(q ‖ p): settles on what the teacher holds likely.
    case reverseKL
    /// Weight π of p, 0 < π < 1; ½ is the usual one, symmetric and at most log 2. For π → 0 it
    /// becomes π KL(p ‖ q), for π → 1 it becomes (1 − π) KL(q ‖ p).
    case jensenShannon(weight: Double)
    /// Order α ≥ 0, ∞ included. 1 is KL(p ‖ q), ½ symmetric; grows with α.
    case renyi(order: Double)

    /// T² D( softmax(peer/T) ‖ softmax(own/T) ) and its gradient with respect to `own`. T² keeps
    /// the size of the gradient about independent of T (Hinton et al. 2015, arXiv 1503.02531).
    ///
    /// - Parameters:
    ///   - peer: [N, C], constant.
    ///   - own: [N, C].
    ///   - temperature: T > 0.
    public func callAsFunction(peer: Logits, own: Logits, temperature: Double = 1) -> LogitLoss {
        withoutGradient {
            self(
                peer: peer.logProbabilities(temperature: temperature),
                own: own.logProbabilities(temperature: temperature)
            ).rescaled(temperature)
        }
    }

    /// D(p ‖ q) from logarithms, which several divergences of one network can then share.
    ///
    /// - Returns: the gradient with respect to logits whose log-softmax `own` is.
    public func callAsFunction(peer: LogProbabilities, own: LogProbabilities) -> LogitLoss {
        withoutGradient {
            let (lp, lq) = (peer.tensor, own.tensor)  // [N, C]
            let (values, gradient) =
                switch self {
                case .kl: Divergence.kullbackLeibler(lp, lq)
                case .reverseKL: Divergence.reverse(lp, lq)
                case .jensenShannon(let weight): Divergence.jensenShannon(lp, lq, weight)
                case .renyi(let order): Divergence.renyi(lp, lq, order)
                }
            // Rounding can take a value next to 0 below it.
            return LogitLoss(values: values.clamped(0, nil), gradient: gradient)
        }
    }
}

extension LogitLoss {
    /// T² times a loss of logits/T whose gradient is with respect to logits/T.
    package func rescaled(_ temperature: Double) -> LogitLoss {
        temperature == 1
            ? self
            : LogitLoss(
                values: values * (temperature * temperature), gradient: gradient * temperature)
    }
}

// MARK: - Members: log p, log q [N, C] → values [N], gradients [N, C]

extension Divergence {
    private typealias Result = (values: Tensor, gradient: Tensor)

    private static func kullbackLeibler(_ lp: Tensor, _ lq: Tensor) -> Result {
        let p = lp.exp()
        return ((p * (lp - lq)).sum(-1), lq.exp() - p)
    }

    private static func reverse(_ lp: Tensor, _ lq: Tensor) -> Result {
        let q = lq.exp()
        let d = lq - lp
        let qd = q * d
        let value = qd.sum(-1, keep: true)  // [N, 1]
        return (value.squeezed(1), qd - q * value)
    }

    /// With k = log(π/(1−π)): log m/q = log(1−π) + softplus(d + k) and log m/p = log π +
    /// softplus(−d − k), neither of which can overflow.
    private static func jensenShannon(_ lp: Tensor, _ lq: Tensor, _ weight: Double) -> Result {
        let d = (lp - lq) + (log(weight) - log1p(-weight))
        // softplus(x) = −log sigmoid(−x), exact; the engine's own softplus is cut off at 20.
        let mp = log(weight) - d.logSigmoid()  // log m/p
        let mq = log1p(-weight) - (-d).logSigmoid()  // log m/q
        let q = lq.exp()
        let qmq = q * mq
        let own = qmq.sum(-1, keep: true)  // −KL(q‖m), [N, 1]
        let values = (lp.exp() * mp).sum(-1) * -weight - own.squeezed(1) * (1 - weight)
        return (values, (q * own - qmq) * (1 - weight))
    }

    /// Above it an order is taken for ∞, so that α d stays finite in float32.
    static let largestOrder = 1e30

    private static func renyi(_ lp: Tensor, _ lq: Tensor, _ order: Double) -> Result {
        if order == 0 { return (lq.zerosLike().sum(-1), lq.zerosLike()) }
        if order == 1 { return kullbackLeibler(lp, lq) }
        if order > largestOrder { return renyiAtInfinity(lp, lq) }
        if abs(order - 1) < 0.1 { return renyiNearOne(lp, lq, order) }
        // Below 1 both terms have one sign; above, the difference first, which is 0 for p = q.
        let u = order < 1 ? lp * order + lq * (1 - order) : lp + (lp - lq) * (order - 1)
        let tilted = tilted(u)
        return (tilted.logarithm.squeezed(1) / (order - 1), lq.exp() - tilted.r)
    }

    /// log Σ e^u [N, 1] and r = softmax(u) [N, C] from one exponential.
    private static func tilted(_ u: Tensor) -> (logarithm: Tensor, r: Tensor) {
        let top = u.max(-1, keep: true)
        let e = (u - top).exp()
        let sum = e.sum(-1, keep: true)
        return (top + sum.log(), e / sum)
    }

    /// max_c d_c. The gradient is the limit of the others: r keeps the classes that attain the
    /// maximum, in q's proportions, so that it is 0 for p = q.
    private static func renyiAtInfinity(_ lp: Tensor, _ lq: Tensor) -> Result {
        let d = lp - lq
        let top = d.max(-1, keep: true)  // [N, 1]
        let r = lq.filled(where: d.less(top), with: -.infinity).softmax()
        return (top.squeezed(1), lq.exp() - r)
    }

    /// The logarithm of a sum S + 1 next to 1, divided by α − 1, loses about ε/|α − 1|. A series in
    /// α − 1 with two terms errs by (α − 1)² κ₃/6, κ₃ the third cumulant of d under p: in float32
    /// (ε = 6e-8) the two meet at |α − 1| ≈ .01 with an error of 1e-5 that neither removes, and d up
    /// to 2e4 makes κ₃ as large as one likes. So S itself is summed, from terms that are small
    /// already: p (e^((α−1)d) − 1). That keeps all digits at every α; it is only needed where the
    /// logarithm is near 0, and elsewhere its terms might overflow.
    private static func renyiNearOne(_ lp: Tensor, _ lq: Tensor, _ order: Double) -> Result {
        let p = lp.exp()
        let x = (lp - lq) * (order - 1)
        let u = lp + x
        let (plain, r) = tilted(u)  // [N, 1], [N, C]
        let terms = Tensor.where(x.abs().less(1), p * x.expm1(), u.exp() - p)
        let exact = terms.sum(-1, keep: true).log1p()
        let logarithm = Tensor.where(plain.abs().less(0.5), exact, plain)
        return (logarithm.squeezed(1) / (order - 1), lq.exp() - r)
    }
}

extension Divergence {
    /// For messages.
    public var label: String {
        if case .renyi(let order) = self { return "renyi of order \(order)" }
        return name.rawValue
    }
}
