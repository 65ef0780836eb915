import Diagnostics

/// What several annotators and a network together say: Goh, Tkachenko, Mueller, "CROWDLAB: Supervised learning
/// to infer consensus labels and quality scores for data with multiple annotators", 2022, arXiv 2210.06812.
///
///     posterior ∝ w_M p + Σ_j w_j q_j,   q_j(k) = L if annotator j said k, else (1 − L)/(K − 1)
///     w_j = 1 − (1 − agreement of j with the others)/e,   at least 1e-6
///     w_M = (1 − error of the network/e) √(mean number of annotations),   the bracket at least 1e-6
///
/// over samples with several annotations, where L is the mean share of annotators that agree with the
/// consensus and e the error of always saying the commonest consensus. The first consensus is the majority's,
/// the second the most probable class of the posterior; all numbers are those of the second.
public struct Consensus: Equatable, Sendable {
    /// The class of each sample.
    public let labels: [Int]
    /// How sure it is: with a network the posterior of the label, else `agreement`.
    public let quality: [Double]
    /// Share of the annotators of a sample that gave the label.
    public let agreement: [Double]
    /// Posterior probabilities [samples][classes]: soft labels for training. Rows sum to 1.
    public let posterior: [[Double]]
    /// Of each annotator, 0 to 1: mean posterior of their labels and share of them that are the consensus,
    /// weighted by what network and annotators are worth. Nil for one who shares no sample with others and,
    /// without a network, nothing is known of.
    public let annotatorQuality: [Double?]
    /// w_j; empty without a network.
    public let annotatorWeights: [Double]
    /// w_M; nil without a network.
    public let modelWeight: Double?

    private static let least = 1e-6

    /// - Parameter table: out-of-sample probabilities of the same samples and classes.
    /// - Throws: `Problem` (`.data`) where they are of other samples or classes, or no probabilities.
    public init(_ annotations: Annotations, _ table: ProbabilityTable) throws(Problem) {
        guard table.rows == annotations.count else {
            throw .labelCount(table.name, annotations.count, rows: table.rows)
        }
        guard table.classes == annotations.classes else {
            throw .classCount(table.name, table.classes, expected: annotations.classes)
        }
        let check = RowCheck(classes: table.classes)
        let bad = table.withRows(0..<table.rows) { check.firstBad($0, table.classes) }
        if let bad { throw check.problem(table, row: bad) }
        let rows = (0..<table.rows).map(table.row)
        let majority = annotations.majority(table)
        let first = Weights(annotations, rows, majority)
        let labels = zip(first.posterior(annotations, rows), majority).map { row, majority in
            let largest = row.max()!
            let best = row.indices.filter { row[$0] == largest }
            return best.count == 1 ? best[0] : majority
        }
        let weights = Weights(annotations, rows, labels)
        let posterior = weights.posterior(annotations, rows)
        self.labels = labels
        self.posterior = posterior
        quality = zip(posterior, labels).map { $0[$1] }
        agreement = weights.agreement
        annotatorWeights = weights.annotators
        modelWeight = weights.model
        annotatorQuality = Self.quality(annotations, weights, posterior, labels)
    }

    /// Without a network: the consensus is the majority's, the posterior the shares of votes.
    public init(_ annotations: Annotations) {
        let labels = annotations.majority()
        self.labels = labels
        agreement = Self.agreement(annotations, labels)
        quality = agreement
        posterior = (0..<annotations.count).map { i in
            let votes = annotations.votes(i)
            let sum = Double(votes.reduce(0, +))
            return votes.map { Double($0) / sum }
        }
        annotatorQuality = Self.shares(annotations, labels)
        (annotatorWeights, modelWeight) = ([], nil)
    }

    static func agreement(_ annotations: Annotations, _ labels: [Int]) -> [Double] {
        labels.enumerated().map { i, label in
            let given = annotations.given(i)
            return Double(given.count { $0.label == label }) / Double(given.count)
        }
    }

