import Foundation

/// Two stages in the limit λ_1, λ_2 → ∞ with ρ = ½ and b = 0, in closed form: both stages are
/// averages of the labelled inputs. For θ ≥ 0.2 searches find the optimum there.
///
/// Up to the factor 1/(2λ_1) stage 0's logit on a training sample is u' = αks + Δs̃ + √(ΔQ_1) ξ with
/// k = 1 − 2θ, Q_1 = α²k² + αΔ; the Δs̃ is the sample's own influence, through which noisy labels leak.
/// The pseudo-label is ŝ = sign(u') or tanh(κu'). Own derivation, confirmed by simulation.
public struct AveragingLimit: Equatable, Sendable {
    /// Error of 0-SD, H(αk/√(ΔQ_1)).
    public let firstError: Double
    /// Error of 1-SD.
    public let secondError: Double
    /// The share of right pseudo-labels on the training set.
    public let labelAccuracy: Double

    /// - Parameter kappa: κ = β/(4λ_1), above 0; infinite for hard labels. κ → 0 is one step of power
    ///   iteration of the sample covariance, applied to the average, and the limit of the squared loss.
    public init(
        sampleRatio alpha: Double, variance delta: Double, noiseRate theta: Double,
        kappa: Double = .infinity
    ) {
        let k = 1 - 2 * theta
        let sd = (delta * (alpha * alpha * k * k + alpha * delta)).squareRoot()
        firstError = Gaussian.tail(alpha * k / sd)
        // Averages over f with s = +1: a = E[ŝ], c = E[f ŝ], e = E[ŝ²], slope = E[∂ŝ/∂ζ].
        var (a, c, e, slope, accuracy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (f, p) in [(1.0, 1 - theta), (-1.0, theta)] where p > 0 {
            let mean = alpha * k + delta * f
            let right = Gaussian.tail(-mean / sd)
            accuracy += p * right
            if kappa == .infinity {
                a += p * (2 * right - 1)
                c += p * f * (2 * right - 1)
                e += p
                slope += p * 2 * Gaussian.density(mean / sd) / sd
            } else {
                // Trapezoidal rule, exponentially accurate: the poles of tanh are π/(2κ sd) away.
                let step = min(0.1, 0.35 / (kappa * sd))
                let half = Int(min(9 / step, 4e6))
                var (mass, z1, z2, zx) = (0.0, 0.0, 0.0, 0.0)
                for i in -half...half {
                    let x = Double(i) * step
                    let w = exp(-0.5 * x * x)
                    let z = tanh(kappa * (mean + sd * x))
                    mass += w
                    z1 += w * z
                    z2 += w * z * z
                    zx += w * z * x
                }
                a += p * z1 / mass
                c += p * f * z1 / mass
                e += p * z2 / mass
                slope += p * zx / mass / sd
            }
        }
        labelAccuracy = accuracy
        let d = alpha * delta * slope
        let m = alpha * a + d * alpha * k
        let q = m * m + alpha * delta * (e + 2 * d * c + d * d)
        secondError = Gaussian.tail(m / (delta * q).squareRoot())
    }
}
