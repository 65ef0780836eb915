import Diagnostics
import Foundation
import Randomness
import Testing

@testable import Datasets

struct NoiseInstanceTests {
    /// softmax over the others of (ln 1, ln 3) is (1/4, 3/4); the label's own entry is ignored.
    @Test func probabilitiesByHand() {
        let p = LabelNoise.instanceProbabilities(q: 0.3, logits: [5, 0, log(3)], label: 0)
        for (x, y) in zip(p, [0.7, 0.075, 0.225]) { #expect(abs(x - y) < 1e-15) }
        let o = LabelNoise.instanceProbabilities(q: 0.5, logits: [0, log(4), .nan], label: 2)
        for (x, y) in zip(o, [0.1, 0.4, 0.5]) { #expect(abs(x - y) < 1e-15) }
        // Far beyond the range of exp: all to the largest.
        #expect(
            LabelNoise.instanceProbabilities(q: 0.2, logits: [9e5, -1e6, 3e5, 0], label: 0)
                == [0.8, 0, 0.2, 0])
        #expect(LabelNoise.instanceProbabilities(q: 0, logits: [1, 2], label: 1) == [0, 1])
    }

    /// numpy: A = x @ W; A[y] = -inf; p = q * exp(A - A.max()) / sum; p[y] = 1 - q.
    @Test func logitsAndProbabilitiesAgainstNumPy() {
        let features = LabelNoise.Features(values: [1, -0.5, 2, 0, 1.5, -1], dimension: 3)
        let w = [0.2, -1, 0.5, 1.5, 1, 0, -2, 0.3, -0.4, 0.8, 0.1, -0.6]  // [3, 4]
        let expected: [(a: [Double], q: Double, y: Int, p: [Double])] = [
            (
                [-1.1, 0.6, 1.7, 0.15], 0.35, 3,
                [0.01527144280811636, 0.08359507452739966, 0.25113348266448393, 0.65]
            ),
            (
                [1.9, -0.8, -3.1, 1.05], 0.8, 0,
                [0.2, 0.10723747938242328, 0.01075150568662976, 0.682011014930947]
            ),
        ]
        for (i, e) in expected.enumerated() {
            let a = LabelNoise.logits(features, row: i, w, 4)
            for (x, y) in zip(a, e.a) { #expect(abs(x - y) < 1e-12) }
            let p = LabelNoise.instanceProbabilities(q: e.q, logits: a, label: e.y)
            for (x, y) in zip(p, e.p) { #expect(abs(x - y) < 1e-12) }
        }
    }

    /// Means and 10 %, 50 %, 90 % quantiles by Python's `statistics.NormalDist`.
    @Test(arguments: [
        (
            0.0, 0.07978845608028655,
            [0.012566134685507414, 0.06744897501960817, 0.16448536269514716]
        ),
        (
            0.1, 0.12875999709391783,
            [0.03026430838427427, 0.12001736861668912, 0.23777873615993073]
        ),
        (0.4, 0.40001338283885257, [0.27186108351614785, 0.4000039692778642, 0.5281569607156869]),
        (0.95, 0.8990839566162966, [0.8017820321559093, 0.9103128824910456, 0.9811569693291714]),
    ])
    func truncatedNormal(_ rate: Double, _ mean: Double, _ quantiles: [Double]) {
        #expect(abs(LabelNoise.truncatedNormalMean(rate) - mean) < 1e-12)
        for (u, q) in zip([0.1, 0.5, 0.9], quantiles) {
            #expect(abs(LabelNoise.truncatedNormal(rate, u) - q) < 1e-9)
        }
        #expect(LabelNoise.truncatedNormal(rate, 0) < 1e-12)
    }

    static func features(_ count: Int, _ dimension: Int, scale: Double = 1) -> LabelNoise.Features {
        LabelNoise.Features(
            values: (0..<count).flatMap { i in
                var draw = Draw(seed: 99, .tests, sample: i)
                return (0..<dimension).map { _ in Float(scale * draw.normal()) }
            }, dimension: dimension)
    }

    /// At rate 0 all the noise comes from the spread of q.
    @Test(arguments: [LabelNoise.Kind.instance, .instanceShared], [0, 0.2, 0.4])
    func meanRate(_ kind: LabelNoise.Kind, _ rate: Double) throws {
        let (n, c) = (20_000, 5)
        let noisy = try LabelNoise(kind, rate: rate).apply(
            labels: cyclicLabels(n, c), classCount: c, features: Self.features(n, 4), seed: 6)
        // A sample flips with E[q], so the count is binomial.
        let mean = LabelNoise.truncatedNormalMean(rate)
        expectShare(noisy.realisedRate!, mean, of: n)
        #expect(noisy.intendedRate == mean && noisy.intendedTransition == nil)
        for a in 0..<c { expectShare(1 - noisy.realisedTransition![a][a], mean, of: n / c) }
    }

    /// All samples of a class have the same input, so that its row must be E[q] · softmax(xᵀW_y),
    /// worked out here from the projection entry by entry.
    @Test(arguments: [LabelNoise.Kind.instance, .instanceShared])
    func rowsFollowTheProjection(_ kind: LabelNoise.Kind) throws {
        let (n, c, d) = (30_000, 3, 2)
        let labels = cyclicLabels(n, c)
        let x: [[Float]] = [[0.6, -0.3], [-0.2, 0.9], [0.5, 0.5]]
        let noisy = try LabelNoise(kind, rate: 0.3).apply(
            labels: labels, classCount: c,
            features: LabelNoise.Features(values: labels.flatMap { x[$0] }, dimension: d), seed: 4)
        let mean = LabelNoise.truncatedNormalMean(0.3)
        var matrix: [[Double]] = []
        for y in 0..<c {
            let group = kind == .instance ? y : 0
            let w = LabelNoise.projection(seed: 4, label: group, dimension: d, classCount: c)
            var e = (0..<c).map { exp(Double(x[y][0]) * w[$0] + Double(x[y][1]) * w[c + $0]) }
            e[y] = 0
            let sum = e.reduce(0, +)
            matrix.append((0..<c).map { $0 == y ? 1 - mean : mean * e[$0] / sum })
        }
        let (statistic, bound) = chiSquare(noisy, matrix)
        #expect(statistic < bound)
    }

    @Test func everyClassHasAProjectionOfItsOwn() {
        let a = LabelNoise.projection(seed: 4, label: 0, dimension: 100, classCount: 10)
        let b = LabelNoise.projection(seed: 4, label: 1, dimension: 100, classCount: 10)
        #expect(a.count == 1000 && a != b)
        // Mean 0 ± 5/√1000, mean square 1 ± 5 √(2/1000).
        #expect(abs(a.reduce(0, +) / 1000) < 0.159)
        #expect(abs(a.reduce(0) { $0 + $1 * $1 } / 1000 - 1) < 0.224)
    }

    /// Raw inputs make the softmax choose one class for certain: per input one wrong label only.
    @Test func rawInputsSaturate() throws {
        let (n, c, d) = (4_000, 10, 16)
        var draw = Draw(seed: 3, .tests)
        let raw = (0..<d).map { _ in Float(draw.below(256)) }
        let noisy = try LabelNoise(.instanceShared, rate: 0.4).apply(
            labels: [Int](repeating: 2, count: n), classCount: c,
            features: LabelNoise.Features(values: (0..<n).flatMap { _ in raw }, dimension: d),
            seed: 9)
        #expect(Set(noisy.labels).count == 2)
        expectShare(noisy.realisedRate!, LabelNoise.truncatedNormalMean(0.4), of: n)
        #expect(noisy.compatibility && LabelNoise(.instanceShared).needs == .raw)
        #expect(
            noisy.warnings == [
                "instance-shared is a compatibility mode: one projection for all classes on raw "
                    + "inputs, so wrong labels pile up in one class"
            ])
    }

    @Test func refusals() {
        let noise = LabelNoise(.instance, rate: 0.2)
        #expect(
            refusal { () throws(Problem) in
                _ = try noise.apply(labels: [0, 1], classCount: 2, seed: 1)
            } == "noise.kind: instance needs the inputs, and there are only labels here")
        #expect(
            refusal { () throws(Problem) in
                _ = try noise.apply(
                    labels: [0, 1], classCount: 2,
                    features: LabelNoise.Features(values: [1, 2, 3, .infinity], dimension: 2),
                    seed: 1)
            } == "sample 1: input is not finite: found inf")
        #expect(
            refusal { () throws(Problem) in
                _ = try noise.apply(
                    labels: [], classCount: 4096,
                    features: LabelNoise.Features(values: [], dimension: 1 << 60), seed: 1)
            }
                == "noise.kind: inputs too large for instance noise: found 1152921504606846976 "
                + "values x 4096 classes, expected at most 134217728 in all")
    }

    @Test func ratesNearTheEndsAreTold() throws {
        #expect(
            try LabelNoise(.instance, rate: 0).validate(classCount: 3) == [
                "rate 0.0 is near the end of 0...1, where the per-sample rates are cut off: "
                    + "expect a realised rate of 8.0 %"
            ])
        #expect(try LabelNoise(.instance, rate: 0.4).validate(classCount: 3).isEmpty)
    }
}
