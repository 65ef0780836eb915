/// How good the labels of one class are, by the calibrated joint.
public struct ClassQuality: Equatable, Sendable {
    public let index: Int
    /// Samples that were given this class and are of another one.
    public let wronglyGiven: Int
    /// Samples of this class that were given another one.
    public let missed: Int
    /// Share of `wronglyGiven` among the samples that were given the class, 0 to 1.
    public let givenNoise: Double
    /// Share of `missed` among the samples of the class, 0 to 1.
    public let trueNoise: Double
    /// 1 − `givenNoise`
    public var labelQuality: Double { 1 - givenNoise }
}

/// Two classes that are taken for one another.
public struct ClassOverlap: Equatable, Sendable {
    /// The smaller index first.
    public let classes: [Int]
    /// Samples of one that were given the other.
    public let samples: Int
    /// Their share of all samples.
    public let joint: Double
}

extension ConfidentLearning {
    /// All classes, the one with the worst labels first; of equals the smaller index first.
    public func classReport() -> [ClassQuality] {
        let counts = joint.calibratedCounts
        return counts.indices.map { k in
            let given = counts[k].reduce(0, +)
            let isTrue = counts.reduce(0) { $0 + $1[k] }
            let own = counts[k][k]
            func share(_ part: Int, of whole: Int) -> Double {
                whole == 0 ? 0 : Double(part) / Double(whole)
            }
            return ClassQuality(
                index: k, wronglyGiven: given - own, missed: isTrue - own,
                givenNoise: share(given - own, of: given),
                trueNoise: share(isTrue - own, of: isTrue))
        }.sorted { ($0.labelQuality, $0.index) < ($1.labelQuality, $1.index) }
    }

    /// All pairs of classes, those that overlap most first; of equals the smaller indices first.
    public func overlaps() -> [ClassOverlap] {
        let counts = joint.calibratedCounts
        let total = Double(max(1, counts.reduce(0) { $0 + $1.reduce(0, +) }))
        var pairs: [ClassOverlap] = []
        for a in counts.indices {
            for b in counts.indices where b > a {
                let samples = counts[a][b] + counts[b][a]
                pairs.append(
                    ClassOverlap(
                        classes: [a, b], samples: samples, joint: Double(samples) / total))
            }
        }
        return pairs.sorted {
            $0.samples != $1.samples
                ? $0.samples > $1.samples : $0.classes.lexicographicallyPrecedes($1.classes)
        }
    }

    /// 1 − share of samples with issues (``IssueCount/offDiagonal``), 0 to 1.
    public var health: Double { 1 - Double(numberOfIssues()) / Double(count) }
}
