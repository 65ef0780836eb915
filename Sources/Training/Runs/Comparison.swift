import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Synchronization
import Torch

/// Rows × label noise × seeds, with every phase that several of them share trained once.
///
///     recipe.yaml    the rows as they were resolved
///     phases/KEY/    every phase that was trained
///     result.json    the table
///     report.html    written by the program
public final class Comparison {
    /// What a comparison has to know of a phase.
    public struct Phase: Codable, Equatable, Sendable {
        public var name: String
        public var key: String
        /// Names of its networks.
        public var models: [String]
        /// Whether one network learns from the given labels and nothing else.
        public var isBaseline: Bool

        init(_ spec: PhaseSpec) {
            (name, key) = (spec.name, spec.key)
            models = spec.learners.map(\.model.name)
            isBaseline = spec.traits.isBaseline
        }
    }

    /// One row at one noise and one seed.
    public struct Cell: Codable, Sendable {
        public var row: String
        public var noise: Int
        public var seed: UInt64
        /// What the search chose; empty without one.
        public var setting: String
        public var phases: [Phase]
        public var results: [PhaseResult]
        public var metrics: [[EpochMetrics]]
        public var useEMA: Bool
        /// Of all phases in the chain, shared ones included, and of the search; nil where that of one is
        /// not known.
        @OrNull public var seconds: Double?
        /// Nil where no clean label is known.
        @OrNull public var realisedNoise: Double?

        public var evaluations: PhaseResult.Evaluations { results.last!.evaluations(ema: useEMA) }
        /// Epochs of the phase that made the result.
        public var resultMetrics: [EpochMetrics] {
            metrics.isEmpty ? [] : metrics[results.accepted]
        }
        /// Mean test accuracy of its last five epochs; nil with fewer.
        public var lastFive: Double? { resultMetrics.lastFive(ema: useEMA) }
    }

    public let file: ComparisonFile
    public let folder: String
    /// What a network trains on: networks differ in the precision that suits them.
    public let compute: @Sendable (ModelSpec) -> ComputeOptions
    public let workers: Int
    /// Engine threads of each worker.
    public let threads: Int
    public private(set) var cells: [Cell] = []
    /// What could not be trained.
    public private(set) var failures: [Failure] = []
    public let seeds: [UInt64]
    public let noises: [LabelNoise]

    private let store: PhaseStore
    private let environment: TrainingEnvironment
    private let dataFiles = DataFiles()
    private var prepared: [String: PreparedData] = [:]

    /// - Parameters:
    ///   - seeds: instead of the file's.
    ///   - workers: phases trained at a time, each with `threads` engine threads.
    public init(
        _ file: ComparisonFile, folder: String, seeds: [UInt64]? = nil,
        compute: @escaping @Sendable (ModelSpec) -> ComputeOptions, threads: Int, workers: Int,
        environment: TrainingEnvironment = .init()
    ) throws {
        self.file = file
        self.folder = folder
        self.compute = compute
        self.threads = threads
        self.workers = workers
        self.environment = environment
        self.seeds = seeds ?? file.seeds
        noises = try file.noises ?? [file.rows[0].candidates[0].file.decoded(Recipe.self).noise]
        store = PhaseStore("\(folder)/phases", named: false)
    }

    /// A row's settings at one noise and seed, resolved.
    struct Plan {
        var row: ComparisonFile.Row
        var noise: Int
        var seed: UInt64
        var candidates: [Candidate]
        var data: PreparedData

        /// What the search has to see of a setting; all of it without a search.
        func searched(_ candidate: Candidate) -> [PhaseSpec] {
            candidates.count > 1 && row.scope == .firstPhase
                ? candidate.chain.searchedFirst : candidate.chain
        }
    }

    struct Candidate {
        var setting: String
        var recipe: Recipe
        var chain: [PhaseSpec]
    }

    /// How many phases will be trained, at most, for the progress bar: where only the first phase is
    /// searched, one of the candidates goes on to the later ones.
    public func plannedPhases() throws -> Int {
        var keys: Set<String> = []
        for plan in try plans() {
            for (i, candidate) in plan.candidates.enumerated() {
                let stopsEarly = plan.row.scope == .firstPhase && i > 0
                keys.formUnion(
                    (stopsEarly ? candidate.chain.searchedFirst : candidate.chain).map(\.key))
            }
        }
        return keys.count
    }

