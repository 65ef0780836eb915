import Diagnostics
import Files
import Foundation
import Report

/// A finished run as its folder tells it: what reports are made of.
public struct RunRecord: Sendable {
    public var facts: RunFacts
    public var scores: RunResult.Scores
    /// Of each phase, in the order of the chain.
    public var metrics: [[EpochMetrics]]
    /// Of each phase, where it is known.
    public var timings: [PhaseTiming?] = []
    public var recipe: String
    /// Of each phase: what its objective has to show, without columns, which `samples.csv` has.
    public var sections: [[Section]] = []

    /// - Parameter isVerified: whether this process wrote the run itself, or compared its files with
    ///   their hashes before.
    public init(folder: String, isVerified: Bool = false) throws(Problem) {
        let there = RunFolder(folder)
        if !isVerified { try there.verify() }
        facts = try there.facts().value
        guard let scores = try there.scores() else { throw .notFinished(folder) }
        self.scores = scores
        recipe = try readText("\(folder)/recipe.yaml", limit: 1 << 20)
        metrics = []
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/phases")) ?? []
        for phase in scores.phases {
            guard isBelow(phase.name) else {
                throw .recordLeadsOut(folder, phase.name, .remakeRun(folder))
            }
            // The phase's position stands before its name.
            let name = names.first { $0.drop(while: \.isNumber) == "-\(phase.name)" } ?? phase.name
            let path = "\(folder)/phases/\(name)"
            let remedy = Remedy.remakeRun(folder)
            if !isVerified { try PhaseFolder.verify(path, remedy: remedy) }
            metrics.append(try EpochMetrics.read("\(path)/metrics.jsonl"))
            sections.append(try SectionFiles.read(path, remedy: remedy))
            timings.append(PhaseTiming(folder: path))
        }
    }
}

/// A finished comparison: the content of its `result.json`.
public struct ComparisonRecord: Codable, Sendable {
    public struct Noise: Codable, Sendable {
        public var kind: String
        public var rate: Double?
        /// Mean over the seeds; nil where no clean label is known.
        @OrNull public var realised: Double?
    }

    /// Of the first row and seed.
    public var facts: RunFacts
    public var rows: [String]
    public var seeds: [UInt64]
    public var noises: [Noise]
    /// Those that have a result.
    public var cells: [Comparison.Cell]
    /// What could not be trained: cells, and settings of a search.
    public var failures: [Comparison.Failure]
    /// Rows that learn from clean labels beside others that do not.
    public var ceilings: [String]?

    public init(
        facts: RunFacts, rows: [String], seeds: [UInt64], noises: [Noise],
        cells: [Comparison.Cell], failures: [Comparison.Failure] = [], ceilings: [String] = []
    ) {
        self.ceilings = ceilings.isEmpty ? nil : ceilings
        self.facts = facts
        self.rows = rows
        self.seeds = seeds
        self.noises = noises
        self.cells = cells
        self.failures = failures
    }

    public init(folder: String) throws(Problem) {
        let record: Recorded<ComparisonRecord> = try SealedRecord.read(
            "\(folder)/result.json", limit: 1 << 30, remedy: .compareAgain)
        try verify(record.files, in: folder, remedy: .compareAgain)
        self = record.value
    }

    /// The cells of one row at one noise, in the order of the seeds.
    public func cells(row: String, noise: Int) -> [Comparison.Cell] {
        seeds.compactMap { seed in
            cells.first { $0.row == row && $0.noise == noise && $0.seed == seed }
        }
    }

    /// The seeds at which one row has no result at one noise, and why.
    public func failures(row: String, noise: Int) -> [Comparison.Failure] {
        failures.filter { $0.isCell && $0.row == row && $0.noise == noise }
    }
}
