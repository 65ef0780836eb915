/// A list of samples beside what is wrong indeed.
public struct MeasuredList: Codable, Equatable, Sendable {
    /// Share of pairs of a wrong and a right label in which the wrong one stands first.
    public let area: Double
    /// Of the list; nil where it is empty.
    public let precision: Double?
    public let recall: Double
    public let f1: Double
    /// The largest F1 of any length.
    public let bestF1: Double
    /// Precision of the shortest list that has four fifths of the wrong labels.
    public let precisionAtRecall80: Double

    /// - Parameter wrong: of each sample, the most suspicious first.
    init?(wrong: [Bool], listed: Int) {
        let all = wrong.count { $0 }
        guard all > 0, all < wrong.count else { return nil }
        var (found, pairs, best, at80) = (0, 0, 0.0, 0.0)
        for (i, isWrong) in wrong.enumerated() {
            if isWrong { found += 1 } else { pairs += found }
            best = max(best, 2 * Double(found) / Double(i + 1 + all))
            if at80 == 0, Double(found) >= 0.8 * Double(all) {
                at80 = Double(found) / Double(i + 1)
            }
        }
        area = Double(pairs) / (Double(all) * Double(wrong.count - all))
        let hits = wrong.prefix(listed).count { $0 }
        precision = listed > 0 ? Double(hits) / Double(listed) : nil
        recall = Double(hits) / Double(all)
        f1 = 2 * Double(hits) / Double(listed + all)
        (bestF1, precisionAtRecall80) = (best, at80)
    }

    /// Share of pairs of a wrong and a right label in which the wrong one has the larger score, equal scores
    /// counted half.
    ///
    /// - Parameter scores: those that are NaN are left out.
    /// - Returns: nil where no wrong or no right label has a score.
    public static func area(_ scores: [Double], wrong: [Bool]) -> Double? {
        precondition(scores.count == wrong.count, "a score for each sample")
        let known = scores.indices.filter { !scores[$0].isNaN }.sorted { scores[$0] < scores[$1] }
        var (pairs, right, ones, place) = (0.0, 0, 0, 0)
        while place < known.count {
            let score = scores[known[place]]
            var (equalRight, equalWrong) = (0, 0)
            while place < known.count, scores[known[place]] == score {
                if wrong[known[place]] { equalWrong += 1 } else { equalRight += 1 }
                place += 1
            }
            pairs += Double(equalWrong) * (Double(right) + Double(equalRight) / 2)
            right += equalRight
            ones += equalWrong
        }
        return ones > 0 && right > 0 ? pairs / (Double(ones) * Double(right)) : nil
    }
}
