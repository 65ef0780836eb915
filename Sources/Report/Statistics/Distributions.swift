import Foundation

/// Student's t distribution.
public enum StudentT {
    /// P(|T| ≥ |t|) with `freedom` degrees of freedom.
    public static func twoSided(_ t: Double, freedom: Int) -> Double {
        let n = Double(freedom)
        guard t.isFinite else { return t.isNaN ? .nan : 0 }
        return incompleteBeta(n / (n + t * t), n / 2, 0.5)
    }

    /// The t with P(|T| ≥ t) = `p`, 0 < p < 1.
    public static func critical(_ p: Double, freedom: Int) -> Double {
        var (low, high) = (0.0, 1.0)
        while twoSided(high, freedom: freedom) > p, high < 1e300 { high *= 2 }
        for _ in 0..<200 where high - low > 1e-13 * high {
            let middle = (low + high) / 2
            if twoSided(middle, freedom: freedom) > p { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}

/// P(F ≥ f) of the F distribution with `above` and `below` degrees of freedom, f ≥ 0.
func upperF(_ f: Double, above: Int, below: Int) -> Double {
    let (a, b) = (Double(above), Double(below))
    guard f.isFinite else { return f.isNaN ? .nan : 0 }
    return incompleteBeta(b / (b + a * f), b / 2, a / 2)
}

/// The regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1, a, b > 0, to about 1e-14: by the
/// continued fraction (Abramowitz, Stegun, Handbook of Mathematical Functions, 26.5.8), evaluated from the
/// front after Lentz.
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast on one side of the mean.
    guard x <= (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    func kept(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var (c, d) = (1.0, 1 / kept(1 - (a + b) * x / (a + 1)))
    var fraction = d
    for m in 1...10_000 {
        let m = Double(m)
        for term in [
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ] {
            d = 1 / kept(1 + term * d)
            c = kept(1 + term / c)
            fraction *= c * d
        }
        if abs(c * d - 1) < 1e-15 { break }
    }
    return front * fraction
}
