import Diagnostics
import Files
import Foundation
import Randomness
import Replica
import TestSupport
import Testing
import Torch
import Training

@testable import Experiments

@Suite(.takesTurns) struct FeatureTests {
    private func small() throws -> FeatureSet {
        try FeatureSet(
            name: "small", values: [1, 5, 3, 5, 5, 5, 7, 5, 9, 5, 11, 5], dimension: 2,
            labels: [0, 1, 0, 1, 0, 1], clean: [0, 1, 1, 1, 0, 0],
            split: [.train, .train, .train, .train, .validation, .test],
            classNames: ["no", "yes"], source: "hand")
    }

    @Test func roundTrip() throws {
        let scratch = try Scratch()
        let path = scratch("f.safetensors")
        let own = try small()
        try own.write(to: path, using: LocalFileSystem())
        let back = try FeatureSet(path: path)
        #expect(back.values == own.values)
        #expect(back.labels == own.labels && back.clean == own.clean && back.split == own.split)
        #expect(back.classNames == ["no", "yes"] && back.source == "hand")
    }

    /// Training rows 1, 3, 5, 7 have mean 4 and variance 5; the constant column goes.
    @Test func standardised() throws {
        let made = try small().standardised(on: [0, 1, 2, 3])
        #expect(made.dimension == 1)
        let wanted = [-3, -1, 1, 3, 5, 7].map { $0 / 5.0.squareRoot() }
        #expect(largestError(made.values, wanted).error < 1e-12)
    }

