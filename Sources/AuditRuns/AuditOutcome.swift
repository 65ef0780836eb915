import Audit
import Datasets
import Diagnostics
import Files

/// What an audit found out, and the files that it is told in.
public struct AuditOutcome {
    public var result: AuditResult
    /// The samples, by row of the data as read.
    public var data: Dataset { samples.learning.data }
    /// What samples of the test split are rows of, where that is a data set of its own.
    public var testData: Dataset? { samples.test?.data }
    let samples: AuditSamples
    /// The most likely label of every learning sample under the transition matrix, by row.
    var posteriorLabels: [Int: Int] = [:]
    /// Labels that a person knows, by row.
    var known: [Int: Int] = [:]
    /// Worth of each row's label.
    var worth: [Int: Double] = [:]

    init(result: AuditResult, samples: AuditSamples) {
        (self.result, self.samples) = (result, samples)
    }

    var part: AuditSamples.Part { samples.learning }

    // MARK: Budget and verdicts

    /// In what order to check labels, if there is time for `count`.
    mutating func spend(
        _ count: Int, model: WrongLabelModel, posterior: LabelPosterior
    ) throws(Problem) {
        try samples.check(budget: count)
        let worth = Worth(
            probabilities: model.probabilities, networkOnTruth: posterior.networkOnTruth)
        let order = worth.order.prefix(count)
        result.budget = AuditResult.Budget(
            count: count, order: order.map { part.rows[$0] }, byWorth: worth.gains(in: order),
            byProbability: worth.gains(in: model.order.prefix(count)),
            atRandom: worth.gainsAtRandom(count: count))
        for (place, value) in worth.values.enumerated() { self.worth[part.rows[place]] = value }
    }

    /// What a person says of a random sheet.
    mutating func hear(_ person: PersonsVerdicts) {
        let learning = result.learning
        result.sheet = SheetResult(
            person.verdicts, population: part.count, list: learning.list,
            auditedRate: learning.model.rate.low...learning.model.rate.high,
            auditedPrecision: learning.expected.map { $0.low...$0.high })
        known = person.known
    }

    // MARK: Files

    /// What can be trained on instead of the given labels.
    public enum Change: String, CaseIterable, Sendable {
        case corrected, pruned, sure, posterior, weights

        /// The file in the folder of the audit.
        public var file: String {
            switch self {
            case .sure: "labels.csv"
            case .weights: "weights.csv"
            default: "labels-\(rawValue).csv"
            }
        }
    }

    /// A random sheet for a person to judge.
    ///
    /// - Parameter count: samples; all where there are fewer.
    public func sheet(count: Int, seed: UInt64) -> [UInt8] {
        RandomSheet(from: part.rows, count: count, seed: seed).csv(
            RandomSheet.Contents(
                given: samples.given, ids: result.learning.rows.ids, content: part.content))
    }

    /// Names of the files beside the page, and their bytes, in the order of their names.
    public func files() -> [(name: String, bytes: [UInt8])] {
        var files: [(name: String, bytes: [UInt8])] = [("audit.csv", result.auditTable)]
        for change in Change.allCases { files.append((change.file, bytes(change))) }
        if let budget = result.budget { files.append(("budget.csv", self.bytes(budget))) }
        return files.sorted { $0.name < $1.name }
    }

    private func bytes(_ change: Change) -> [UInt8] {
        let (rows, list) = (result.learning.rows, result.learning.list)
        let earlier = samples.edits
        switch change {
        case .corrected: return rows.labels(list, .corrected, fixed: known, earlier: earlier)
        case .pruned: return rows.labels(list, .pruned, fixed: known, earlier: earlier)
        case .sure: return rows.labels(list, .sure, fixed: known, earlier: earlier)
        case .posterior:
            return rows.labels(posteriorLabels.merging(known) { $1 }, earlier: earlier)
        case .weights: return rows.weights(earlier: samples.weights)
        }
    }

    /// In the order of worth.
    private func bytes(_ budget: AuditResult.Budget) -> [UInt8] {
        let rows = result.learning.rows
        let byRow = Dictionary(uniqueKeysWithValues: rows.rows.map { ($0.sample, $0) })
        return CSV.file(
            ["sample"] + (rows.ids == nil ? [] : ["id"])
                + (rows.content.map { [$0.column] } ?? [])
                + ["given", "suggested", "probability", "worth"],
            budget.order.lazy.map { sample in
                let row = byRow[sample]!
                return ["\(sample)"] + (rows.ids.map { [$0[sample]] } ?? [])
                    + (rows.content.map { [$0.values[sample]] } ?? [])
                    + [
                        rows.classNames[row.given], rows.classNames[row.suggested],
                        AuditRows.text(row.probability), AuditRows.text(worth[sample] ?? .nan),
                    ]
            })
    }
}

extension AuditResult {
    /// A row for each judged sample, those of the test split behind the others: `sample` counts them in the test
    /// set where the data has one of its own.
    var auditTable: [UInt8] {
        var bytes = learning.rows.csv()
        if let test { bytes += test.rows.csv(like: learning.rows) }
        return bytes
    }
}

extension AuditOutcome {
    /// Whether a person has written verdicts into a sheet.
    public func hasVerdicts(_ path: String) -> Bool {
        (try? Verdicts(file: path, count: part.data.count)) != nil
    }
}
