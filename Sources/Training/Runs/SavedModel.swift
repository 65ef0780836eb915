import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import SafeTensors
import Torch

/// A network from a weights file of Limbeck, ready to be used: what `evaluate` and `predict` run.
public final class SavedModel {
    public let card: ModelCard
    public let network: Frozen
    private let path: String

    /// - Parameter path: a `.safetensors` file that Limbeck wrote, or a run folder (its result).
    public init(path: String) throws(Problem) {
        var isFolder: ObjCBool = false
        var file = path
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            file = "\(path)/model.safetensors"
        }
        self.path = file
        let content = try SafeTensorsFile(path: file)
        card = try ModelCard(metadata: content.metadata, file: file)
        let model = try ModelRegistry.make(
            card.model, sampleShape: card.sampleShape, classes: card.classNames.count, seed: 0)
        try model.loadState(from: WeightsFile.tensors(of: content), source: file)
        if card.sampleShape.count == 3 { model.toChannelsLast() }
        network = Frozen(model)
    }

    /// Refuses samples of another shape than the network was trained on.
    public func check(_ data: Dataset) throws(Problem) {
        guard data.sampleShape == card.sampleShape else {
            throw Problem(
                .data, "the samples do not fit the network", at: .file(data.name),
                found: "shape \(data.sampleShape)", expected: "shape \(card.sampleShape) of \(path)"
            )
        }
        if case .table(_, let columns) = data.features, let own = card.columns, columns != own {
            let different = zip(columns, own).first { $0 != $1 }
            throw Problem(
                .data, "the columns are not those of training", at: .file(data.name),
                found: different.map { "\"\(Problem.oneLine($0.0, limit: 40))\"" },
                expected: different.map { "\"\(Problem.oneLine($0.1, limit: 40))\"" })
        }
    }

    public func evaluate(
        _ data: Dataset, members: [Int]? = nil, precision: Precision = .float32
    ) throws -> Evaluation {
        try check(data)
        guard data.classCount <= card.classNames.count else {
            throw Problem.labelsLost(data.name, data.classCount, card.classNames.count)
        }
        let set = try EvaluationSet(
            data, members: members ?? Array(0..<data.count), normalisation: card.normalisation)
        return try set.evaluate({ network($0) }, precision: precision)
    }

    /// Class probabilities in row-major order [n, classes].
    public func probabilities(_ data: Dataset, precision: Precision = .float32) throws -> [Float] {
        try check(data)
        let set = try EvaluationSet(
            data, members: Array(0..<data.count), normalisation: card.normalisation)
        return try Engine.checked {
            set.logits({ network($0) }, precision: precision).softmax().floats()
        }
    }
}