    /// Of each annotator, the share of labels that are the consensus, over samples with several annotations.
    private static func shares(_ annotations: Annotations, _ labels: [Int]) -> [Double?] {
        var (equal, all) = (
            [Double](repeating: 0, count: annotations.annotators),
            [Double](repeating: 0, count: annotations.annotators)
        )
        for (i, consensus) in labels.enumerated() {
            let given = annotations.given(i)
            guard given.count > 1 else { continue }
            for (j, label) in given {
                all[j] += 1
                if label == consensus { equal[j] += 1 }
            }
        }
        return zip(equal, all).map { $1 > 0 ? $0 / $1 : nil }
    }

    private static func quality(
        _ annotations: Annotations, _ weights: Weights, _ posterior: [[Double]], _ labels: [Int]
    ) -> [Double?] {
        let m = annotations.annotators
        var (sums, numbers) = ([Double](repeating: 0, count: m), [Double](repeating: 0, count: m))
        for i in labels.indices {
            for (j, label) in annotations.given(i) {
                sums[j] += posterior[i][label]
                numbers[j] += 1
            }
        }
        let mean = numbers.reduce(0, +) / Double(labels.count)
        let crowd = weights.annotators.reduce(0, +) * mean / Double(m)
        let w = weights.model / (weights.model + crowd)
        return shares(annotations, labels).enumerated().map { j, share in
            share.map { w * sums[j] / numbers[j] + (1 - w) * $0 }
        }
    }

    /// w_j, w_M and L under some consensus.
    private struct Weights {
        let annotators: [Double]
        let model: Double
        let agreement: [Double]
        private let likelihood: Double

        init(_ annotations: Annotations, _ rows: [[Double]], _ labels: [Int]) {
            let numbers = annotations.numbers
            let several = numbers.indices.filter { numbers[$0] > 1 }
            let agreement = Consensus.agreement(annotations, labels)
            func mean(_ value: (Int) -> Double) -> Double {
                several.reduce(0) { $0 + value($1) } / Double(several.count)
            }
            self.agreement = agreement
            likelihood = mean { agreement[$0] }
            var counts = [Int](repeating: 0, count: annotations.classes)
            for i in several { counts[labels[i]] += 1 }
            let commonest = counts.firstIndex(of: counts.max()!)!
            let error = max(Consensus.least, mean { labels[$0] == commonest ? 0 : 1 })
            annotators = Self.agreements(annotations, numbers).map {
                max(Consensus.least, 1 - (1 - $0) / error)
            }
            let modelError = mean { i in
                rows[i].firstIndex(of: rows[i].max()!)! == labels[i] ? 0 : 1
            }
            let average = Double(numbers.reduce(0, +)) / Double(numbers.count)
            model = max(Consensus.least, 1 - modelError / error) * average.squareRoot()
        }

        /// How often an annotator says what the others say of the same sample: a mean over pairs.
        private static func agreements(
            _ annotations: Annotations, _ numbers: [Int]
        ) -> [Double] {
            var (equal, all) = (
                [Double](repeating: 0, count: annotations.annotators),
                [Double](repeating: 0, count: annotations.annotators)
            )
            for i in numbers.indices {
                let votes = annotations.votes(i)
                for (j, label) in annotations.given(i) {
                    equal[j] += Double(votes[label] - 1)
                    all[j] += Double(numbers[i] - 1)
                }
            }
            return annotations.filled(zip(equal, all).map { $1 > 0 ? $0 / $1 : nil })
        }

        func posterior(_ annotations: Annotations, _ rows: [[Double]]) -> [[Double]] {
            let others = (1 - likelihood) / Double(max(1, annotations.classes - 1))
            return rows.enumerated().map { i, row in
                var values = row.map { $0 * model }
                var sum = model
                for (j, label) in annotations.given(i) {
                    for k in values.indices {
                        values[k] += annotators[j] * (k == label ? likelihood : others)
                    }
                    sum += annotators[j]
                }
                return values.map { $0 / sum }
            }
        }
    }
}

extension Problem {
    fileprivate static func classCount(
        _ file: String?, _ found: Int, expected: Int
    ) -> Problem {
        Problem(
            .data, "probabilities are of other classes", at: file.map { .file($0) },
            found: "\(found) columns", expected: "\(expected)")
    }
}
