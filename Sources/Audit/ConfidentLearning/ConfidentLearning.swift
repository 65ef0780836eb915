import Datasets
import Diagnostics
import Workers

/// Which labels are wrong, from probabilities of networks that did not see the samples: Northcutt, Jiang,
/// Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021, arXiv 1911.00068.
///
///     let table = try ProbabilityTable(path: "predictions.npy")
///     let learning = try ConfidentLearning(table, labels: labels)
///     for row in learning.ranked(learning.issues()) { print(row, learning.suggestion(for: row)) }
///
/// The table is walked through in blocks of rows, by all processors: once for the thresholds (and to check
/// it), once for the confident class of each sample, and once, in part, for the samples that a filter
/// chooses. Beside the table there are 12 bytes for each sample. Results do not depend on the number of
/// workers nor on the blocks, and are those of the documented algorithm of the package cleanlab (2.9): counts,
/// thresholds, filters and scores. Where two remainders are equal, the rounding of its calibration is
/// arbitrary there; here the last of equals comes first (``ConfidentJoint/calibratedCounts``).
public struct ConfidentLearning: Sendable {
    public let table: ProbabilityTable
    /// The given label of each row, 0 to classes − 1.
    public let labels: [Int]
    /// Thresholds and counts [given][true].
    public let joint: ConfidentJoint
    let samples: [ConfidentSample]
    let blocks: RowBlocks

    /// - Parameters:
    ///   - labels: one for each row of the table, 0 to classes − 1.
    ///   - workers: nil for as many as there are processors.
    /// - Throws: `Problem` (`.data`) where there is no row, labels do not fit, or a row is not one of
    ///   probabilities: the first such row is named.
    public init(
        _ table: ProbabilityTable, labels: [Int], workers: Int? = nil
    ) throws(Problem) {
        try self.init(table, labels: labels, workers: workers, height: nil)
    }

    /// - Parameter height: rows of a block.
    init(
        _ table: ProbabilityTable, labels: [Int], workers: Int?, height: Int?
    ) throws(Problem) {
        try Self.check(labels, table)
        let blocks = RowBlocks(table, workers: workers, height: height)
        let sums = try Self.sums(table, labels, blocks)
        let samples = Self.samples(table, labels, sums.thresholds, blocks)
        self.table = table
        self.labels = labels
        self.samples = samples
        self.blocks = blocks
        joint = ConfidentJoint(
            thresholds: sums.thresholds, given: sums.given,
            counts: ConfidentSample.counts(samples, labels, classes: table.classes))
    }

    public var classes: Int { table.classes }
    public var count: Int { table.rows }

    // MARK: Of one sample

    /// The class with the largest probability, the first of equals.
    public func prediction(for row: Int) -> Int { samples[row].predicted }

    /// The class that the sample counts as in ``joint``: the one whose threshold its probability reaches, of
    /// several the prediction; nil if none does.
    public func confidentClass(for row: Int) -> Int? { samples[row].confident }

    /// The most probable class other than the given label. `nil` for one class.
    public func suggestion(for row: Int) -> Int? {
        let (label, predicted) = (labels[row], samples[row].predicted)
        if predicted != label { return predicted }
        let values = table.row(row)
        return values.indices.filter { $0 != label }.max { (values[$0], $1) < (values[$1], $0) }
    }

    // MARK: Numbers

    /// Samples whose confident class is not their given label, ascending.
    public var disagreeing: [Int] {
        samples.indices.filter { row in
            samples[row].confident.map { $0 != labels[row] } ?? false
        }
    }

    /// How many labels the table says are wrong. ``IssueCount/calibrated`` is the one for a noise rate,
    /// ``IssueCount/offDiagonal`` the one for a list.
    public func numberOfIssues(_ count: IssueCount = .offDiagonal) -> Int {
        switch count {
        case .offDiagonal: disagreeing.count { !samples[$0].isClose }
        case .calibrated: Self.offDiagonal(joint.calibratedCounts, of: self.count)
        }
    }

    /// Two ways to count.
    public enum IssueCount: Sendable {
        /// Samples whose confident class is not the given one and whose given label is not as probable.
        case offDiagonal
        /// Those off the diagonal of the calibrated joint: also what samples without a confident class have.
        case calibrated
    }

    /// (1 − trace of the joint) times samples.
    private static func offDiagonal(_ counts: [[Int]], of samples: Int) -> Int {
        let trace = counts.indices.reduce(0) { $0 + counts[$1][$1] }
        let total = max(1, counts.reduce(0) { $0 + $1.reduce(0, +) })
        let share = 1 - Double(trace) / Double(total)
        return Int((share * Double(samples)).rounded(.toNearestOrEven))
    }

    // MARK: The passes

    private static func check(_ labels: [Int], _ table: ProbabilityTable) throws(Problem) {
        guard table.rows > 0 else { throw .noRows(table.name) }
        guard table.rows <= Int(Int32.max) else { throw .tooManyRows(table.name, table.rows) }
        guard labels.count == table.rows else {
            throw .labelCount(table.name, labels.count, rows: table.rows)
        }
        if let row = labels.firstIndex(where: { $0 < 0 || $0 >= table.classes }) {
            throw .labelOutOfRange(row: row, labels[row], classes: table.classes)
        }
    }

    private static func sums(
        _ table: ProbabilityTable, _ labels: [Int], _ blocks: RowBlocks
    ) throws(Problem) -> ThresholdSums {
        struct State {
            var sums: ThresholdSums
            var firstBad: Int?
        }
        let check = RowCheck(classes: table.classes)
        let states = blocks.fold(
            table, State(sums: ThresholdSums(classes: table.classes))
        ) { state, range, rows in
            if let bad = check.firstBad(rows, table.classes) {
                let row = range.lowerBound + bad
                state.firstBad = min(row, state.firstBad ?? row)
                return
            }
            switch rows {
            case .floats(let values):
                for i in range {
                    let label = labels[i]
                    let place = (i - range.lowerBound) * table.classes + label
                    state.sums.add(Double(values[place]), of: label)
                }
            case .doubles(let values):
                for i in range {
                    let label = labels[i]
                    let place = (i - range.lowerBound) * table.classes + label
                    state.sums.add(values[place], of: label)
                }
            }
        }
        if let row = states.compactMap(\.firstBad).min() {
            throw check.problem(table, row: row)
        }
        return states.dropFirst().reduce(into: states[0].sums) { $0.add($1.sums) }
    }

    private static func samples(
        _ table: ProbabilityTable, _ labels: [Int], _ thresholds: [Double], _ blocks: RowBlocks
    ) -> [ConfidentSample] {
        [ConfidentSample](unsafeUninitializedCapacity: table.rows) { samples, count in
            let target = SharedMemory(samples.baseAddress!)
            _ = blocks.fold(table, ()) { _, range, rows in
                labels.withUnsafeBufferPointer { labels in
                    let own = UnsafeBufferPointer(rebasing: labels[range])
                    let start = target.start + range.lowerBound
                    switch rows {
                    case .floats(let values):
                        ConfidentSample.read(values, own, thresholds: thresholds, into: start)
                    case .doubles(let values):
                        ConfidentSample.read(values, own, thresholds: thresholds, into: start)
                    }
                }
            }
            count = table.rows
        }
    }
}
