import Foundation

/// The standard normal distribution.
public enum Gaussian {
    /// H(x) = ½ erfc(x/√2), the probability of more than x.
    public static func tail(_ x: Double) -> Double { 0.5 * erfc(x / 2.0.squareRoot()) }

    /// φ(x), the density.
    public static func density(_ x: Double) -> Double {
        exp(-0.5 * x * x) / (2 * .pi).squareRoot()
    }

    /// The x with H(−x) = p, for 0 < p < 1: the inverse of the distribution function.
    ///
    /// A rational start (Abramowitz and Stegun 26.2.23, error below 4.5e-4) and two steps of
    /// Halley's method, each of which triples the digits.
    static func quantile(_ p: Double) -> Double {
        // In the lower half, where p itself carries all the digits.
        if p > 0.5 { return -quantile(1 - p) }
        let t = (-2 * log(p)).squareRoot()
        var x =
            (2.515517 + t * (0.802853 + t * 0.010328))
            / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
        for _ in 0..<2 {
            let miss = (tail(-x) - p) / density(x)
            x -= miss / (1 + 0.5 * x * miss)
        }
        return x
    }
}
