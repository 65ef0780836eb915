import Diagnostics
import Randomness
import Testing

@testable import Datasets

/// Seeds give the same labels for ever, whatever the order of the samples.
struct NoiseDeterminismTests {
    static let independent: [LabelNoise] = [
        LabelNoise(.symmetric, rate: 0.4), LabelNoise(.pairflip, rate: 0.4),
        LabelNoise(.asymmetric, rate: 0.4, map: .mnist), LabelNoise(.humanCIFAR10NWorst),
        LabelNoise(.instance, rate: 0.4), LabelNoise(.instanceShared, rate: 0.4),
    ]
    static let exact: [LabelNoise] = [
        LabelNoise(.symmetricInclusive, rate: 0.4),
        LabelNoise(.asymmetricGlobal, rate: 0.4, map: .cifar10),
        LabelNoise(.asymmetricInPlace, rate: 0.4, map: .cifar10),
    ]

    /// Seed 7, rate .5, 30 labels 0…9 0…9 0…9. Worked out by a Python program written from the
    /// descriptions of SplitMix64, of Lemire's bounded integers and of the kinds, not from this code:
    /// each sample's stream starts at m(seed + γ) with k ← m(k ⊕ m(p + γ)) for p in (2, epoch, step,
    /// sample), γ = 9e3779b97f4a7c15.
    @Test(arguments: [
        (
            LabelNoise(.symmetric, rate: 0.5),
            [
                4, 2, 6, 3, 6, 4, 6, 8, 3, 9, 6, 1, 2, 4, 4, 5, 9, 7, 1, 9, 0, 0, 7, 3, 0, 3, 9, 7,
                5, 0,
            ], "e749329ba12678198fb74aa11e900a409194ecb9d83464c80ab9d79421d41d4a"
        ),
        (
            LabelNoise(.symmetricInclusive, rate: 0.5),
            [
                4, 2, 5, 3, 6, 5, 6, 7, 3, 9, 0, 1, 2, 3, 4, 5, 9, 7, 1, 9, 0, 0, 6, 3, 0, 4, 8, 7,
                6, 0,
            ], "3c44bb22b1ff5925001e2c58c5f9b8e0076e9524fbabfd12fa8e532d408935a7"
        ),
        (
            LabelNoise(.asymmetricInPlace, rate: 0.5, map: .cifar10),
            [
                0, 1, 2, 3, 7, 3, 6, 7, 8, 9, 0, 1, 0, 3, 7, 5, 6, 7, 8, 1, 0, 1, 0, 3, 4, 5, 6, 7,
                8, 1,
            ], "05e735984c3f3a74b69a9f605347d129275559b14d38a732dddd4ead6cfd5dd0"
        ),
    ])
    func golden(_ noise: LabelNoise, _ labels: [Int], _ sha256: String) throws {
        let noisy = try noise.apply(labels: cyclicLabels(30, 10), classCount: 10, seed: 7)
        #expect(noisy.labels == labels)
        #expect(noisy.sha256 == sha256)
    }

    @Test(arguments: independent + exact) func orderDoesNotMatter(_ noise: LabelNoise) throws {
        let (n, d) = (500, 3)
        let labels = cyclicLabels(n, 10)
        let features = NoiseInstanceTests.features(n, d)
        let straight = try noise.apply(
            labels: labels, classCount: 10, features: features, seed: 21)
        var draw = Draw(seed: 1, .tests)
        let order = (0..<n).shuffled(using: &draw)
        let mixed = try noise.apply(
            labels: order.map { labels[$0] }, classCount: 10,
            features: LabelNoise.Features(
                values: order.flatMap { features.values[$0 * d..<($0 + 1) * d] }, dimension: d),
            ids: order, seed: 21)
        #expect(mixed.labels == order.map { straight.labels[$0] })
        #expect(mixed.sha256 != straight.sha256)
    }

    /// A part of the data gets the labels it gets within the whole.
    @Test(arguments: independent) func samplesDoNotInfluenceOneAnother(_ noise: LabelNoise) throws {
        let labels = cyclicLabels(400, 10)
        let features = NoiseInstanceTests.features(400, 3)
        let whole = try noise.apply(labels: labels, classCount: 10, features: features, seed: 2)
        let part = try noise.apply(
            labels: Array(labels[100..<200]), classCount: 10,
            features: LabelNoise.Features(
                values: Array(features.values[300..<600]), dimension: 3),
            ids: Array(100..<200), seed: 2)
        #expect(part.labels[...] == whole.labels[100..<200])
    }

    @Test(arguments: independent + exact) func seedsMatter(_ noise: LabelNoise) throws {
        func labels(_ noise: LabelNoise, _ seed: UInt64) throws -> [Int] {
            try noise.apply(
                labels: cyclicLabels(500, 10), classCount: 10,
                features: NoiseInstanceTests.features(500, 3), seed: seed
            ).labels
        }
        #expect(try labels(noise, 1) == labels(noise, 1))
        #expect(try labels(noise, 1) != labels(noise, 2))
        // The recipe's own seed goes before the run's.
        var own = noise
        own.seed = 1
        #expect(try labels(own, 2) == labels(noise, 1))
    }

    @Test(arguments: [LabelNoise.Kind.symmetric, .symmetricInclusive, .pairflip])
    func lessNoiseIsPartOfMore(_ kind: LabelNoise.Kind) throws {
        let clean = cyclicLabels(1_000, 10)
        let low = try LabelNoise(kind, rate: 0.2).apply(labels: clean, classCount: 10, seed: 3)
        let high = try LabelNoise(kind, rate: 0.4).apply(labels: clean, classCount: 10, seed: 3)
        for i in clean.indices where low.labels[i] != clean[i] {
            #expect(high.labels[i] != clean[i])
        }
        #expect(high.realisedRate! > low.realisedRate!)
    }
}
