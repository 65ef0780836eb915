import Audit
import Datasets
import Diagnostics
import Files
import Foundation
import Training

/// K runs of a recipe, each of which leaves one fold out and judges it: the rows of a comparison.
struct AuditRounds {
    let file: RecipeFile
    let folds: Int
    let seed: UInt64

    /// The rows, with a label file in the place of the recipe's own, if one is given.
    func rows(labels path: String? = nil) throws(Problem) -> ComparisonFile {
        var rows: [RecipeFile] = []
        for fold in 1...folds { rows.append(try recipe(fold: fold, labels: path)) }
        var comparison = try ComparisonFile(rows)
        comparison.seeds = [seed]
        return comparison
    }

    func recipe(fold: Int, labels path: String? = nil) throws(Problem) -> RecipeFile {
        var row =
            try file.setting("data.held-out={fold: \(fold), of: \(folds)}")
            .setting("name", word: "fold-\(fold)").setting("training.dynamics=true")
            .setting("data.clean-validation=false").setting("data.clean-meta-validation=null")
        if let path { row = try row.setting("labels.file", word: path) }
        return row
    }

    /// Columns that methods keep for each training sample, and what is made of them: more speaks for a wrong
    /// label.
    private static let methodColumns: [(name: String, column: String, turned: Bool)] = [
        ("target-of-given", "target-elsewhere", true), ("label-noise", "label-noise", false),
    ]
    /// The same of the training dynamics.
    private static let dynamics:
        [(name: String, column: String, turn: @Sendable (Double) -> Double)] = [
            ("margin", "learning-margin", { -$0 }),
            ("forgetting-events", "forgetting-events", { $0 }),
            ("given-predicted", "otherwise-predicted", { 1 - $0 }),
            ("given-predicted-early", "otherwise-predicted-early", { 1 - $0 }),
        ]

    /// What the networks of a round say of all samples.
    struct Findings {
        /// Of the learning samples.
        var outOfSample: OutOfSample
        /// Evidence beside the probabilities.
        var columns: [EvidenceTable.Column]
        /// Mean of the folds' probabilities of the test samples, as logarithms [samples × classes].
        var test: [Double]?
    }

    /// Reads what the phases of a finished round left.
    ///
    /// - Parameters:
    ///   - folder: of the comparison.
    ///   - labels: given ones of this round, of the learning samples.
    func findings(
        _ record: ComparisonRecord, folder: String, samples: AuditSamples, labels: [Int],
        useEMA: Bool
    ) throws(Problem) -> Findings {
        let (part, c) = (samples.learning, samples.classes)
        let places = part.places
        let testPlaces = samples.test?.places
        var logP = [Double](repeating: 0, count: part.count * c)
        var isJudged = [Bool](repeating: false, count: part.count)
        var near = [[Int]](repeating: [], count: part.count)
        var test = samples.test.map { [Double](repeating: 0, count: $0.count * c) }
        var records: [String: [(samples: [Int], values: [Double])]] = [:]
        for fold in 1...folds {
            let phase = try phase(record, fold, folder)
            let judged = try SampleTable("\(phase)/\(SampleFiles.judged)")
            let (values, width) = try judged.values(SampleFiles.logProbabilities(ema: useEMA))
            guard width == c else { throw .foldOfOtherData(phase) }
            for (row, (index, role)) in zip(judged.index, judged.role).enumerated() {
                let own = values[row * c..<(row + 1) * c]
                if role == .heldOut {
                    // Samples that the recipe leaves out are judged as well, and nobody asks.
                    guard let i = places[checked: index], i >= 0 else { continue }
                    logP.replaceSubrange(i * c..<(i + 1) * c, with: own)
                    isJudged[i] = true
                } else if role == .test, let i = testPlaces?[checked: index], i >= 0 {
                    for (k, value) in own.enumerated() {
                        test![i * c + k] += exp(value) / Double(folds)
                    }
                }
            }
            for (place, others) in try neighbours(phase, places) { near[place] = others }
            try note(phase, places, into: &records)
        }
        guard isJudged.allSatisfy({ $0 }) else { throw .foldOfOtherData(folder) }
        let columns =
            EvidenceTable.neighbours(near, labels: labels, classes: c)
            + (AuditRounds.dynamics.map(\.column) + AuditRounds.methodColumns.map(\.column))
            .compactMap { name in
                records[name].map {
                    EvidenceTable.mean(name, of: $0, sign: 1, count: part.count)
                }
            }
        return Findings(
            outOfSample: try OutOfSample(logProbabilities: logP, labels: labels, classes: c),
            columns: columns, test: test.map { $0.map { log(max($0, 1e-30)) } })
    }

