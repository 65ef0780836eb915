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
            try SavedModel.checkFolder(path)
            try RunFolder(path).verify()
        }
        self.path = file
        let content = try SafeTensorsFile(path: file)
        card = try ModelCard(metadata: content.metadata, file: file)
        let model = try ModelRegistry.make(
            card.model, sampleShape: card.sampleShape, classes: card.classNames.count,
            weights: WeightsFile.finiteTensors(of: content), source: file)
        if card.sampleShape.count == 3 { model.toChannelsLast() }
        network = Frozen(model)
    }

    /// Says what a folder is that has no network to use, and what can be done with it.
    private static func checkFolder(_ folder: String) throws(Problem) {
        let has = { (name: String) in FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
        guard !has("model.safetensors") else { return }
        if has("run.json") { throw .runNotFinished(folder) }
        if has("phases") { throw .comparisonHasNoNetwork(folder) }
        throw .noNetworkInFolder(folder)
    }

    /// The samples as the network was trained on them: columns in its order.
    ///
    /// - Throws: for samples of another shape, or of other columns.
    public func fitted(_ data: Dataset) throws(Problem) -> Dataset {
        guard data.sampleShape == card.sampleShape else {
            throw Problem(
                .data, "the samples do not fit the network", at: .file(data.name),
                found: "shape \(data.sampleShape)", expected: "shape \(card.sampleShape) of \(path)"
            )
        }
        let order = try data.columnOrder(for: card.inputColumns, file: path)
        return order.map(data.reordered) ?? data
    }

    public func evaluate(
        _ data: Dataset, members: [Int]? = nil, precision: Precision = .float32
    ) throws -> Evaluation {
        let classes = try ClassMatch(
            data.classNames, among: card.classNames, whole: false, file: path)
        let data = try fitted(data)
        let members = members ?? Array(0..<data.count)
        let set = try EvaluationSet(
            data, members: members, labels: members.map { classes.places[data.labels[$0]] },
            normalisation: card.normalisation)
        return try checked(data.name) {
            try set.evaluate({ network($0) }, precision: precision)
        }
    }

    /// Class probabilities in row-major order [n, classes].
    public func probabilities(_ data: Dataset, precision: Precision = .float32) throws -> [Float] {
        let data = try fitted(data)
        let set = try EvaluationSet(
            data, members: Array(0..<data.count), normalisation: card.normalisation)
        return try checked(data.name) {
            try set.finite(set.logits({ network($0) }, precision: precision).softmax()).floats()
        }
    }

    /// The class of each sample, by its place in `card.classNames`.
    ///
    /// - Throws: as `probabilities`.
    public func predictions(_ data: Dataset, precision: Precision = .float32) throws -> [Int] {
        let probabilities = try probabilities(data, precision: precision)
        let classes = card.classNames.count
        return (0..<data.count).map { i in
            let row = probabilities[i * classes..<(i + 1) * classes]
            return row.indices.max { row[$0] < row[$1] }! - row.startIndex
        }
    }

    /// Outputs that are not finite, and what the engine refuses, become a problem that names the file: no
    /// class is told from them.
    func checked<Result>(
        _ data: String, _ body: () throws -> Result
    ) throws -> Result {
        do {
            return try Engine.checked(body)
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(sample: error.sample, of: data, file: path)
        } catch let error as EngineError {
            throw Problem(.internal, "the engine failed: \(error)", at: .file(path))
        }
    }
}
