import Foundation

/// A stream of random numbers that is *derived, not stored*: the same (seed, purpose, epoch, step,
/// sample) gives the same stream on every machine, in whatever order streams are asked for.
///
/// Resuming a run therefore needs no generator state, and work done ahead of time on another
/// thread draws the same numbers. The key is mixed with the finaliser of SplitMix64 (Steele, Lea,
/// Flood 2014); the stream is SplitMix64 from there, whose 2⁶⁴ starting points are far more than
/// the streams of any run. Not for cryptography.
public struct Draw: RandomNumberGenerator, Sendable {
    /// What the numbers are for. Raw values enter the key: never renumber, only append.
    public enum Purpose: UInt64, Sendable, CaseIterable {
        case split = 1
        case noise = 2
        case initialisation = 3
        case order = 4
        case augmentation = 5
        case dropout = 6
        case noiseFeatures = 7
        case peers = 8
        case generator = 9
        case tests = 10
        case synthetic = 11
        case metaOrder = 12
        case simulation = 13
        case synthesis = 14
        case labelVectors = 15
        /// λ and the partners of samples that are mixed with one another.
        case mixup = 16
        /// Classes that are drawn for samples, from what a network says of them.
        case latentClasses = 17
        /// Which part of the training split a network does not see.
        case folds = 20
        /// Labels that are changed on purpose, so that it is known which ones are wrong.
        case injection = 21
        /// Parts and resamples of an audit, and the samples that a person is to judge.
        case audit = 22
        /// Inputs that an exported network is compared on.
        case export = 40
    }

    private var state: UInt64

    public init(
        seed: UInt64, _ purpose: Purpose, epoch: Int = 0, step: Int = 0, sample: Int = 0
    ) {
        var key = Draw.mixed(seed &+ 0x9e37_79b9_7f4a_7c15)
        for part in [
            purpose.rawValue, UInt64(bitPattern: Int64(epoch)),
            UInt64(bitPattern: Int64(step)), UInt64(bitPattern: Int64(sample)),
        ] {
            key = Draw.mixed(key ^ Draw.mixed(part &+ 0x9e37_79b9_7f4a_7c15))
        }
        state = key
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Draw.mixed(state)
    }

    /// Uniform on [0, 1), 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform on 0..<bound, unbiased. `bound` must be positive.
    public mutating func below(_ bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// Standard normal, by the Box–Muller transform (the second value is thrown away so that a
    /// draw always takes the same number of steps).
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// An index drawn with probability proportional to `weights` (non-negative, not all zero).
    public mutating func index<Weights: Collection>(weights: Weights) -> Int
    where Weights.Element == Double {
        var left = uniform() * weights.reduce(0, +)
        var last = 0
        for (i, weight) in weights.enumerated() where weight > 0 {
            if left < weight { return i }
            left -= weight
            last = i
        }
        return last
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
