import Foundation

/// How usual a sample is, from probabilities alone: 0 for one that is of none of the classes, 1 for a usual one.
public enum DistributionScore: String, CaseIterable, Codable, Sendable {
    /// 1 − entropy / ln classes, of adjusted probabilities (``LabelScore/adjustedSelfConfidence``).
    case adjustedEntropy = "adjusted-entropy"
    /// The same of the probabilities as they are.
    case entropy
    /// The largest adjusted probability.
    case adjustedMaximum = "adjusted-maximum"
    /// The largest probability.
    case maximum
    /// Generalised entropy: Liu, Lochman, Zach, "GEN: Pushing the Limits of Softmax-Based Out-of-Distribution
    /// Detection", 2023: 1 − Σ q^.1 (1 − q)^.1 / 100 over the 100 largest q. As in cleanlab, q is the softmax of
    /// the probabilities.
    case generalizedEntropy = "generalized-entropy"
}

extension ConfidentLearning {
    /// A score for each row: one pass over the table.
    public func distributionScores(_ score: DistributionScore = .adjustedEntropy) -> [Double] {
        let isAdjusted = score == .adjustedEntropy || score == .adjustedMaximum
        let adjustment = Adjustment(
            isAdjusted ? joint.thresholds : [Double](repeating: 0, count: classes))
        return blocks.map(table) { _, row in
            var values = (0..<row.count).map { adjustment.raised(row[$0], $0) }
            if isAdjusted {
                let sum = values.reduce(0, +)
                for k in values.indices { values[k] /= sum }
            }
            switch score {
            case .entropy, .adjustedEntropy:
                let entropy = values.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
                return 1 - entropy / log(Double(row.count))
            case .maximum, .adjustedMaximum: return values.max()!
            case .generalizedEntropy: return Self.generalized(values)
            }
        }
    }

    private static func generalized(_ values: [Double]) -> Double {
        let top = values.max()!
        let powers = values.map { exp($0 - top) }
        let sum = powers.reduce(0, +)
        let most = 100
        let largest = powers.map { $0 / sum }.sorted(by: >).prefix(most)
        return 1 - largest.reduce(0) { $0 + pow($1 * (1 - $1), 0.1) } / Double(most)
    }
}
