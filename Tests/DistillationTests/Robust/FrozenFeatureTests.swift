import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// What is computed of frozen features, by numbers: the terms of NMTune, weights by distances to centroids.
@Suite(.serialized, .takesTurns) struct FrozenFeatureTests {
    private func m(_ dtype: DType = .float64) throws -> Tensor {
        try MethodVectors("nmtune").matrix("features", rows: 5).to(dtype)
    }

    // MARK: NMTune

    @Test func termsByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("nmtune")
            for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-6)] {
                let m = try m(dtype)
                try expectClose(
                    m.singularValues().doubles(), vector.numbers("singular_values"), tolerance)
                let dominant = try #require(dominantSingularValues(m, count: 2))
                #expect(dominant.shape == [1])
                #expect(
                    abs(dominant.item - (try vector.number("dominant_term_top2"))) < tolerance)
                #expect(
                    abs(covariancePenalty(m).item - (try vector.number("covariance_term")))
                        < tolerance)
                // The vector's target: the rows, each moved down by one.
                let rolled = m.indexed(0, by: Tensor([4, 0, 1, 2, 3], [5]))
                let consistency = featureConsistency(m, frozen: rolled * 3)
                #expect(consistency.shape == [5])
                #expect(
                    abs(
                        consistency.mean().item
                            - (try vector.number("consistency_to_FT_like"))) < tolerance)
            }
        }
    }

    @Test func gradientsAreDifferences() throws {
        try withNoLeaks {
            let target = try m().flipped([0])
            let terms: [(Tensor) -> Tensor] = [
                { dominantSingularValues($0, count: 2) ?? .zeros([1], dtype: .float64) },
                { dominantSingularValues($0) ?? .zeros([1], dtype: .float64) },
                covariancePenalty, { featureConsistency($0, frozen: target).mean() },
            ]
            for term in terms {
                let x = try m()
                x.requiresGrad = true
                let gradient = Tensor.gradients(of: term(x).sum(), with: [x])[0].doubles()
                let wanted = MethodVectors.differences(try m()) { term($0).sum().item }
                try expectClose(gradient, wanted, 1e-8)
            }
            // All singular values together are all of their sum.
            #expect(abs(try #require(dominantSingularValues(try m())).item + 1 / 3.0) < 1e-12)
        }
    }

    /// The gradient of one of several equal singular values is not determined: the term is left out.
    @Test func equalSingularValues() throws {
        try withNoLeaks {
            func diagonal(_ values: [Double]) -> Tensor {
                let n = values.count
                return Tensor(
                    (0..<n * n).map { $0 % (n + 1) == 0 ? values[$0 / (n + 1)] : 0 }, [n, n])
            }
            #expect(dominantSingularValues(diagonal([1, 1, 1])) == nil)
            #expect(dominantSingularValues(diagonal([3, 2, 2 - 1e-7, 1]), count: 2) == nil)
            #expect(dominantSingularValues(diagonal([3, 2, 2, 1]), count: 1) != nil)
            #expect(dominantSingularValues(diagonal([3, 2, 1, 1]), count: 2) != nil)
            #expect(dominantSingularValues(.zeros([4, 3])) == nil)
            #expect(dominantSingularValues(Tensor([3, 4] as [Double], [1, 2]))?.item == -1)
        }
    }

    @Test func lossOfABatch() throws {
        try withNoLeaks {
            let inputs = try MethodVectors("inputs")
            let z = Tensor.concatenated([
                try inputs.matrix("Z1").narrowed(0, from: 0, count: 2),
                try inputs.matrix("Z2").narrowed(0, from: 0, count: 2),
            ])
            let labels = Tensor([1, 3], [2])
            let m = try m().narrowed(0, from: 0, count: 4)
            let frozen = Tensor([1, 0, 0, 0, 2, 0] as [Double], [2, 3])
            let losses = nmTuneLosses(
                features: m, logits: Logits(z), labels: labels, frozen: frozen,
                options: .init(directions: 2))
            #expect(
                losses.terms.map(\.name) == [
                    "cross-entropy", "consistency", "covariance", "dominance",
                ])
            #expect(losses.terms.map(\.weight) == [1, 1, 0.04, 0.001])
            #expect(losses.metrics.map(\.name) == ["equal-singular-values"])
            #expect(losses.metrics[0].values.doubles() == [0])
            let twice = Tensor([1, 3, 1, 3], [4])
            let wanted =
                crossEntropy(Logits(z), labels: twice).mean().item
                + featureConsistency(m.narrowed(0, from: 2, count: 2), frozen: frozen).mean().item
                + 0.04 * covariancePenalty(m).item
                + 0.001 * (try #require(dominantSingularValues(m, count: 2)).item)
            #expect(abs(losses.total.item - wanted) < 1e-12)
            // Without weights it is cross-entropy, to the last bit.
            let plain = nmTuneLosses(
                features: m, logits: Logits(z), labels: labels, frozen: frozen,
                options: .init(consistency: 0, covariance: 0, dominance: 0))
            #expect(plain.total.item == crossEntropy(Logits(z), labels: twice).mean().item)
            // All rows alike: one direction, and no step fails.
            let alike = nmTuneLosses(
                features: .zeros([4, 3], dtype: .float64), logits: Logits(z), labels: labels,
                frozen: frozen)
            #expect(alike.metrics[0].values.doubles() == [1])
            #expect(alike.total.item.isFinite)
        }
    }

    // MARK: Centroids

    @Test func confidenceByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("procsim_reconstruction")
            let labels = Tensor(try vector.ints("labels"), [6])
            for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-6)] {
                // Lengths do not matter.
                let distances = cosineDistances(
                    try vector.matrix("features").to(dtype) * 3,
                    to: try vector.matrix("proxies", rows: 3).to(dtype) * 0.5)
                try expectClose(
                    distances.mean(-1).doubles(), vector.numbers("mean_distance"), tolerance)
                try expectClose(
                    distances.gathered(1, labels.unsqueezed(1)).doubles(),
                    vector.numbers("positive_distance"), tolerance)
                try expectClose(
                    proxyConfidence(distances, labels: labels).doubles(),
                    vector.numbers("confidence"), tolerance)
            }
            #expect(
                proxyConfidence(.zeros([1, 2]), labels: Tensor([1], [1])).doubles() == [1])
        }
    }

    /// Distances to the means of the other samples of a class, one by one.
    @Test func centroidsWithoutTheSample() throws {
        try withNoLeaks {
            let features = try MethodVectors("procsim_reconstruction").matrix("features")
            let labels = [0, 0, 1, 1, 1, 0]
            let found = centroidDistances(features * 2, labels: labels, classes: 2)
            for i in 0..<6 {
                let rows = (0..<2).map { c in labels.indices.filter { labels[$0] == c && $0 != i } }
                let means = Tensor.concatenated(
                    rows.map { features.indexed(0, by: Tensor($0, [$0.count])).mean(0, keep: true) }
                )
                let wanted = cosineDistances(
                    features.narrowed(0, from: i, count: 1), to: means)
                try expectClose(found.selected(0, i).doubles(), wanted.doubles(), 1e-12)
            }
        }
    }

    /// A class of one sample, one without any, and a sample of zeros say nothing.
    @Test func vanishedClasses() throws {
        try withNoLeaks {
            let features = Tensor([1, 0, 0.6, 0.8, 0, 0] as [Double], [3, 2])
            let distances = centroidDistances(features, labels: [0, 1, 0], classes: 3)
            let wanted = [1, 0.4, 1, 0.4, 1, 1, 1, 1, 1]
            try expectClose(distances.doubles(), wanted, 1e-9)
        }
    }
}
