import Diagnostics
import Files
import Foundation

/// The facts of `run.json`: what has to agree for a run to resume exactly, and what a reader of the
/// folder wants to know.
public struct RunFacts: Codable, Equatable, Sendable {
    public var limbeck = limbeckVersion
    public var compute: ComputeOptions
    public var name: String
    public var seed: UInt64
    public var phaseKeys: [String]
    public var dataName: String
    public var dataHash: String
    public var samples: [String: Int]
    public var duplicates: Int
    public var classNames: [String]
    public var noiseKind: String
    public var noiseIsCompatibilityMode: Bool
    public var intendedNoiseRate: Double?
    /// Nil where no clean label is known; so is the matrix.
    @OrNull public var realisedNoiseRate: Double?
    @OrNull public var realisedTransition: [[Double]]?
    public var labelsHash: String
    public var warnings: [String]

    init(
        compute: ComputeOptions, name: String, seed: UInt64, chain: [PhaseSpec], data: PreparedData
    ) {
        self.compute = compute
        self.name = name
        self.seed = seed
        phaseKeys = chain.map(\.key)
        dataName = data.learning.name
        dataHash = data.sha256
        samples = [
            "train": data.split.train.count, "validation": data.split.validation.count,
            "test": data.testMembers.count,
        ]
        if data.isPlaceholder { samples = samples.mapValues { _ in 0 } }
        if !data.metaValidation.isEmpty { samples["meta-validation"] = data.metaValidation.count }
        duplicates = data.split.duplicates
        classNames = data.learning.classNames
        noiseKind = data.noise.noise.kind.rawValue
        noiseIsCompatibilityMode = data.noise.compatibility
        intendedNoiseRate = data.noise.intendedRate
        realisedNoiseRate = data.noise.realisedRate
        realisedTransition = data.noise.realisedTransition
        labelsHash = data.noise.sha256
        warnings = data.warnings
    }

    /// Those of a run's folder.
    public init(folder: String) throws(Problem) {
        let path = "\(folder)/run.json"
        guard let old = try? jsonDecoder().decode(RunFacts.self, from: Data(try readFile(path)))
        else {
            throw .checkpointDamaged(path, "not the facts of a run")
        }
        self = old
    }

    /// Refuses to continue a run under anything that would change its result.
    func check(against folder: String) throws(Problem) {
        let old = try RunFacts(folder: folder)
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