    @Test func refusals() throws {
        func said(
            _ values: [Double] = [1, 2, 3, 4], _ labels: [Int] = [0, 1], clean: [Int]? = nil
        ) -> String {
            failure {
                try FeatureSet(
                    name: "f", values: values, dimension: 2, labels: labels, clean: clean)
            }
        }
        let bad = "features that cannot be used: found"
        #expect(
            said([1, 2, 3, .nan])
                == "f, features, row 1, column 1: \(bad) nan, expected numbers below 1e100"
        )
        #expect(said([1, 2, 3]).hasPrefix("f, features: \(bad) 3 values for 2 labels"))
        #expect(said([1, 2, 3, 4], [0, -1]) == "f, labels[1]: \(bad) -1, expected 0 to 999")
        #expect(said([1, 2, 3, 4], [0, .max]).hasPrefix("f, labels[1]: \(bad)"))
        #expect(said(clean: [0]) == "f, clean: \(bad) 1 labels, expected 2")
        #expect(failure { try TwoClasses(small(), pair: (0, 5)) }.contains("found 0 and 5"))
        #expect(failure { try TwoClasses(small(), pair: (0, 1)) }.contains("expected at least 10"))
    }

    /// The last layer's inputs of a network, times its head, are its logits; pixels keep their number.
    @Test func penultimateAndPixels() throws {
        let file = try RecipeFile(
            text: """
                data: {kind: embedded, limit: 120}
                noise: {kind: symmetric, rate: 0.3}
                model: {name: mlp}
                method: {name: cross-entropy}
                """, file: "recipe")
        let recipe = try file.decoded(Recipe.self)
        let data = try PreparedData(recipe.data, noise: recipe.noise, seed: 0)
        let pixels = try FeatureSet(data, model: nil, source: "pixels")
        #expect(pixels.dimension <= 784 && pixels.dimension > 500)
        #expect(pixels.count == 120 + 1000)
        #expect(pixels.members(.test).count == 1000)
        let clean = try #require(pixels.clean)
        // Only training and validation labels are noisy.
        #expect(pixels.members(.test).allSatisfy { clean[$0] == pixels.labels[$0] })
        #expect(pixels.members(.train).contains { clean[$0] != pixels.labels[$0] })
        let rows = pixels.matrix(pixels.members(.train))
        #expect(rows.mean(0).abs().max(0).item < 1e-6)
        #expect(abs(rows.squared().mean().item - 1) < 1e-6)
    }

    /// Fits in the span of fewer samples than features are those of the features themselves.
    @Test func compression() throws {
        var draw = Draw(seed: 1, .tests)
        func rows(_ n: Int) -> Tensor { Tensor((0..<n * 30).map { _ in draw.normal() }, [n, 30]) }
        let labels = (0..<12).map { Double($0 % 2) }
        let truth = (0..<40).map { $0 % 3 == 0 }
        var plain = FeatureExperiment.Bench(
            training: rows(12), labels: labels, validation: rows(40), validationLabels: truth,
            test: rows(40), testLabels: truth, bias: .learnt)
        var short = plain
        try short.compress()
        #expect(short.training.shape == [12, 12])
        let others = FeatureExperiment.Arm.others
        let a = try plain.search(stages: 2, others: others)
        let b = try short.search(stages: 2, others: others)
        #expect(a.errors.count == 7)
        #expect(a.errors == b.errors)
        #expect(a.lambdas == b.lambdas)
    }

    @Test func choleskyByHand() {
        let l = FeatureExperiment.Bench.cholesky([4, 2, 2, 5], 2)
        #expect(l == [2, 0, 1, 2])
    }

    /// Under noise the first stage gains more than its standard error; without noise there is nothing to
    /// gain and the stage is declined.
    @Test func stagesAreAcceptedOrDeclined() throws {
        let mixture = try NoisyMixture(sampleRatio: 40, variance: 0.5, noiseRate: 0)
        let sample = try FiniteSimulation(mixture, dimensions: 60, trials: 1, seed: 5).sample(0)
        let set = try FeatureSet(
            name: "mixture", values: sample.features.doubles(), dimension: 60,
            labels: sample.labels.map { $0 > 0.5 ? 1 : 0 },
            split: (0..<2400).map { $0 % 3 == 0 ? .test : .train })
        let problem = try TwoClasses(set, pair: (0, 1))
        var own = FeatureExperiment(sizes: [200], noiseRates: [0, 0.4])
        (own.trials, own.stages, own.bias, own.oracle) = (3, 2, .carried, true)
        let cells = try own.run(problem)
        #expect(cells[0].trials.contains { $0.accepted == 0 })
        #expect(cells[1].trials.allSatisfy { $0.accepted > 0 })
        #expect(cells[1].gain(.auto).mean > 0.01)
        // The search on validation beside it is the one without an oracle, and chooses no better.
        own.oracle = false
        let honest = try own.run(problem)
        for (a, b) in zip(cells, honest) {
            #expect(a.onValidation?.trials.map(\.errors) == b.trials.map(\.errors))
            #expect(b.onValidation == nil && a.error(.hard).mean <= b.error(.hard).mean)
        }
    }

    /// Fits that count doubtful labels less, on the same draws: those of self-distillation stay what they are.
    @Test func otherArms() throws {
        var draw = Draw(seed: 7, .tests)
        let labels = (0..<900).map { $0 % 2 }
        let values = (0..<900 * 6).map { draw.normal() + ($0 / 6 % 2 == 0 ? 0.9 : -0.9) }
        let set = try FeatureSet(
            name: "g", values: values, dimension: 6, labels: labels,
            split: labels.indices.map { $0 < 500 ? .train : .test })
        let problem = try TwoClasses(set, pair: (0, 1))
        var own = FeatureExperiment(sizes: [120], noiseRates: [0.3])
        (own.trials, own.stages) = (2, 2)
        let without = try own.run(problem)
        own.others = [.centroids, .turn]
        #expect(own.arms == FeatureExperiment.Arm.allCases)
        for bias in [BiasRule.learnt, .carried, .fixed(0)] {
            own.bias = bias
            let cell = try own.run(problem)[0]
            for trial in cell.trials {
                #expect(trial.lambdas[.turn]?.count == 2 && trial.lambdas[.centroids]?.count == 1)
            }
            // H(0.9·√6) = .014 is the best there is.
            #expect(cell.error(.turn).mean < 0.1 && cell.error(.centroids).mean < 0.1, "\(bias)")
            guard bias == .learnt else { continue }
            for arm in FeatureExperiment.Arm.selfDistillation {
                #expect(cell.error(arm).mean == without[0].error(arm).mean)
            }
        }
        #expect(without[0].trials[0].errors[.turn] == nil)
    }

    /// Gaussian classes: flips are exact and the same seed gives the same numbers.
    @Test func experiment() throws {
        var draw = Draw(seed: 2, .tests)
        let count = 900
        var values: [Double] = []
        let labels = (0..<count).map { $0 % 2 }
        for i in 0..<count {
            for _ in 0..<20 { values.append(draw.normal() + (i % 2 == 0 ? 0.3 : -0.3)) }
        }
        let set = try FeatureSet(
            name: "g", values: values, dimension: 20, labels: labels,
            split: (0..<count).map { $0 < 400 ? .train : .test })
        let problem = try TwoClasses(set, pair: (0, 1))
        var own = FeatureExperiment(sizes: [60], noiseRates: [0, 0.4])
        own.trials = 2
        own.stages = 2
        let cells = try own.run(problem)
        #expect(cells.map(\.noiseRate) == [0, 0.4])
        // H(0.3·√20) = .09 is the best there is.
        #expect(cells[0].error(.plain).mean < 0.25)
        #expect(cells[1].error(.plain).mean > cells[0].error(.plain).mean)
        let again = try own.run(problem)
        #expect(again.map { $0.error(.soft).mean } == cells.map { $0.error(.soft).mean })
        // A declined stage leaves the arm where it was, an accepted one takes it along.
        for trial in cells.flatMap(\.trials) {
            let arms: [FeatureExperiment.Arm] = [.plain, .hard, .several]
            #expect(trial.errors[.auto] == trial.errors[arms[trial.accepted]])
            #expect(trial.tried.count == min(trial.accepted + 1, 2))
            #expect(trial.lambdas[.auto]?.count == trial.accepted + 1)
        }
        own.sizes = [400]
        #expect(failure { try own.run(problem) }.hasPrefix("sizes: value out of range: found 400"))
        own.sizes = [60]
        own.noiseRates = [0.5]
        #expect(
            failure { try own.run(problem) }
                == "theta: value out of range: found 0.5, expected 0 to below 0.5")
    }
}
