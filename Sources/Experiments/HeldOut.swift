import Diagnostics
import Distillation
import Foundation
import Randomness
import Replica
import Torch

/// Cross-validation of linear self-distillation beside the theory's prediction for as many samples.
struct HeldOut {
    private struct Fold {
        var training: Tensor
        var test: Tensor
        var given: [Double]
        var testGiven: [Bool]
        var testClean: [Bool]?
    }

    private var folds: [Fold] = []
    private let mixture: NoisyMixture
    private let estimate: MixtureEstimate

    init(
        features: Tensor, given: [Bool], clean: [Bool]?, whitens: Bool,
        estimate: MixtureEstimate, question: Advice.Question
    ) throws(Problem) {
        let m = given.count
        let count = question.folds
        var order = Array(0..<m)
        var draw = Draw(seed: question.seed, .split, epoch: 1)
        order.shuffle(using: &draw)
        // The theory's units: class means of norm 1, inputs over √N.
        let unit = 1 / (estimate.halfDistance * Double(features.shape[1]).squareRoot())
        for fold in 0..<count {
            let out = order.indices.filter { $0 % count == fold }.map { order[$0] }
            let rest = order.indices.filter { $0 % count != fold }.map { order[$0] }
            var training = features.indexed(0, by: Tensor(rest, [rest.count]))
            var test = features.indexed(0, by: Tensor(out, [out.count]))
            let labels = rest.map { given[$0] }
            guard labels.contains(true), labels.contains(false) else { continue }
            if whitens {
                // From the training part alone, or held-out labels would leak in.
                let map = try Whitening(features: training, labels: labels).map()
                (training, test) = (map(training), map(test))
            } else {
                let mean = training.mean(0, keep: true)
                (training, test) = (training - mean, test - mean)
            }
            folds.append(
                Fold(
                    training: training * unit, test: test * unit,
                    given: labels.map { $0 ? 1 : 0 }, testGiven: out.map { given[$0] },
                    testClean: clean.map { clean in out.map { clean[$0] } }))
        }
        self.estimate = estimate
        let own = estimate.mixture
        mixture = try NoisyMixture(
            sampleRatio: own.sampleRatio * Double(count - 1) / Double(count),
            variance: own.variance, noiseRate: own.noiseRate, positiveShare: own.positiveShare)
    }

    /// Every stage predicted and measured; and the distance of the last stage's margins.
    func compare(_ schedule: Schedule) throws(Problem) -> (
        points: [Advice.Point], distance: Double
    ) {
        let solution = try StateEvolution(mixture).solve(schedule)
        let stages = schedule.stages
        var errors = [[Double]](repeating: [], count: stages)
        var cleanErrors = errors
        var margins: [Double] = []
        for fold in folds {
            let trained = try LinearSelfDistillation.train(
                features: fold.training, labels: fold.given, schedule: schedule)
            for (k, stage) in trained.enumerated() {
                let u = stage.classifier.logits(fold.test).doubles()
                let count = Double(u.count)
                errors[k].append(
                    Double(zip(u, fold.testGiven).count { ($0 > 0) != $1 }) / count)
                if let clean = fold.testClean {
                    cleanErrors[k].append(Double(zip(u, clean).count { ($0 > 0) != $1 }) / count)
                }
                if k == stages - 1 {
                    let w = stage.classifier.weights.reduce(0) { $0 + $1 * $1 }
                    // √(ΔQ) with x/√N as input: Q = |w|²/N, Δ/N the variance of an input's coordinate.
                    let spread = (mixture.variance * w / Double(fold.test.shape[1])).squareRoot()
                    margins += u.map { $0 / max(spread, 1e-300) }
                }
            }
        }
        let theta = mixture.noiseRate
        var points: [Advice.Point] = []
        for k in 0..<stages {
            let error = solution.stages[k].error
            points.append(
                Advice.Point(
                    stage: k, lambda: schedule.lambdas[k],
                    predicted: theta + (1 - 2 * theta) * error,
                    measured: FiniteSimulation.Mean(errors[k]), predictedClean: error,
                    measuredClean: cleanErrors[k].isEmpty
                        ? nil : FiniteSimulation.Mean(cleanErrors[k])))
        }
        guard let last = solution.stages.last, last.q > 0 else { return (points, 1) }
        let spread = (mixture.variance * last.q).squareRoot()
        return (
            points,
            distance(
                margins, last.m / spread, last.bias / spread, mixture.positiveShare)
        )
    }

    /// Largest difference between the margins' distribution and ρN(b + d, 1) + (1 − ρ)N(b − d, 1).
    private func distance(_ values: [Double], _ d: Double, _ b: Double, _ rho: Double) -> Double {
        let sorted = values.sorted()
        let count = Double(max(1, sorted.count))
        var largest = 0.0
        for (i, z) in sorted.enumerated() {
            let theory =
                rho * Gaussian.tail(b + d - z) + (1 - rho) * Gaussian.tail(b - d - z)
            largest = max(
                largest, abs(theory - Double(i) / count), abs(theory - Double(i + 1) / count))
        }
        return largest
    }
}
