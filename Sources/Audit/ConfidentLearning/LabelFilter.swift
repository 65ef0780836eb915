/// Which samples are said to have wrong labels. All but the last two leave out samples whose given label is
/// within 1e-6 of being the prediction.
public enum LabelFilter: String, CaseIterable, Codable, Sendable {
    /// For each pair of classes (true j, given k), as many samples as the calibrated joint says, those with
    /// the largest p_j − p_k.
    case pruneByNoiseRate = "prune-by-noise-rate"
    /// For each given class k, as many samples as the calibrated joint says are wrong, those with the
    /// smallest p_k.
    case pruneByClass = "prune-by-class"
    /// What both of these choose.
    case both
    /// Samples whose confident class is not the given one.
    case confidentLearning = "confident-learning"
    /// Samples whose prediction is not the given class.
    case predictedNotGiven = "predicted-neq-given"
    /// As many samples as `confidentLearning` chooses, those with the smallest probability of their label.
    case lowSelfConfidence = "low-self-confidence"
    /// The same by the smallest normalised margin.
    case lowNormalizedMargin = "low-normalized-margin"
}

/// What the filters `pruneByNoiseRate`, `pruneByClass` and `both` may be told.
public struct PruneOptions: Sendable {
    /// Share of the wrong labels that is listed, 0 to 1.
    public var noiseShare: Double
    /// So many samples of a class are never taken for wrong; a class with no more is left out.
    public var leastPerClass: Int
    /// Expected numbers [given][true], rows summing to the numbers of given labels; nil for those of the
    /// confident joint.
    public var counts: [[Int]]?

    public init(noiseShare: Double = 1, leastPerClass: Int = 1, counts: [[Int]]? = nil) {
        (self.noiseShare, self.leastPerClass, self.counts) = (noiseShare, leastPerClass, counts)
    }

    /// How many samples of each given class to take for each true class, [given][true].
    ///
    /// The diagonal is raised to `leastPerClass`, evenly at the expense of what is not 0 in its row; then the
    /// other entries are taken times `noiseShare` and the diagonal gets the rest; then fractions are dropped.
    func kept(of joint: [[Int]]) -> [[Int]] {
        joint.enumerated().map { given, row in
            var values = row.map(Double.init)
            let raised = max(values[given], Double(leastPerClass))
            let others = max(1, values.count { $0 != 0 } - 1)
            let share = (raised - values[given]) / Double(others)
            for k in values.indices { values[k] = max(0, values[k] - share) }
            values[given] = raised
            var rest = 0.0
            for k in values.indices where k != given {
                let taken = values[k] * noiseShare
                rest += values[k] - taken
                values[k] = taken
            }
            values[given] += rest
            return values.map { Int($0) }
        }
    }
}

extension ConfidentLearning {
    /// Rows whose labels are said to be wrong, ascending.
    ///
    /// - Parameter options: for the filters that prune.
    public func issues(
        _ filter: LabelFilter = .pruneByNoiseRate, _ options: PruneOptions = PruneOptions()
    ) -> [Int] {
        switch filter {
        case .pruneByNoiseRate: return prunedByNoiseRate(options)
        case .pruneByClass: return prunedByClass(options)
        case .both:
            let other = Set(prunedByClass(options))
            return prunedByNoiseRate(options).filter(other.contains)
        case .confidentLearning: return disagreeing.filter { !samples[$0].isClose }
        case .predictedNotGiven:
            // What is not close is predicted as something else.
            return samples.indices.filter { !samples[$0].isClose }
        case .lowSelfConfidence: return lowest(numberOfIssues(), .selfConfidence)
        case .lowNormalizedMargin: return lowest(numberOfIssues(), .normalizedMargin)
        }
    }

    /// `issues` with the worst label first: by ascending score, of equal scores the earlier row first.
    ///
    /// - Parameter issues: any rows.
    public func ranked(_ issues: [Int], by score: LabelScore = .selfConfidence) -> [Int] {
        let measure = ScoreMeasure(score, thresholds: joint.thresholds)
        let rows = issues.sorted()
        let scores = blocks.map(table, rows) { row, values in
            measure(values, label: labels[row])
        }
        return rows.indices.sorted { (scores[$0], rows[$0]) < (scores[$1], rows[$1]) }
            .map { rows[$0] }
    }

    private func lowest(_ number: Int, _ score: LabelScore) -> [Int] {
        let scores = scores(score)
        var largest = LargestRows<Double>(capacities: [number])
        for (row, score) in scores.enumerated() { largest.offer(-score, row, to: 0) }
        return largest.rows.sorted()
    }

    private func prunedByClass(_ options: PruneOptions) -> [Int] {
        let kept = options.kept(of: options.counts ?? joint.calibratedCounts)
        let capacities = (0..<classes).map { k in
            joint.given[k] <= options.leastPerClass ? 0 : max(0, joint.given[k] - kept[k][k])
        }
        var largest = LargestRows<Double>(capacities: capacities)
        for (row, score) in scores(.selfConfidence).enumerated() {
            largest.offer(-score, row, to: labels[row])
        }
        return largest.rows.filter { !samples[$0].isClose }.sorted()
    }
}
