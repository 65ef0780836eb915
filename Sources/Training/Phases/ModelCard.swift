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
        [ModelCard.metadataKey: String(decoding: JSON.line(self).dropLast(), as: UTF8.self)]
    }

    /// - Parameter file: the path, for the message.
    public init(metadata: [String: String], file: String) throws(Problem) {
        guard let text = metadata[ModelCard.metadataKey] else { throw .noCard(file) }
        guard text.utf8.count <= ModelCard.longest else {
            throw .badCard(file, "\(text.utf8.count) bytes", "at most \(ModelCard.longest) bytes")
        }
        do {
            self = try JSON.read(ModelCard.self, text.utf8)
        } catch let problem as Problem {
            throw problem.inCard(of: file)
        } catch {
            throw .badCard(file, nil, "network, shape, classes and normalisation as JSON")
        }
        try check(file)
    }

    /// Bytes of the JSON text: enough for the names of 100,000 classes.
    private static let longest = 1 << 24

    /// Refuses what no network of ours can have been trained on.
    private func check(_ file: String) throws(Problem) {
        do {
            try ModelRegistry.check(model, sampleShape: sampleShape, classes: classNames.count)
        } catch {
            throw error.inCard(of: file)
        }
        for name in classNames + (columns ?? []) {
            if let fault = NameRule.fault(in: name) {
                throw .badCard(file, "a name of \(fault)", NameRule.expected)
            }
        }
        guard Set(classNames).count == classNames.count else {
            throw .badCard(file, "a class name that occurs twice", "different names")
        }
        if let table {
            for column in table.columns {
                guard let fault = NameRule.fault(in: column.name) else { continue }
                throw .badCard(file, "a name of \(fault)", NameRule.expected)
            }
            let count = sampleShape.count == 2 ? 1 : sampleShape.reduce(1, *)
            guard table.inputs.count == count, Set(table.inputs).count == count else {
                throw .badCard(
                    file, "\(table.inputs.count) columns of inputs", "\(count), all different")
            }
        }
        guard normalisation.mean.count == sampleShape[0] else {
            throw .badCard(
                file, "\(normalisation.mean.count) means and stds",
                "\(sampleShape[0]), one per channel or column")
        }
    }
}

extension ModelCard {
    /// What a weights file says of itself; nil if it says nothing.
    init?(ifIn path: String) throws(Problem) {
        guard let card = try KnownFiles.shared.card(of: path) else { return nil }
        self = card
    }
}
