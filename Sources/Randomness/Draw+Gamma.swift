import Foundation

/// Gamma and beta distributed numbers. Both take a varying number of steps of the stream: draw
/// them last, or from a stream of their own, where a later version may draw more.
extension Draw {
    /// Gamma with this shape, a > 0, and scale 1: mean a, variance a.
    public mutating func gamma(_ shape: Double) -> Double { exp(logGamma(shape)) }

    /// Beta with a, b > 0: mean a/(a + b). In [0, 1]; for shapes near 0 often 0 or 1 exactly.
    public mutating func beta(_ a: Double, _ b: Double) -> Double {
        let (first, second) = (logGamma(a), logGamma(b))
        return 1 / (1 + exp(second - first))  // G_a/(G_a + G_b)
    }

    /// The logarithm of a gamma number, because the number itself underflows for small shapes.
    ///
    /// Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26, 2000:
    /// d v with d = a − ⅓ and v = (1 + x/√(9 d))³ for a normal x, accepted with probability
    /// v^d exp(x²/2 + d − d v) (at most 1; above .95 for a ≥ 1). For a < 1 a number of shape a + 1
    /// is multiplied by u^(1/a).
    private mutating func logGamma(_ shape: Double) -> Double {
        precondition(shape >= 1e-6 && shape.isFinite, "shape of a gamma or beta distribution")
        if shape < 1 {
            let larger = logGamma(shape + 1)
            return larger + log(1 - uniform()) / shape
        }
        let d = shape - 1 / 3.0
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let root = 1 + c * x
            let u = 1 - uniform()
            guard root > 0 else { continue }
            let v = root * root * root
            if log(u) < x * x / 2 + d - d * v + d * log(v) { return log(d * v) }
        }
    }
}
