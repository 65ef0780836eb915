import Datasets
import Diagnostics
import Files
import Foundation
import Training

/// Where an exported network comes from: what the files say of its run.
public struct Provenance: Sendable {
    /// Name and seed of the run.
    public var run: String
    public var dataName: String
    /// SHA-256 of the resolved recipe.
    public var recipeHash: String
    /// Of the training labels; nil where it is not known.
    public var realisedNoise: Double?
    /// Of the exported weights; the labels of the validation split are the given ones.
    public var validation: Evaluation
    public var test: Evaluation
    /// False of scores that are none of a classifier.
    public var isClassifier: Bool
    public var method: String

    /// - Parameter folder: of a finished run.
    public init(run folder: String) throws(Problem) {
        let record = try RunRecord(folder: folder, isVerified: true)
        run = "\(record.facts.name), seed \(record.facts.seed)"
        dataName = record.facts.dataName
        recipeHash = SHA256.hex(of: record.recipe.utf8)
        realisedNoise = record.facts.realisedNoiseRate
        // Which phase's weights a run takes where stages are declined, its own rule says.
        let phase = record.scores.phases.last!
        let scores = phase.evaluations(ema: record.scores.useEMA).selected
        (validation, test) = (scores.validation, scores.test)
        isClassifier = phase.metric.isShown
        let recipe = try RecipeFile(path: "\(folder)/recipe.yaml").decoded(Recipe.self)
        method = recipe.method.name
    }

    /// Of a run folder; nil for a weights file.
    public init?(ifRun path: String) throws(Problem) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return nil }
        try self.init(run: path)
    }
}

/// Samples that an export is compared on, and their labels.
public struct ExportSamples {
    public var data: Dataset
    public var members: [Int]

    /// The validation split of a run's own data.
    public init(validationOf folder: String) throws {
        let file = try RecipeFile(path: "\(folder)/recipe.yaml")
        let prepared = try PreparedData(file.decoded(Recipe.self))
        self.init(data: prepared.learning, members: prepared.split.validation)
    }

    public init(data: Dataset, members: [Int]) {
        self.data = data
        self.members = members
    }
}