    public func run() throws {
        let claim = try FolderClaim(folder, for: .comparison, using: environment.files)
        defer { claim.release() }
        let plans = try plans()
        (cells, failures) = ([], [])
        // First whatever a search has to see, then what its choice needs.
        var failed = try train(
            plans.flatMap { plan in
                plan.candidates.flatMap { candidate in
                    plan.searched(candidate).map { ($0, candidate.chain, plan.data) }
                }
            })
        let chosen = try plans.map { plan in (plan, try choice(plan, failed)) }
        failed = try train(
            chosen.flatMap { plan, choice in
                choice.map { choice in choice.chain.map { ($0, choice.chain, plan.data) } } ?? []
            }, failed: failed)
        for (plan, choice) in chosen {
            failures += describe(plan, choice, failed)
            if let choice, failure(of: choice.chain, failed) == nil {
                cells.append(try cell(plan, choice))
            }
        }
        try environment.files.replace("\(folder)/recipe.yaml", with: Array(resolved(plans).utf8))
        let record = Recorded(record(plans), files: try hashes(of: ["recipe.yaml"], in: folder))
        try environment.files.replace("\(folder)/result.json", with: SealedRecord.encoded(record))
    }

    /// The table and everything its report shows.
    private func record(_ plans: [Plan]) -> ComparisonRecord {
        let first = plans[0]
        let chain = first.candidates[0].chain
        var facts = RunFacts(
            compute: chain[0].compute, name: first.row.name, seed: first.seed, chain: chain,
            data: first.data)
        let recipe = first.candidates[0].recipe
        let noisy = noises.contains { $0.kind != .clean }
        let ceilings = file.rows.map(\.name).filter { row in
            noisy
                && plans.allSatisfy {
                    $0.row.name != row || $0.candidates[0].recipe.noise.kind == .clean
                }
        }
        let others = file.rows.map(\.name).filter { row in
            plans.contains {
                $0.row.name == row
                    && ($0.candidates[0].recipe.data != recipe.data
                        || ($0.candidates[0].recipe.noise != noises[$0.noise]
                            && !ceilings.contains(row)))
            }
        }
        if !others.isEmpty {
            let named = others.prefix(3).joined(separator: ", ")
            let more = others.count > 3 ? " and \(others.count - 3) more" : ""
            facts.warnings.append(
                "\(Problem.oneLine(named + more)) \(others.count == 1 ? "differs" : "differ") from the other rows in data, their split or "
                    + "label noise: facts and matrices are those of the first row")
        }
        return ComparisonRecord(
            facts: facts, rows: file.rows.map(\.name), seeds: seeds,
            noises: noises.indices.map { n in
                let plans = plans.filter { $0.noise == n }
                // A row on clean labels says nothing of the noise of the others.
                let own = plans.filter { $0.candidates[0].recipe.noise == noises[n] }
                let data = (own.isEmpty ? plans : own).map(\.data)
                return ComparisonRecord.Noise(
                    kind: noises[n].kind.rawValue, rate: noises[n].rate,
                    realised: mean(data.map(\.noise.realisedRate)))
            }, cells: cells, failures: failures, ceilings: ceilings)
    }

    /// Nil unless all are known.
    private func mean(_ values: [Double?]) -> Double? {
        let known = values.compactMap(\.self)
        return known.count == values.count ? known.reduce(0, +) / Double(known.count) : nil
    }

    /// Every row's recipe, in one YAML stream.
    private func resolved(_ plans: [Plan]) -> String {
        plans.filter { $0.noise == 0 && $0.seed == seeds[0] }.map { plan in
            plan.candidates.map {
                "# \($0.setting.isEmpty ? "row" : $0.setting)\n" + $0.recipe.yaml
            }
            .joined(separator: "---\n")
        }.joined(separator: "---\n")
    }

