import Foundation

/// How good the given label of a sample is, 0 for bad to 1 for good.
public enum LabelScore: String, CaseIterable, Codable, Sendable {
    /// p_y: the probability of the given label y.
    case selfConfidence = "self-confidence"
    /// (p_y − max of the others + 1)/2
    case normalizedMargin = "normalized-margin"
    /// ln(1 + s)/s, s = (entropy of p / ln classes)/p_y
    case confidenceWeightedEntropy = "confidence-weighted-entropy"
    /// Self-confidence of adjusted probabilities: p_k − t_k + max t, divided by their sum, where t_k is the
    /// threshold of class k. A class that the network is sure of in general has to be predicted more surely.
    case adjustedSelfConfidence = "adjusted-self-confidence"
    /// Normalised margin of the same.
    case adjustedNormalizedMargin = "adjusted-normalized-margin"
}

extension ConfidentLearning {
    /// A score for each row: one pass over the table.
    public func scores(_ score: LabelScore) -> [Double] {
        let measure = ScoreMeasure(score, thresholds: joint.thresholds)
        return blocks.map(table) { row, values in measure(values, label: labels[row]) }
    }

    /// Adjusted probabilities of one row.
    func adjusted(_ row: Int) -> [Double] {
        let adjustment = Adjustment(joint.thresholds)
        let values = table.row(row)
        let sum = values.indices.reduce(0) { $0 + adjustment.raised(values[$1], $1) }
        return values.indices.map { adjustment.raised(values[$0], $0) / sum }
    }
}

/// p_k − t_k + max t, not yet divided by the sum.
struct Adjustment {
    private let offsets: [Double]

    init(_ thresholds: [Double]) {
        let largest = thresholds.max() ?? 0
        offsets = thresholds.map { largest - $0 }
    }

    func raised(_ value: Double, _ k: Int) -> Double { value + offsets[k] }
}

/// Computes one kind of score.
struct ScoreMeasure {
    private let score: LabelScore
    private let adjustment: Adjustment

    private static let tiny = 1e-6

    init(_ score: LabelScore, thresholds: [Double]) {
        self.score = score
        adjustment = Adjustment(thresholds)
    }

    func callAsFunction(_ row: ProbabilityRow, label: Int) -> Double {
        switch score {
        case .selfConfidence: return row[label]
        case .normalizedMargin:
            return Self.margin(row.count, label) { row[$0] }
        case .confidenceWeightedEntropy:
            var entropy = 0.0
            for k in 0..<row.count {
                let p = row[k]
                if p > 0 { entropy -= p * log(p) }
            }
            let s = entropy / log(Double(row.count)) / max(row[label], Self.tiny)
            return log(s + 1) / max(s, Self.tiny)
        case .adjustedSelfConfidence:
            return adjustment.raised(row[label], label) / sum(row)
        case .adjustedNormalizedMargin:
            let sum = sum(row)
            return Self.margin(row.count, label) { adjustment.raised(row[$0], $0) / sum }
        }
    }

    private func sum(_ row: ProbabilityRow) -> Double {
        var sum = 0.0
        for k in 0..<row.count { sum += adjustment.raised(row[k], k) }
        return sum
    }

    private static func margin(
        _ classes: Int, _ label: Int, _ value: (Int) -> Double
    ) -> Double {
        var other = -Double.infinity
        for k in 0..<classes where k != label { other = max(other, value(k)) }
        return (value(label) - other + 1) / 2
    }
}
