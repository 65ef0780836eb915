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
///     samples.csv        per training and validation sample: label, prediction, loss, confidence, and
///                        the columns of its phases' sections
///     model.safetensors  the run's result: the selected weights of its last phase
///     peer-1.safetensors, …   those of each peer, where several networks learnt; model is the best
///                        of them on the validation split
///     judged.safetensors, dynamics.safetensors   what it says of single samples, where that is asked for
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
        let recipe = try recipe.method.base.completed(recipe)
        self.recipe = recipe
        self.folder = folder
        self.compute = compute
        self.environment = environment
        data = try PreparedData(recipe, files: dataFiles)
        chain = try recipe.phases(
            dataHash: data.identity, samplesHash: data.samplesIdentity, compute: compute
        ) { try KnownFiles.shared.hash(of: $0) }
        store = PhaseStore("\(folder)/phases", named: true)
        try recipe.check(chain, data)
    }

    /// Trains whatever of the run is not trained yet and writes its records.
    ///
    /// - Parameter continues: whether a run that the folder holds already is gone on with.
    /// - Throws: also if another process writes into the folder, or it holds anything else.
    public func train(continues: Bool = true) throws -> RunResult {
        let claim = try FolderClaim(
            folder, for: .run, continues: continues, using: environment.files)
        defer { claim.release() }
        try start()
        for spec in chain {
            _ = try store.complete(spec, chain: chain, data: data, environment: environment)
        }
        Engine.threads = compute.threads
        let result = try RunResult(run: self)
        try finish(result)
        return result
    }

    private var facts: RunFacts {
        RunFacts(compute: compute, name: recipe.name, seed: recipe.seed, chain: chain, data: data)
    }

    /// Throws if the folder is there and belongs to another run than this very one, or if a file of it
    /// is damaged; where the user asked to make damaged files again, only for another run.
    public func checkFolder() throws(Problem) {
        let there = RunFolder(folder, training: true)
        guard there.exists else { return }
        var old: RunFacts?
        do {
            old = try there.verifyBeginning()
            try there.verifyEnd()
        } catch {
            guard environment.remake, error.isDamage else { throw error }
            old = try? old ?? there.facts().value
        }
        if let old { try facts.check(against: old, in: folder) }
    }

    private func start() throws(Problem) {
        let files = environment.files
        try checkFolder()
        try files.replace("\(folder)/recipe.yaml", with: Array(recipe.yaml.utf8))
        var names = ["recipe.yaml"]
        if !data.isPlaceholder {
            try data.noise.write(to: "\(folder)/labels.csv", using: files)
            names.append("labels.csv")
        }
        let record = Recorded(facts, files: try hashes(of: names, in: folder))
        try files.replace("\(folder)/run.json", with: SealedRecord.encoded(record))
    }

    private func finish(_ result: RunResult) throws {
        let files = environment.files
        // What is there is of an earlier process; while it is replaced, the run has no end.
        try files.remove("\(folder)/result.json")
        var names = ["model.safetensors"]
        let last = chain.last!
        let which: TeacherWeights = recipe.training.useEMA ? .emaSelected : .selected
        let weights = try readFile(store.weightsPath(last, which))
        try files.replace("\(folder)/model.safetensors", with: weights)
        for peer in result.scores.phases.last?.peers?.each ?? [] {
            let path = "\(store.path(last))/\(peer.name)-\(which.rawValue).safetensors"
            try files.replace("\(folder)/\(peer.name).safetensors", with: try readFile(path))
            names.append("\(peer.name).safetensors")
        }
        if !data.isPlaceholder {
            try SampleRecords(self, weights: "\(folder)/model.safetensors").write(
                to: "\(folder)/samples.csv", using: files)
            names.append("samples.csv")
        }
        names += try writeSampleFiles()
        let record = Recorded(result.scores, files: try hashes(of: names, in: folder))
        try files.replace("\(folder)/result.json", with: SealedRecord.encoded(record))
    }
}

extension Recipe {
    /// Refuses networks, teachers' files and augmentation that do not fit the samples: before anything is
    /// written.
    func check(_ chain: [PhaseSpec], _ data: PreparedData) throws(Problem) {
        for spec in chain {
            for case .file(let path, _, _) in spec.sources {
                try ModelCard(ifIn: path)?.checkFits(data, file: path)
            }
            try spec.target.base.check(data)
            let traits = spec.traits
            guard data.weights == nil || traits.weighsSamples || !traits.learnsLabels else {
                throw .weightsOfOtherLosses(method: method.name)
            }
            for learner in spec.learners {
                try ModelRegistry.check(
                    learner.model, sampleShape: data.sampleShape, classes: data.classCount)
            }
        }
        do {
            try training.augmentation.check(sampleShape: data.sampleShape, name: data.learning.name)
        } catch {
            var problem = error
            if problem.place == nil {
                problem.place = .init(detail: ["training.augmentation.padding"])
            }
            throw problem
        }
    }

    /// The resolved recipe as YAML.
    public var yaml: String {
        // Plain data: nothing in it can fail to encode.
        try! Yams.serialize(node: NodeEncoder.node(of: self), width: 100, allowUnicode: true)
    }
}

/// What a run reports; no clock in it.
public struct RunResult: Sendable {
    public struct Scores: Codable, Equatable, Sendable {
        public var name: String
        public var seed: UInt64
        public var phases: [PhaseResult]
        public var useEMA: Bool
    }

    public var scores: Scores
    /// Of all phases; nil where that of one is not known.
    public var seconds: Double?
    public var noise: NoisyLabels

    public init(run: Run) throws(Problem) {
        var phases: [PhaseResult] = []
        for spec in run.chain {
            if let result = try run.store.result(spec) { phases.append(result) }
        }
        scores = Scores(
            name: run.recipe.name, seed: run.recipe.seed, phases: phases,
            useEMA: run.recipe.training.useEMA)
        let each = run.chain.compactMap(run.store.seconds)
        seconds = each.count == run.chain.count ? each.reduce(0, +) : nil
        noise = run.data.noise
    }

    /// The last phase, read as the recipe says.
    public var evaluations: PhaseResult.Evaluations {
        scores.phases.last!.evaluations(ema: scores.useEMA)
    }
}
