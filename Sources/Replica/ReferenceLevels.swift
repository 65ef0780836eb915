import Foundation

extension NoisyMixture {
    /// The Bayes-optimal generalisation error given the noisy labels: no method can do better.
    ///
    /// Rank-one Bayesian Gaussian mixture with the labels as side information: with
    /// h(s̃) = ½ ln[P(s=1|s̃)/P(s=−1|s̃)], iterate q_s = E[s tanh(h + (q/Δ)s + √(q/Δ) ξ)],
    /// q = α q_s/(Δ + α q_s) from q = 0.99; then b = (Δ/2) ln(ρ/(1−ρ)) and
    /// ε = ρ H((q+b)/√(Δq)) + (1−ρ) H((q−b)/√(Δq)). Own derivation, confirmed by approximate message
    /// passing on finite systems.
    public var bayesError: Double { error(posteriorOverlap: posteriorOverlap) }

    /// The Bayes-optimal error with clean training labels. For ρ = ½ it is
    /// H(1/√(Δ(1 + Δ/α))), which the best 0-SD reaches.
    public var noiselessError: Double {
        error(posteriorOverlap: sampleRatio / (variance + sampleRatio))
    }

    /// The limit of many samples per dimension, α → ∞: the class means are known exactly. With noise
    /// below ½ every tuned method gets there.
    public var asymptoticError: Double { error(posteriorOverlap: 1) }

    /// The error of the average of the labelled inputs (λ → ∞, b = 0):
    /// H(1/√(Δ(1 + Δ/(α(1−2θ)²)))). For ρ = ½ the best 0-SD of either loss.
    public var averagingError: Double {
        let k = 1 - 2 * noiseRate
        return Gaussian.tail(1 / (variance * (1 + variance / (sampleRatio * k * k))).squareRoot())
    }

    private func error(posteriorOverlap q: Double) -> Double {
        guard q > 0 else { return min(positiveShare, 1 - positiveShare) }
        return error(
            overlap: q, norm: q,
            bias: variance / 2 * log(positiveShare / (1 - positiveShare)))
    }

    /// q, the squared norm of the posterior mean of v.
    private var posteriorOverlap: Double {
        let (alpha, delta) = (sampleRatio, variance)
        func next(_ q: Double) -> Double {
            let overlap = labelOverlap(q / delta)
            return alpha * overlap / (delta + alpha * overlap)
        }
        var q = 0.99
        for _ in 0..<5000 {
            let (a, b) = (next(q), 0.0)
            if abs(a - q) < 1e-13 { return max(a, b) }
            let c = next(a)
            // Aitken's extrapolation, kept between the iterate and zero: the largest fixed point
            // is approached from above.
            let bend = (c - a) - (a - q)
            var jump = c
            if abs(bend) > 1e-300 { jump = q - (a - q) * (a - q) / bend }
            q = jump.isFinite && jump > 0 && jump < c ? 0.1 * c + 0.9 * jump : c
        }
        return q
    }

    /// q_s for signal-to-noise ratio `snr` = q/Δ.
    private func labelOverlap(_ snr: Double) -> Double {
        // The trapezoidal rule converges exponentially here: tanh has its nearest poles at π/2 over
        // the factor of ξ.
        let root = snr.squareRoot()
        let step = min(0.2, 0.35 / max(root, 1e-3))
        let half = Int((8.5 / step).rounded(.up))
        var total = 0.0
        for own in categories(symmetric: false) {
            let given = own.sign * own.flip
            let plus = positiveShare * (given > 0 ? 1 - noiseRate : noiseRate)
            let minus = (1 - positiveShare) * (given < 0 ? 1 - noiseRate : noiseRate)
            let field = 0.5 * log(plus / minus) + snr * own.sign
            var (sum, mass) = (0.0, 0.0)
            for i in -half...half {
                let x = Double(i) * step
                let w = exp(-0.5 * x * x)
                sum += w * tanh(field + root * x)
                mass += w
            }
            total += own.weight * own.sign * sum / mass
        }
        return total
    }
}
