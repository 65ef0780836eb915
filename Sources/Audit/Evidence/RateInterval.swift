import Datasets

/// The share of wrong labels with what is known of its error.
///
///     half width = 2 standard errors + doubt,   doubt = confident rate − rate of the fit, in .02 … .05
///
/// The confident joint takes all doubt of the networks for noise, the fit takes all of it for doubt: what is
/// between them nobody can attribute. `NoiseEstimate` was within .05 of the truth in nine of ten cases whose truth
/// is known, and off by .01 to .02 where there was hardly a doubt.
public struct RateInterval: Codable, Equatable, Sendable {
    public let estimate: Double
    public let low: Double
    public let high: Double

    /// Whether no label at all may be wrong.
    public var mayBeNone: Bool { low <= 0 }

    static let doubts = 0.02...0.05

    /// - Parameter count: samples that the estimate is of.
    public init(_ noise: NoiseEstimate, count: Int) {
        let gap = noise.confidentRate - noise.classConditionalRate
        let doubt = min(RateInterval.doubts.upperBound, max(RateInterval.doubts.lowerBound, gap))
        let binomial = (noise.rate * (1 - noise.rate) / Double(max(1, count))).squareRoot()
        let half = 2 * max(noise.rateError ?? 0, binomial) + doubt
        self.init(
            estimate: noise.rate, low: max(0, noise.rate - half), high: min(1, noise.rate + half))
    }

    public init(estimate: Double, low: Double, high: Double) {
        (self.estimate, self.low, self.high) = (estimate, low, high)
    }
}
