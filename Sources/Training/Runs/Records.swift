import Diagnostics
import Files
import Foundation

/// A finished run as its folder tells it: what reports are made of.
public struct RunRecord: Sendable {
    public var facts: RunFacts
    public var scores: RunResult.Scores
    /// Of each phase, in the order of the chain.
    public var metrics: [[EpochMetrics]]
    /// Of each phase, where it is known.
    public var timings: [PhaseTiming?] = []
    public var recipe: String
    /// Where a phase made its own samples.
    public var pool: SyntheticPool?

    public init(folder: String) throws(Problem) {
        pool = try? SyntheticPool(run: folder)
        facts = try decoded("\(folder)/run.json")
        scores = try decoded("\(folder)/result.json")
        recipe = String(
            decoding: try readFile("\(folder)/recipe.yaml", limit: 1 << 20), as: UTF8.self)
        metrics = []
        for phase in scores.phases {
            let names =
                (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/phases")) ?? []
            let name = names.first { $0.hasSuffix("-\(phase.name)") } ?? phase.name
            let bytes = try readFile("\(folder)/phases/\(name)/metrics.jsonl", limit: 256 << 20)
            metrics.append(
                bytes.split(separator: 10).compactMap {
                    try? jsonDecoder().decode(EpochMetrics.self, from: Data($0))
                })
            timings.append(PhaseTiming(folder: "\(folder)/phases/\(name)"))
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
    public var cells: [Comparison.Cell]

    public init(
        facts: RunFacts, rows: [String], seeds: [UInt64], noises: [Noise], cells: [Comparison.Cell]
    ) {
        self.facts = facts
        self.rows = rows
        self.seeds = seeds
        self.noises = noises
        self.cells = cells
    }

    public init(folder: String) throws(Problem) {
        self = try decoded("\(folder)/result.json")
    }

    /// The cells of one row at one noise, in the order of the seeds.
    public func cells(row: String, noise: Int) -> [Comparison.Cell] {
        seeds.compactMap { seed in
            cells.first { $0.row == row && $0.noise == noise && $0.seed == seed }
        }
    }
}

private func decoded<Value: Decodable>(_ path: String) throws(Problem) -> Value {
    let bytes = try readFile(path, limit: 1 << 30)
    guard let value = try? jsonDecoder().decode(Value.self, from: Data(bytes)) else {
        throw Problem(
            .data, "not a record of this program", at: .file(path),
            hint: "is the run finished, and of this version?")
    }
    return value
}
