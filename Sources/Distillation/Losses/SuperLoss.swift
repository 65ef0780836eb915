import Foundation
import Torch

/// SuperLoss: Castells, Weinzaepfel, Revaud, "SuperLoss: A Generic Loss for Robust Curriculum
/// Learning", NeurIPS 2020. Down-weights samples whose loss ℓ is above a threshold τ:
///
///     min over σ > 0 of  (ℓ − τ) σ + λ (log σ)²
///     σ = exp(−W₀( ½ max(−2/e, (ℓ − τ)/λ) )),   0 < σ ≤ e
///
/// with W₀ the principal branch of Lambert's function. As σ is the minimum, the derivative with
/// respect to ℓ is σ itself (exactly, and by definition where −2/e cuts it off). Source of the
/// constants: the adaptive-mixing authors' baseline, τ = log C and λ = .25.
public struct SuperLoss: Equatable, Sendable {
    /// τ, the loss of a sample that is neither easy nor hard; the log of the number of classes is
    /// what a network that knows nothing loses.
    public var threshold: Double
    /// λ > 0. Small: a sharp line between trusted and distrusted samples; ∞: none.
    public var regularisation: Double

    public init(threshold: Double, regularisation: Double = 0.25) {
        self.threshold = threshold
        self.regularisation = regularisation
    }

    public init(classes: Int) { self.init(threshold: log(Double(classes))) }

    /// σ of each sample [N], float64 inside and then the dtype of `values`.
    public func confidences(_ values: Tensor) -> Tensor {
        evaluated(values).confidences
    }

    /// The loss of each sample [N], whose derivative with respect to `values` is σ.
    public func callAsFunction(_ values: Tensor) -> Tensor {
        let (losses, confidences) = evaluated(values)
        return losses.attached(to: values, gradient: confidences)
    }

    public func callAsFunction(_ loss: LogitLoss) -> LogitLoss {
        let (losses, confidences) = evaluated(loss.values)
        return LogitLoss(values: losses, gradient: loss.weighted(by: confidences).gradient)
    }

    // By scalars: a batch has a hundred of them, and the iteration ends after two or three turns.
    private func evaluated(_ values: Tensor) -> (losses: Tensor, confidences: Tensor) {
        withoutGradient {
            let pairs = values.doubles().map { loss -> (Double, Double) in
                let excess = loss - threshold
                let w = lambertW(0.5 * max(-2 / M_E, excess / regularisation))
                let sigma = exp(-w)
                return (excess * sigma + regularisation * w * w, sigma)
            }
            func tensor(_ numbers: [Double]) -> Tensor {
                Tensor(numbers, values.shape).to(values.dtype).to(values.device)
            }
            return (tensor(pairs.map(\.0)), tensor(pairs.map(\.1)))
        }
    }
}

/// The principal branch W₀ of Lambert's function, w e^w = x, to about 1e-15 relative.
///
/// Near −1/e a series in √(2(ex + 1)) (Corless, Gonnet, Hare, Jeffrey, Knuth, "On the Lambert W
/// function", 1996, eq. 4.22), elsewhere Halley's iteration (eq. 5.9).
///
/// - Parameter x: at least −1/e; below it and for not-a-number the result is not a number. A double
///   next to −1/e may lie below it by rounding: it counts as −1/e.
func lambertW(_ x: Double) -> Double {
    // ex + 1 with e in two doubles: the plain product would lose all digits at −1/e.
    let e = (high: M_E, low: 1.4456468917292502e-16)
    let square = 2 * ((1 + x * e.high).isFinite ? (1.0).addingProduct(x, e.high) + x * e.low : x)
    guard square >= -1e-15 else { return .nan }
    if x == .infinity { return x }
    let p = max(0, square).squareRoot()
    // −1 + p − p²/3 + 11p³/72 − 43p⁴/540 + 769p⁵/17280 − 221p⁶/8505
    let terms = [-1, 1, -1 / 3, 11 / 72, -43 / 540, 769 / 17280, -221 / 8505] as [Double]
    let series = terms.reversed().reduce(0) { $0 * p + $1 }
    if p < 0.01 { return series }
    // From the left of −1/e + .37 on the series, then a chord, then two logarithms: never far off.
    var w = p < 1 ? series : x < M_E ? x / (1 + x) : log(x) - log(log(x))
    for _ in 0..<20 {
        // The residue over e^w, which cannot overflow.
        let f = w - x * exp(-w)
        let step = f / (w + 1 - (w + 2) * f / (2 * w + 2))
        w -= step
        if abs(step) <= 1e-16 * abs(w) { break }
    }
    return w
}
