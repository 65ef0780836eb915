import Diagnostics
import Distillation
import Torch

/// The arms that do not distil: fits in which samples with doubtful labels count less.
extension FeatureExperiment.Bench {
    /// An arm's last fit, made once.
    ///
    /// - Parameter lambdas: λ of each of its fits: two of `turn`, one of `centroids`.
    mutating func weighed(
        _ arm: FeatureExperiment.Arm, _ lambdas: [Double]
    ) throws(Problem) -> Fitted {
        if let fit = knownOthers[arm]?[lambdas] { return fit }
        let weights: [Double]
        var held: Double?
        if case .fixed(let value) = bias { held = value }
        switch arm {
        case .turn:
            let split = try split(lambdas[0], bias: held)
            weights = split.weights
            if bias == .carried { held = split.bias }
        case .centroids: weights = try centroidWeights()
        default: preconditionFailure("\(arm) weighs no samples")
        }
        let fit = try LinearClassifier.fit(
            features: training, labels: labels, weights: weights,
            lambda: lambdas[lambdas.count - 1],
            bias: held, tolerance: 1e-6)
        let made = measured(fit)
        knownOthers[arm, default: [:]][lambdas] = made
        return made
    }

    private var classes: [Int] { labels.map { $0 > 0.5 ? 1 : 0 } }

    private mutating func split(
        _ lambda: Double, bias: Double?
    ) throws(Problem) -> (weights: [Double], bias: Double) {
        if let found = splits[lambda] { return found }
        let (fit, losses) = try SplitThenTune.generalised(
            features: training, labels: labels, lambda: lambda, bias: bias)
        let made = (
            weights: try SplitThenTune.weights(losses: losses, labels: classes),
            bias: fit.classifier.bias
        )
        splits[lambda] = made
        return made
    }

    private func centroidWeights() throws(Problem) -> [Double] {
        let classes = classes
        do {
            return try Engine.checked {
                proxyConfidence(
                    centroidDistances(training, labels: classes, classes: 2),
                    labels: Tensor(classes, [classes.count])
                ).doubles()
            }
        } catch {
            throw Problem(.internal, "the engine failed: \(error)")
        }
    }
}