    /// The last phase of a fold that judged what it did not see.
    private func phase(
        _ record: ComparisonRecord, _ fold: Int, _ folder: String
    ) throws(Problem) -> String {
        if let failure = record.failures.first(where: \.isCell) {
            throw .foldFailed(failure.row, failure.reason)
        }
        guard let cell = record.cells.first(where: { $0.row == "fold-\(fold)" }) else {
            throw .foldOfOtherData(folder)
        }
        let paths = cell.phases.map { "\(folder)/phases/\($0.key)" }
        guard
            let path = paths.last(where: {
                FileManager.default.fileExists(atPath: "\($0)/\(SampleFiles.judged)")
            })
        else { throw .methodJudgesNothing(cell.phases.last?.name ?? "") }
        return path
    }

    // MARK: Neighbours

    /// So many nearest samples vote.
    static let voters = 10
    /// Neighbours are looked for among so many at most: the work grows with the square.
    static let crowd = 5000

    /// The neighbours of the samples of a fold among those of the same fold, by features of the network that saw
    /// none of them: one that learnt from a sample puts it beside its given class.
    private func neighbours(
        _ phase: String, _ places: [Int]
    ) throws(Problem) -> [(Int, [Int])] {
        let path = "\(phase)/\(SampleFiles.features)"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let table = try SampleTable(path)
        let (values, width) = try table.values("features")
        let rows = table.index.indices.filter {
            table.role[$0] == .heldOut && (places[checked: table.index[$0]] ?? -1) >= 0
        }
        let parts = (rows.count + AuditRounds.crowd - 1) / AuditRounds.crowd
        var found: [(Int, [Int])] = []
        for part in 0..<parts {
            let own = stride(from: part, to: rows.count, by: parts).map { rows[$0] }
            guard own.count > 1 else { continue }
            let graph = try NeighbourGraph(
                features: own.flatMap { values[$0 * width..<($0 + 1) * width] }, columns: width,
                k: AuditRounds.voters)
            let names = own.map { places[table.index[$0]] }
            for (i, name) in names.enumerated() {
                found.append((name, graph.neighbours(of: i).map { names[$0] }))
            }
        }
        return found
    }

    // MARK: While it was learnt

    private func note(
        _ phase: String, _ places: [Int],
        into records: inout [String: [(samples: [Int], values: [Double])]]
    ) throws(Problem) {
        let path = "\(phase)/\(SampleFiles.dynamics)"
        guard FileManager.default.fileExists(atPath: path) else { return }
        let table = try SampleTable(path)
        func add(_ column: String, _ rows: [Int], _ values: [Double]) {
            var (samples, kept): ([Int], [Double]) = ([], [])
            for (row, value) in zip(rows, values) {
                guard let place = places[checked: row], place >= 0 else { continue }
                samples.append(place)
                kept.append(value)
            }
            records[column, default: []].append((samples, kept))
        }
        for (name, column, turn) in AuditRounds.dynamics where table.names.contains(name) {
            add(column, table.index, try table.values(name).values.map(turn))
        }
        let own = try SampleColumns(phase: phase)
        for (name, column, turned) in AuditRounds.methodColumns {
            // One for each network, where several learnt.
            for full in own.names where full == name || full.hasSuffix("-\(name)") {
                guard let values = own.numbers(full) else { continue }
                add(column, own.index, turned ? values.map { 1 - $0 } : values)
            }
        }
    }
}

extension Array {
    /// Nil where the index is outside.
    subscript(checked index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
