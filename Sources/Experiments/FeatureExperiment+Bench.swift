import Diagnostics
import Distillation
import Foundation
import Replica
import Torch

extension FeatureExperiment {
    /// One trial's samples, and the fits made so far.
    struct Bench {
        var training: Tensor
        let labels: [Double]
        var validation: Tensor
        let validationLabels: [Bool]
        var test: Tensor
        let testLabels: [Bool]
        let bias: BiasRule

        private struct Key: Hashable {
            var lambdas: [Double]
            var betas: [Double]
        }

        struct Fitted {
            var logits: [Double]
            var bias: Double
            /// Which samples of validation and test it gets right.
            var validation: Hits
            var test: Hits
        }

        struct Hits {
            var each: [Bool]
            var error: Double { Double(each.count { !$0 }) / Double(each.count) }
        }

        private var known: [Key: Fitted] = [:]
        /// By λ: what a split leaves of the samples, and the bias of the fit before it.
        var splits: [Double: (weights: [Double], bias: Double)] = [:]
        /// By λ of all fits of an arm that weighs samples.
        var knownOthers: [Arm: [[Double]: Fitted]] = [:]

        init(
            training: Tensor, labels: [Double], validation: Tensor, validationLabels: [Bool],
            test: Tensor, testLabels: [Bool], bias: BiasRule
        ) {
            self.training = training
            self.labels = labels
            self.validation = validation
            self.validationLabels = validationLabels
            self.test = test
            self.testLabels = testLabels
            self.bias = bias
        }

        /// With fewer samples than features the weights lie in the span of the samples, w = Aᵀc, and the
        /// rows of L with LLᵀ = AAᵀ are as good as those of A, and shorter: same logits, same |w|.
        mutating func compress() throws(Problem) {
            let m = training.shape[0]
            guard m < training.shape[1] else { return }
            let a = training
            do {
                (training, validation, test) = try Engine.checked {
                    withoutGradient {
                        // A trace of the identity: standardised rows are dependent.
                        let gram = a.matmul(a.transposed())
                        let index = Tensor.arange(m)
                        let eye = index.unsqueezed(1).equal(index.unsqueezed(0)).to(.float64)
                        let ridge = gram + eye * (1e-9 * (gram * eye).sum().item)
                        let l = Tensor(Self.cholesky(ridge.doubles(), m), [m, m])
                        func mapped(_ rows: Tensor) -> Tensor {
                            let inner = a.matmul(rows.transposed())
                            return ridge.choleskySolve(inner).transposed().matmul(l)
                        }
                        return (l, mapped(validation), mapped(test))
                    }
                }
            } catch {
                throw Problem(.internal, "the engine failed: \(error)")
            }
        }

        /// The lower factor of a positive definite matrix, row-major.
        static func cholesky(_ matrix: [Double], _ n: Int) -> [Double] {
            var l = [Double](repeating: 0, count: n * n)
            l.withUnsafeMutableBufferPointer { l in
                matrix.withUnsafeBufferPointer { a in
                    for i in 0..<n {
                        for j in 0...i {
                            var sum = a[i * n + j]
                            for k in 0..<j { sum -= l[i * n + k] * l[j * n + k] }
                            l[i * n + j] =
                                i == j ? max(sum, 1e-300).squareRoot() : sum / l[j * n + j]
                        }
                    }
                }
            }
            return l
        }

        /// The stage that ends this chain of λ and β, fitted once.
        private mutating func fitted(_ lambdas: [Double], _ betas: [Double]) throws(Problem)
            -> Fitted
        {
            let key = Key(lambdas: lambdas, betas: betas)
            if let fit = known[key] { return fit }
            var targets = labels
            var held: Double?
            if case .fixed(let value) = bias { held = value }
            if let beta = betas.last {
                let before = try fitted(Array(lambdas.dropLast()), Array(betas.dropLast()))
                targets = before.logits.map { pseudoLabel($0, beta, .crossEntropy) }
                if bias == .carried { held = before.bias }
            }
            let fit = try LinearClassifier.fit(
                features: training, labels: targets, lambda: lambdas[lambdas.count - 1],
                bias: held, tolerance: 1e-6)
            let made = measured(fit)
            known[key] = made
            return made
        }

