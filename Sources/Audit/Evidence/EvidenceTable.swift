import Datasets
import Foundation

/// What speaks for a wrong label, a row for each sample.
///
/// Invariants: all columns are as long as the labels; in every column a larger number speaks for a wrong
/// label; a number that is not known is NaN, none is infinite.
public struct EvidenceTable: Sendable {
    public struct Column: Equatable, Sendable {
        /// As the outputs head it: a word with hyphens.
        public var name: String
        public var values: [Double]

        public init(_ name: String, _ values: [Double]) {
            (self.name, self.values) = (name, values)
        }
    }

    public let columns: [Column]
    /// The given label of each sample.
    public let labels: [Int]
    /// The most likely class of each sample besides the given one; the given one where there is no other.
    public let suggested: [Int]
    /// Probability of `suggested`, given the evidence of networks and the transition matrix.
    public let suggestedProbability: [Double]
    /// Probability that the label is wrong, after the transition matrix alone.
    public let posteriorWrong: [Double]
    /// Samples that belong together (equal features, one patient).
    public let groups: [Int]?

    public var count: Int { labels.count }

    /// - Parameters:
    ///   - posterior: of these samples.
    ///   - others: beside the columns that come of `posterior`; see ``margin(_:)`` and ``neighbours(_:_:)``.
    public init(
        _ data: OutOfSample, _ posterior: LabelPosterior, groups: [Int]? = nil,
        others: [Column] = []
    ) {
        precondition(posterior.count == data.count, "a posterior for each sample")
        precondition(groups.map { $0.count == data.count } ?? true, "a group for each sample")
        labels = data.labels
        suggested = posterior.suggested
        suggestedProbability = posterior.suggestedProbability
        posteriorWrong = posterior.wrong
        self.groups = groups
        columns =
            [
                Column("posterior", posterior.wrong.map(EvidenceTable.logit)),
                Column("corrected-confidence", posterior.given.map { -EvidenceTable.logit($0) }),
                EvidenceTable.margin(data),
            ] + others
        for column in columns {
            precondition(column.values.count == data.count, "\(column.name): a value per sample")
            precondition(!column.values.contains(where: \.isInfinite), column.name)
        }
    }

    /// Log-odds of the best other class against the given one, within ±20; 0 where there is one class.
    public static func margin(_ data: OutOfSample) -> Column {
        let c = data.classes
        return Column(
            "margin",
            data.labels.enumerated().map { i, y in
                let row = data.logProbabilities[i * c..<(i + 1) * c]
                var other = -Double.infinity
                for (k, value) in zip(0..., row) where k != y { other = max(other, value) }
                return other.isFinite ? min(20, max(-20, other - row[row.startIndex + y])) : 0
            })
    }

    /// Two columns from the given labels of each sample's neighbours: how few have its own, and by how much
    /// another label has more of them.
    ///
    /// - Parameters:
    ///   - neighbours: of each sample, by index; empty where none are known.
    ///   - classes: of `labels`.
    public static func neighbours(
        _ neighbours: [[Int]], labels: [Int], classes: Int
    ) -> [Column] {
        var few = [Double](repeating: .nan, count: labels.count)
        var outvoted = few
        var counts = [Int](repeating: 0, count: classes)
        for (i, near) in neighbours.enumerated() where !near.isEmpty {
            for j in near { counts[labels[j]] += 1 }
            let own = counts[labels[i]]
            let other = near.reduce(0) {
                labels[$1] == labels[i] ? $0 : max($0, counts[labels[$1]])
            }
            let k = Double(near.count)
            few[i] = 0 - Double(own) / k  // no −0
            outvoted[i] = Double(other - own) / k
            for j in near { counts[labels[j]] = 0 }
        }
        return [Column("neighbours-differ", few), Column("neighbours-outvote", outvoted)]
    }

    /// The mean of what several networks recorded of a sample while they learnt from it, turned so that more
    /// of it speaks for a wrong label.
    ///
    /// - Parameters:
    ///   - records: of each network: samples, and a value for each; NaN counts as no record.
    ///   - sign: −1 where small values speak for a wrong label (margins, agreement).
    ///   - count: of all samples.
    public static func mean(
        _ name: String, of records: [(samples: [Int], values: [Double])], sign: Double, count: Int
    ) -> Column {
        var sums = [Double](repeating: 0, count: count)
        var known = sums
        for record in records {
            for (sample, value) in zip(record.samples, record.values) where value.isFinite {
                sums[sample] += value
                known[sample] += 1
            }
        }
        return Column(
            name, zip(sums, known).map { $1 > 0 ? sign * $0 / $1 : .nan })
    }

    /// ln(p / (1 − p)), with p kept a millionth away from 0 and 1.
    static func logit(_ p: Double) -> Double {
        let p = min(1 - 1e-6, max(1e-6, p))
        return log(p / (1 - p))
    }
}
