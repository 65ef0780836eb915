import Diagnostics
import Files
import Foundation
import Models
import SafeTensors
import Synchronization
import Torch

/// The finished and unfinished phases below one folder, by key.
///
/// A phase is complete when its `result.json` is there and names its key: it is then never trained
/// again, whichever run asks for it. Before it is believed, its files are compared with the hashes that
/// the record has of them, once per store.
public struct PhaseStore: Sendable {
    public let folder: String
    /// Folder names start with position and name where one run owns the store, so that people find
    /// their way; in the shared store of a comparison the key alone counts.
    public let named: Bool
    private let verified = Verified()

    public init(_ folder: String, named: Bool) {
        self.folder = folder
        self.named = named
    }

    public func path(_ spec: PhaseSpec) -> String {
        named ? "\(folder)/\(spec.index)-\(spec.name)" : "\(folder)/\(spec.key)"
    }

    /// The result of a complete phase, or nil.
    ///
    /// - Throws: if a file of the phase is damaged, or the phase is another one.
    public func result(_ spec: PhaseSpec) throws(Problem) -> PhaseResult? {
        if let result = verified[spec.key] { return result }
        guard let result = try PhaseFolder.verified(path(spec), remedy: .remake) else { return nil }
        guard result.key == spec.key else { throw .phaseChanged("\(path(spec))/result.json") }
        verified[spec.key] = result
        return result
    }

    /// The same; a damaged phase is removed where the user asked for that, and is then not complete.
    func result(
        _ spec: PhaseSpec, in environment: TrainingEnvironment
    ) throws(Problem) -> PhaseResult? {
        do {
            return try result(spec)
        } catch {
            guard environment.remake, error.isDamage else { throw error }
            try environment.files.remove(path(spec))
            return nil
        }
    }

    /// The epochs of a phase so far.
    public func metrics(_ spec: PhaseSpec) -> [EpochMetrics] {
        (try? EpochMetrics.read("\(path(spec))/metrics.jsonl")) ?? []
    }

    /// Nil where nothing that can be read says it.
    public func seconds(_ spec: PhaseSpec) -> Double? {
        PhaseTiming(folder: path(spec))?.seconds
    }

    /// The weights of a finished phase.
    public func weightsPath(_ spec: PhaseSpec, _ which: TeacherWeights) -> String {
        "\(path(spec))/\(which.rawValue).safetensors"
    }

    /// Removes what a process leaves behind that was killed between the result and its end.
    func tidy(_ spec: PhaseSpec, using files: any FileSystem) throws(Problem) {
        let checkpoints = "\(path(spec))/checkpoints"
        if FileManager.default.fileExists(atPath: checkpoints) { try files.remove(checkpoints) }
    }

    /// Trains `spec` unless it is complete. `chain` holds the phases that it may ask for.
    public func complete(
        _ spec: PhaseSpec, chain: [PhaseSpec], data: PreparedData, environment: TrainingEnvironment
    ) throws -> PhaseResult {
        if let result = try result(spec, in: environment) {
            try tidy(spec, using: environment.files)
            environment.observe(.finished(spec, result, seconds: seconds(spec) ?? 0, reused: true))
            return result
        }
        // Results are those of this thread count, which the phase's key names.
        Engine.threads = spec.compute.threads
        let began = environment.clock()
        let (trainer, result) = try inPhase(spec) {
            let trainer = try prepared(
                spec, chain: chain, data: data, folder: path(spec), environment: environment)
            return (trainer, try trainer.run())
        }
        verified[spec.key] = result
        // Apart from the result, so that equal runs leave equal bytes.
        let timing = PhaseTiming(
            seconds: environment.clock() - began + trainer.earlierSeconds,
            epochs: trainer.epochSeconds)
        try environment.files.replace("\(path(spec))/timing.json", with: JSON.file(timing))
        return result
    }

    /// A trainer that goes on from the newest checkpoint of `folder`; a damaged one is removed where the
    /// user asked for that.
    func prepared(
        _ spec: PhaseSpec, chain: [PhaseSpec], data: PreparedData, folder: String,
        environment: TrainingEnvironment
    ) throws -> PhaseTrainer {
        let former = try spec.target.base.mustGainOn.flatMap { source in
            try chain.first { $0.key == source.phaseKey }.flatMap { phase in
                try result(phase).map {
                    FormerPhase(name: phase.name, source: source, result: $0, folder: path(phase))
                }
            }
        }
        func trainer() throws -> PhaseTrainer {
            try Engine.checked {
                try PhaseTrainer(
                    spec, data: data, folder: folder, environment: environment, former: former
                ) {
                    try weights($0, chain: chain, data: data)
                }
            }
        }
        let first = try trainer()
        do {
            try first.prepare()
            return first
        } catch let problem as Problem where environment.remake && problem.isDamage {
            try environment.files.remove(folder)
            let second = try trainer()
            try second.prepare()
            return second
        }
    }

    /// Whatever of the engine or of a network's outputs goes wrong names the phase.
    func inPhase<Result>(_ spec: PhaseSpec, _ body: () throws -> Result) throws -> Result {
        do {
            return try Engine.checked(body)
        } catch let error as EngineError {
            throw Problem.engine(error, phase: spec.name)
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(sample: error.sample, phase: spec.name)
        }
    }

    func weights(
        _ source: WeightSource, chain: [PhaseSpec], data: PreparedData
    ) throws -> (ModelSpec, [String: Tensor]) {
        func spec(_ key: String) -> PhaseSpec {
            guard let spec = chain.first(where: { $0.key == key }) else {
                preconditionFailure("a phase asks for one that is not in its chain")
            }
            return spec
        }
        switch source {
        case .phase(let key, let which):
            let file = try SafeTensorsFile(path: weightsPath(spec(key), which))
            return (spec(key).model, try WeightsFile.tensors(of: file))
        case .epoch(let key, let epoch):
            let file = try SafeTensorsFile(path: "\(path(spec(key)))/epoch-\(epoch).safetensors")
            return (spec(key).model, try WeightsFile.tensors(of: file))
        case .file(let path, _, let model):
            return (model, try WeightsFile.finiteTensors(of: SafeTensorsFile(path: path)))
        case .untrained(let model, let seed):
            let network = try ModelRegistry.make(
                model, sampleShape: data.sampleShape, classes: data.classCount, seed: seed)
            return (
                model, Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.tensor) })
            )
        }
    }
}

/// What a phase took: the content of its `timing.json`.
public struct PhaseTiming: Codable, Equatable, Sendable {
    public var seconds: Double
    /// Seconds from the beginning of the phase to the end of each epoch, evaluations between counted
    /// in; empty or nil where epochs are not measured.
    public var epochs: [Double]?

    init(seconds: Double, epochs: [Double]) {
        self.seconds = seconds
        self.epochs = epochs
    }

    /// Nil if the folder has none that can be read.
    init?(folder: String) {
        guard let bytes = try? readFile("\(folder)/timing.json", limit: 1 << 24),
            let read = try? JSON.read(PhaseTiming.self, bytes)
        else { return nil }
        // Anybody may edit it, for no hash is kept of it: what cannot be a time is unknown.
        guard ([read.seconds] + (read.epochs ?? [])).allSatisfy({ (0...1e10).contains($0) }) else {
            return nil
        }
        self = read
    }
}

/// Results whose files were compared with their hashes, or were written by this process.
private final class Verified: Sendable {
    private let results = Mutex<[String: PhaseResult]>([:])

    subscript(key: String) -> PhaseResult? {
        get { results.withLock { $0[key] } }
        set { results.withLock { $0[key] = newValue } }
    }
}