        func measured(_ fit: LinearClassifier.Fit) -> Fitted {
            func hits(_ rows: Tensor, _ truth: [Bool]) -> Hits {
                let u = fit.classifier.logits(rows).doubles()
                return Hits(each: zip(u, truth).map { ($0 > 0) == $1 })
            }
            return Fitted(
                logits: fit.logits, bias: fit.classifier.bias,
                validation: hits(validation, validationLabels), test: hits(test, testLabels))
        }

        /// Ties go to the larger λ, the simpler classifier.
        ///
        /// - Parameters:
        ///   - onTest: search on the test labels instead of validation.
        ///   - others: arms beside those of self-distillation.
        mutating func search(
            stages: Int, onTest: Bool = false, others: [Arm] = []
        ) throws(Problem) -> Trial {
            func seen(_ fit: Fitted) -> Hits { onTest ? fit.test : fit.validation }
            let grid = FeatureExperiment.lambdas
            func best<Value>(
                _ values: [Value], _ score: (Value) throws(Problem) -> Double
            ) throws(Problem) -> Value {
                var least = Double.infinity
                var found = values[0]
                for value in values {
                    let own = try score(value)
                    if own <= least { (least, found) = (own, value) }
                }
                return found
            }
            let plain = try best(grid) { (l) throws(Problem) in seen(try fitted([l], [])).error }
            // Hard labels: both stages' λ together, as in the paper's search.
            let hard = try best(grid.flatMap { first in grid.map { [first, $0] } }) {
                (pair) throws(Problem) in seen(try fitted(pair, [.infinity])).error
            }
            // Soft labels: β, then the second stage's λ.
            let count = Double(labels.count)
            var soft = hard
            func beta(_ kappa: Double) -> Double { 4 * kappa * max(soft[0], 1) / count }
            let kappa = try best(FeatureExperiment.kappas + [.infinity]) { (k) throws(Problem) in
                seen(try fitted(soft, [beta(k)])).error
            }
            soft[1] = try best(grid) { (l) throws(Problem) in
                seen(try fitted([soft[0], l], [beta(kappa)])).error
            }
            let several = hard + Array(repeating: hard[1], count: stages - 1)
            let steep = Array(repeating: Double.infinity, count: stages)
            var kept = try fitted([plain], [])
            var tried: [StageGain] = []
            for k in 1...stages {
                let next = try fitted(Array(several[...k]), Array(steep[..<k]))
                tried.append(StageGain(before: seen(kept).each, after: seen(next).each))
                guard tried[k - 1].isAccepted else { break }
                kept = next
            }
            var trial = Trial(
                errors: [
                    .plain: try fitted([plain], []).test.error,
                    .hard: try fitted(hard, [.infinity]).test.error,
                    .soft: try fitted(soft, [beta(kappa)]).test.error,
                    .several: try fitted(several, steep).test.error,
                    .auto: kept.test.error,
                ],
                lambdas: [
                    .plain: [plain], .hard: hard, .soft: soft, .several: several,
                    .auto: tried[0].isAccepted
                        ? Array(several[...tried.count { $0.isAccepted }]) : [plain],
                ], tried: tried)
            for arm in Arm.others where others.contains(arm) {
                let candidates =
                    arm == .turn
                    ? grid.flatMap { first in grid.map { [first, $0] } } : grid.map { [$0] }
                let own = try best(candidates) { (lambdas) throws(Problem) in
                    seen(try weighed(arm, lambdas)).error
                }
                trial.errors[arm] = try weighed(arm, own).test.error
                trial.lambdas[arm] = own
            }
            return trial
        }
    }
}
