import Datasets
import Diagnostics
import Foundation
import Models

/// What a weights file says about itself, so that it can be used without its run: network, shape
/// of a sample, classes, and the normalisation its inputs need.
public struct ModelCard: Codable, Equatable, Sendable {
    public var model: ModelSpec
    public var sampleShape: [Int]
    public var classNames: [String]
    public var normalisation: Normalisation
    /// Names of the feature columns, for tables; of the one with the texts, for texts.
    public var columns: [String]?
    /// How the table was read that the network was trained on; nil for other kinds of data.
    public var table: TableLayout?

    static let metadataKey = "limbeck"

    /// For weights that were trained elsewhere.
    public init(
        model: ModelSpec, sampleShape: [Int], classNames: [String], normalisation: Normalisation
    ) {
        self.model = model
        self.sampleShape = sampleShape
        self.classNames = classNames
        self.normalisation = normalisation
        columns = nil
        table = nil
    }

    init(model: ModelSpec, data: PreparedData) {
        self.model = model
        sampleShape = data.sampleShape
        classNames = data.learning.classNames
        normalisation = data.normalisation
        columns = data.learning.columns
        table = data.learning.layout
    }

    /// For the metadata of a safetensors file, which holds strings only.
    public var metadata: [String: String] {
        [ModelCard.metadataKey: String(decoding: jsonLine(self).dropLast(), as: UTF8.self)]
    }

    /// - Parameter file: the path, for the message.
    public init(metadata: [String: String], file: String) throws(Problem) {
        guard let text = metadata[ModelCard.metadataKey],
            let card = try? JSONDecoder().decode(ModelCard.self, from: Data(text.utf8))
        else {
            throw Problem(
                .data, "the weights do not say what network they are",
                at: .file(file, "__metadata__"),
                expected: "weights that limbeck saved")
        }
        self = card
    }
}
