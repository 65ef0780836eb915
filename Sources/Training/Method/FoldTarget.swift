import Datasets
import Diagnostics
import Distillation
import Torch

/// Cross-entropy on the training split but for one of its parts. The networks of all parts together predict
/// every training sample without having seen it.
///
/// The weights of the best epoch on the validation split count: later ones have memorised labels.
struct FoldTarget: PhaseTarget {
    static let name = "fold"
    /// Which part is left out, from 0.
    var fold: Int
    var folds: Int
    /// Of the recipe: which sample is in which part.
    var seed: UInt64

    var traits: PhaseTraits { PhaseTraits(isPart: true, weighsSamples: true) }

    func check(_ data: PreparedData) throws(Problem) {
        _ = try Folds(data.learning, members: data.split.train, count: folds, seed: seed)
    }

    func prepared(_ data: PreparedData) throws(Problem) -> PreparedData {
        let parts = try Folds(
            data.learning, members: data.split.train, count: folds, seed: seed
        ).parts
        var data = data
        data.split.train = parts.indices.filter { $0 != fold }.flatMap { parts[$0] }.sorted()
        return data
    }

    func stepsPerEpoch(samples: Int, batch: Int) -> Int {
        (samples - samples / folds + batch - 1) / batch
    }

    func objective(_ phase: PhaseContext) throws -> any Objective { CrossEntropyObjective() }
}

extension PhasePlanner {
    /// One phase for each part of the training split, which leaves it out. Rows of a comparison that agree in
    /// data, network and training share them: all have the index of a first phase.
    public func folds(_ count: Int) -> LossEstimation {
        let phases = (0..<count).map { fold in
            phase(
                "fold-\(fold + 1)", 0, FoldTarget(fold: fold, folds: count, seed: recipe.seed),
                isGuided: false)
        }
        return LossEstimation(
            phases: phases, networks: phases.map { .phase(key: $0.key, .selected) })
    }
}

extension PhaseContext {
    /// Logits of the training samples by networks that did not see them, in the order of their rows
    /// [rows × classes].
    ///
    /// - Parameter networks: of `PhasePlanner.folds`, in order.
    public func outOfSampleLogits(_ networks: [WeightSource]) throws -> [Double] {
        let parts = try Folds(
            data.learning, members: data.split.train, count: networks.count, seed: spec.seed
        ).parts
        var rowOfMember = [Int](repeating: -1, count: data.learning.count)
        for (row, member) in data.split.train.enumerated() { rowOfMember[member] = row }
        var logits = [Double](repeating: 0, count: rows * classes)
        for (source, members) in zip(networks, parts) {
            let network = try frozen(source)
            let set = try EvaluationSet(
                data.learning, members: members, normalisation: data.normalisation, device: device)
            let values = try Engine.checked {
                try set.finite(set.logits({ network($0) }, precision: spec.compute.precision))
                    .doubles()
            }
            for (place, member) in members.enumerated() {
                let start = rowOfMember[member] * classes
                for k in 0..<classes { logits[start + k] = values[place * classes + k] }
            }
        }
        return logits
    }

    /// Rate and transition matrix of the first learner's given labels.
    ///
    /// - Parameters:
    ///   - networks: of `PhasePlanner.folds`, in order.
    ///   - key: of the recipe, for messages.
    /// - Throws: where the networks predict given labels no better than chance would.
    func noiseEstimate(from networks: [WeightSource], for key: String) throws -> NoiseEstimate {
        let data = try OutOfSample(
            logProbabilities: outOfSampleLogits(networks), labels: givenLabels, classes: classes)
        guard data.skill.map({ $0 >= 3 }) ?? true else { throw Problem.foldsLearntNothing(key) }
        return NoiseEstimate(data)
    }
}

extension Problem {
    fileprivate static func foldsLearntNothing(_ key: String) -> Problem {
        Problem(
            .data, "label noise cannot be estimated", at: .init(detail: [key]),
            found:
                "networks that predict the labels of samples they did not see no better than chance",
            expected: "networks that have learnt something",
            hint: "more epochs, or name the rate")
    }
}