    private func plans() throws -> [Plan] {
        var plans: [Plan] = []
        for (n, noise) in noises.enumerated() {
            for seed in seeds {
                for row in file.rows {
                    var candidates: [Candidate] = []
                    var data: PreparedData?
                    for candidate in row.candidates {
                        var recipe = try candidate.file.decoded(Recipe.self)
                        recipe.seed = seed
                        if file.noises != nil, !row.hasOwnNoise { recipe.noise = noise }
                        let chain = try candidate.file.placing {
                            recipe = try recipe.method.base.completed(recipe)
                            data = try prepare(recipe)
                            let chain = try recipe.phases(
                                dataHash: data!.identity, samplesHash: data!.samplesIdentity,
                                compute: compute(recipe.model)
                            ) {
                                try KnownFiles.shared.hash(of: $0)
                            }
                            try recipe.check(chain, data!)
                            return chain
                        }
                        candidates.append(
                            Candidate(setting: candidate.setting, recipe: recipe, chain: chain))
                    }
                    plans.append(
                        Plan(row: row, noise: n, seed: seed, candidates: candidates, data: data!))
                }
            }
        }
        return plans
    }

    private func prepare(_ recipe: Recipe) throws -> PreparedData {
        let key =
            String(
                decoding: JSON.line(recipe.data) + JSON.line(recipe.noise)
                    + JSON.line([recipe.labels, recipe.weights]), as: UTF8.self) + "\(recipe.seed)"
        if let data = prepared[key] { return data }
        let data = try PreparedData(recipe, files: dataFiles)
        prepared[key] = data
        return data
    }

    /// - Parameter failed: phases that need not be tried.
    /// - Returns: these and those that failed now.
    private func train(
        _ wanted: [(PhaseSpec, [PhaseSpec], PreparedData)], failed: [String: Problem] = [:]
    ) throws -> [String: Problem] {
        var seen: Set<String> = []
        var done: Set<String> = []
        var jobs: [Scheduler.Job] = []
        let stop = StopFlag()
        var environment = environment
        let asked = environment.shouldStop
        environment.shouldStop = { asked() || stop.isSet }
        let (store, inner) = (store, environment)
        for (spec, chain, data) in wanted
        where failed[spec.key] == nil && seen.insert(spec.key).inserted {
            if try store.result(spec, in: environment) != nil {
                try store.tidy(spec, using: environment.files)
                done.insert(spec.key)
                continue
            }
            let keys = Set(chain.map(\.key))
            jobs.append(
                Scheduler.Job(spec: spec, needs: spec.neededKeys.intersection(keys)) {
                    do {
                        _ = try store.complete(spec, chain: chain, data: data, environment: inner)
                    } catch let problem as Problem
                        where problem.kind == .data && !problem.isDamage
                    {
                        inner.observe(.failed(spec, problem))
                        throw problem
                    } catch {
                        stop.set()
                        throw error
                    }
                })
        }
        return try Scheduler(jobs, done: done, failed: failed)
            .run(workers: workers, threads: threads)
    }

    /// The candidate that is best on the validation split; the first of equals. One that failed is the
    /// worst: nil if all have.
    private func choice(_ plan: Plan, _ failed: [String: Problem]) throws -> Candidate? {
        guard plan.candidates.count > 1 else { return plan.candidates[0] }
        var best: (candidate: Candidate, value: Double)?
        for candidate in plan.candidates {
            let chain = plan.searched(candidate)
            guard failure(of: chain, failed) == nil, let result = try store.result(chain.last!)
            else { continue }
            let evaluations = result.evaluations(ema: candidate.recipe.training.useEMA)
            let validation = evaluations.selected.validation
            let value =
                candidate.recipe.training.selection == .accuracy
                ? validation.accuracy : -validation.nll
            if best == nil || value > best!.value { best = (candidate, value) }
        }
        return best?.candidate
    }

    private func cell(_ plan: Plan, _ choice: Candidate) throws -> Cell {
        let searched = plan.candidates.count > 1 ? plan.candidates.flatMap(plan.searched) : []
        let trained = Set((searched + choice.chain).map(\.key))
        var seconds: Double? = 0
        var counted: Set<String> = []
        for spec in searched + choice.chain where trained.contains(spec.key) {
            if counted.insert(spec.key).inserted {
                seconds = seconds.flatMap { sum in store.seconds(spec).map { sum + $0 } }
            }
        }
        return Cell(
            row: plan.row.name, noise: plan.noise, seed: plan.seed, setting: choice.setting,
            phases: choice.chain.map(Phase.init),
            results: try choice.chain.compactMap(store.result),
            metrics: choice.chain.map(store.metrics), useEMA: choice.recipe.training.useEMA,
            seconds: seconds, realisedNoise: plan.data.noise.realisedRate)
    }
}

/// Set by one thread, read by others.
final class StopFlag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
