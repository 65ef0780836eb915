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
        if !data.heldOut.isEmpty { samples["held-out"] = data.heldOut.count }
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
        self = try RunFolder(folder, training: true).facts().value
    }

    /// Refuses to continue a run under anything that would change its result.
    ///
    /// - Parameter old: of the run that `folder` holds.
    func check(against old: RunFacts, in folder: String) throws(Problem) {
        let (now, before) = (compute, old.compute)
        for (what, found, expected) in [
            ("engine version", now.engine, before.engine),
            ("vector instruction set", now.capability, before.capability),
        ] where found != expected {
            throw .otherEngine(folder, what, found: found, expected: expected)
        }
        for (what, found, expected, option) in [
            ("thread count", "\(now.threads)", "\(before.threads)", "--threads"),
            // The option has no index: `cuda:0` is its `cuda`.
            ("device", now.device, before.device, "--device"),
            ("precision", now.precision.rawValue, before.precision.rawValue, "--precision"),
        ] where found != expected {
            let word = expected.split(separator: ":").first ?? ""
            throw .otherSetting(
                folder, what, found: found, expected: expected, hint: "pass \(option) \(word)")
        }
        guard old.dataHash == dataHash else {
            throw .dataChanged(folder, found: dataHash, expected: old.dataHash)
        }
        guard old.phaseKeys == phaseKeys else { throw .recipeChanged(folder) }
    }
}

/// The version of this package.
public let limbeckVersion = "0.1.0"
