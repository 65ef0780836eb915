import Diagnostics

/// Two Gaussian classes whose training labels are wrong with a known probability: the model whose
/// self-distillation the theory solves exactly in the limit of many dimensions N and samples M.
///
/// An input of class s = ±1 is x = s·v/√N + √Δ·z with |v|² = N and z standard normal, so the class
/// means have norm 1. Each given training label is s·f with f = −1 of probability θ, independently.
/// Test labels are clean. Model of Takanami, Takahashi and Sakata, arXiv 2501.16226.
public struct NoisyMixture: Equatable, Hashable, Codable, Sendable {
    /// α = M/N, samples per dimension; above 0.
    public let sampleRatio: Double
    /// Δ, the variance of each coordinate within a class; above 0.
    public let variance: Double
    /// θ, the share of wrong training labels, 0 to 0.5.
    public let noiseRate: Double
    /// ρ, the share of the class s = +1, strictly between 0 and 1.
    public let positiveShare: Double

    /// - Throws: `Problem` for a value outside its range.
    public init(
        sampleRatio: Double, variance: Double, noiseRate: Double, positiveShare: Double = 0.5
    ) throws(Problem) {
        let range = 1e-6...1e6
        guard range.contains(sampleRatio) else {
            throw .wrong("alpha", sampleRatio, "a number from 1e-6 to 1e6")
        }
        guard range.contains(variance) else {
            throw .wrong("delta", variance, "a number from 1e-6 to 1e6")
        }
        guard (0...0.5).contains(noiseRate) else {
            throw .wrong("theta", noiseRate, "a number from 0 to 0.5")
        }
        guard (1e-6...1 - 1e-6).contains(positiveShare) else {
            throw .wrong("rho", positiveShare, "a number above 0 and below 1")
        }
        self.sampleRatio = sampleRatio
        self.variance = variance
        self.noiseRate = noiseRate
        self.positiveShare = positiveShare
    }

    enum CodingKeys: String, CodingKey {
        case sampleRatio = "alpha"
        case variance = "delta"
        case noiseRate = "theta"
        case positiveShare = "rho"
    }

    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            sampleRatio: c.decode(Double.self, forKey: .sampleRatio),
            variance: c.decode(Double.self, forKey: .variance),
            noiseRate: c.decode(Double.self, forKey: .noiseRate),
            positiveShare: c.decode(Double.self, forKey: .positiveShare))
    }

    /// The generalisation error of a classifier with overlap m = w·v/N, norm Q = |w|²/N and bias b:
    /// ε = ρ H((m + b)/√(ΔQ)) + (1 − ρ) H((m − b)/√(ΔQ)). Exact for any w, also at finite N, so no
    /// test set is needed.
    public func error(overlap m: Double, norm q: Double, bias b: Double) -> Double {
        let scale = (variance * q).squareRoot()
        return positiveShare * Gaussian.tail((m + b) / scale)
            + (1 - positiveShare) * Gaussian.tail((m - b) / scale)
    }

    /// The combinations of true class and flip that training samples fall into. When nothing tells
    /// the classes apart (`symmetric`), those of s = +1 stand for both.
    func categories(symmetric: Bool) -> [Category] {
        var list: [Category] = []
        for sign in symmetric ? [1.0] : [1.0, -1.0] {
            for flip in [1.0, -1.0] {
                let share = symmetric ? 1 : sign > 0 ? positiveShare : 1 - positiveShare
                let weight = share * (flip > 0 ? 1 - noiseRate : noiseRate)
                if weight > 0 { list.append(Category(sign: sign, flip: flip, weight: weight)) }
            }
        }
        return list
    }
}

/// Training samples of one true class whose labels are all right or all wrong.
struct Category: Sendable {
    /// s
    var sign: Double
    /// f
    var flip: Double
    /// Its share of all samples.
    var weight: Double
    /// The given label ỹ = (1 + s·f)/2.
    var label: Double { (1 + sign * flip) / 2 }
}
