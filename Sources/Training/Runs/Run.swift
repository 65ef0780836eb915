import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Torch
import Yams

/// One run of a recipe in a folder of its own that explains itself:
///
///     recipe.yaml        the recipe with every default written out
///     run.json           versions, threads, hashes of the data, sizes of the splits, realised noise
///     labels.csv         given and clean label of every training and validation sample
///     phases/            one folder per phase: metrics.jsonl, weights, result.json, checkpoints
///     samples.csv        per training sample: label, prediction, loss, confidence
///     model.safetensors  the run's result: the selected weights of its last phase
///     result.json        the scores
///     report.html        written by the program
public final class Run {
    public let recipe: Recipe
    public let folder: String
    public let compute: ComputeOptions
    public let data: PreparedData
    public let chain: [PhaseSpec]
    public let store: PhaseStore
    let environment: TrainingEnvironment

    /// Reads and splits the data and checks everything that can be checked before the first step.
    public init(
        _ recipe: Recipe, folder: String, compute: ComputeOptions,
        environment: TrainingEnvironment = .init(), dataFiles: DataFiles = .init()
    ) throws {
        self.recipe = recipe
        self.folder = folder
        self.compute = compute
        self.environment = environment
        data = try PreparedData(recipe.data, noise: recipe.noise, seed: recipe.seed, files: dataFiles)
        chain = try recipe.phases(dataHash: data.sha256, compute: compute) { try fileHash($0) }
        store = PhaseStore("\(folder)/phases", named: true)
        for spec in chain {
            try ModelRegistry.check(spec.model, sampleShape: data.sampleShape, classes: data.classCount)
        }
        try recipe.training.augmentation.check(sampleShape: data.sampleShape, name: data.learning.name)
    }

    /// Trains whatever of the run is not trained yet and writes its records.
    public func train() throws -> RunResult {
        try start()
        for spec in chain {
            _ = try store.complete(spec, chain: chain, data: data, environment: environment)
        }
        let result = RunResult(run: self)
        try finish(result)
        return result
    }

    /// Creates the folder, or checks that it belongs to this very run.
    private func start() throws(Problem) {
        let files = environment.files
        let facts = RunFacts(self)
        let path = "\(folder)/run.json"
        if FileManager.default.fileExists(atPath: path) {
            try facts.check(against: path, folder: folder)
        }
        try files.createDirectory(folder)
        try files.replace("\(folder)/recipe.yaml", with: Array(recipe.yaml.utf8))
        try data.noise.write(to: "\(folder)/labels.csv", using: files)
        try files.replace(path, with: json(facts))
    }

    private func finish(_ result: RunResult) throws {
        let files = environment.files
        let last = chain.last!
        let which: TeacherWeights = recipe.training.useAverage ? .averageSelected : .selected
        let weights = try readFile(store.weightsPath(last, which))
        try files.replace("\(folder)/model.safetensors", with: weights)
        try SampleRecords(self, weights: "\(folder)/model.safetensors").write(
            to: "\(folder)/samples.csv", using: files)
        try files.replace("\(folder)/result.json", with: json(result.scores))
    }
}

extension Recipe {
    /// The resolved recipe as YAML.
    public var yaml: String {
        let encoder = YAMLEncoder()
        encoder.options = .init(width: 100, allowUnicode: true)
        // Plain data: nothing in it can fail to encode.
        return try! encoder.encode(self)
    }
}

/// What a run reports; no clock in it.
public struct RunResult: Sendable {
    public struct Scores: Codable, Equatable, Sendable {
        public var name: String
        public var seed: UInt64
        public var phases: [PhaseResult]
        public var useAverage: Bool
    }

    public var scores: Scores
    public var seconds: Double
    public var noise: NoisyLabels

    public init(run: Run) {
        let phases = run.chain.compactMap(run.store.result)
        scores = Scores(
            name: run.recipe.name, seed: run.recipe.seed, phases: phases,
            useAverage: run.recipe.training.useAverage)
        seconds = run.chain.map(run.store.seconds).reduce(0, +)
        noise = run.data.noise
    }

    /// The last phase, read as the recipe says.
    public var readout: PhaseResult.Readout {
        scores.phases.last!.readout(average: scores.useAverage)
    }
}

/// The facts of `run.json`: what has to agree for a run to resume exactly, and what a reader of the
/// folder wants to know.
struct RunFacts: Codable, Equatable {
    var limbeck = limbeckVersion
    var compute: ComputeOptions
    var name: String
    var seed: UInt64
    var phaseKeys: [String]
    var dataName: String
    var dataHash: String
    var samples: [String: Int]
    var duplicates: Int
    var classNames: [String]
    var noiseKind: String
    var noiseIsCompatibilityMode: Bool
    var intendedNoiseRate: Double?
    var realisedNoiseRate: Double
    var realisedTransition: [[Double]]
    var labelsHash: String
    var warnings: [String]

    init(_ run: Run) {
        let data = run.data
        compute = run.compute
        name = run.recipe.name
        seed = run.recipe.seed
        phaseKeys = run.chain.map(\.key)
        dataName = data.learning.name
        dataHash = data.sha256
        samples = [
            "train": data.split.train.count, "validation": data.split.validation.count,
            "test": data.testMembers.count,
        ]
        duplicates = data.split.duplicates
        classNames = data.learning.classNames
        noiseKind = data.noise.noise.kind.rawValue
        noiseIsCompatibilityMode = data.noise.compatibility
        intendedNoiseRate = data.noise.intendedRate
        realisedNoiseRate = data.noise.realisedRate
        realisedTransition = data.noise.realisedTransition
        labelsHash = data.noise.sha256
        warnings = data.noise.warnings
    }

    /// Refuses to continue a run under anything that would change its result.
    func check(against path: String, folder: String) throws(Problem) {
        guard let old = try? JSONDecoder().decode(RunFacts.self, from: Data(try readFile(path))) else {
            throw .checkpointDamaged(path, "not the facts of a run")
        }
        func same(_ what: String, _ found: String, _ expected: String) throws(Problem) {
            guard found == expected else {
                throw .otherMachine(folder, what, found: found, expected: expected)
            }
        }
        try same("engine version", compute.engine, old.compute.engine)
        try same("vector instruction set", compute.capability, old.compute.capability)
        try same("thread count", "\(compute.threads)", "\(old.compute.threads)")
        try same("device", compute.device, old.compute.device)
        try same("precision", compute.precision.rawValue, old.compute.precision.rawValue)
        guard old.dataHash == dataHash else {
            throw .otherMachine(
                folder, "data", found: "sha256 \(dataHash.prefix(12))…",
                expected: "sha256 \(old.dataHash.prefix(12))…")
        }
        guard old.phaseKeys == phaseKeys else { throw .recipeChanged(folder) }
    }
}

/// The version of this package.
public let limbeckVersion = "0.1.0"
