import Datasets
import Diagnostics
import Torch
import Training

extension FeatureSet {
    /// The pixels or table cells of a recipe's data, or what the last layer of a saved network sees
    /// of them: [n, d], standardised on the training split.
    ///
    /// Given labels are the recipe's noisy ones in the training and validation splits; those of the
    /// test are clean. `clean` is there where the data knows true labels.
    ///
    /// - Parameter model: `nil` takes the inputs themselves.
    public init(_ data: PreparedData, model: SavedModel?, source: String) throws {
        var parts: [(Dataset, [Int], Part)] = [
            (data.learning, data.split.train, .train),
            (data.learning, data.split.validation + data.metaValidation, .validation),
            (data.test, data.testMembers, .test),
        ]
        parts.removeAll { $0.1.isEmpty }
        var values: [Double] = []
        var labels: [Int] = []
        var clean: [Int] = []
        var split: [Part] = []
        var dimension = 0
        for (original, members, part) in parts {
            let set = try model?.fitted(original) ?? original
            guard model != nil || !set.isText else {
                throw Problem.pixelsOfText(set.name)
            }
            let rows = try Engine.checked {
                var batches: [Tensor] = []
                let samples = try EvaluationSet(
                    set, members: members,
                    normalisation: model?.card.normalisation ?? data.normalisation)
                samples.forEachBatch { inputs in
                    let x = model?.network.features(inputs) ?? inputs.contiguous().flattened()
                    batches.append(x.to(.float64))
                }
                return Tensor.concatenated(batches)
            }
            dimension = rows.shape[1]
            guard values.count + rows.count <= FeatureSet.mostValues else {
                throw Problem.badFeatures(
                    set.name, "features", "\(values.count + rows.count) values",
                    "at most \(FeatureSet.mostValues)")
            }
            values += rows.doubles()
            labels += members.map { set.labels[$0] }
            clean += members.map { set.clean?[$0] ?? set.labels[$0] }
            split += members.map { _ in part }
        }
        let all = try FeatureSet(
            name: source, values: values, dimension: dimension, labels: labels,
            clean: data.knowsClean ? clean : nil, split: split,
            classNames: data.learning.classNames, source: source)
        self = try all.standardised(on: all.members(.train))
    }
}
