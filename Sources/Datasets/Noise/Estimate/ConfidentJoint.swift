import Foundation

/// How often each class was given where another one is confidently predicted: Northcutt, Jiang, Chuang,
/// "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021, arXiv 1911.00068.
///
///     t_k      = mean of p_k(x_i) over samples i that were given label k, at least 2e-6
///     k̂_i      = the class with p_k(x_i) ≥ t_k − 1e-6; of several the most probable of all classes
///     C[a][k]  = number of samples that were given a and have k̂_i = k; the diagonal at least 1
///     J        ∝ C[a][k] n_a / Σ_k C[a][k],   n_a: samples that were given a
///
/// A class that was never given has t_k = 2 and is never confident. Samples without a confident class
/// are not counted. What a network is confidently wrong about counts as a wrong label, so that the share
/// off the diagonal is more than the noise wherever networks make mistakes: `NoiseEstimate` is about that.
/// Tables here have the given class first, as the paper has.
public struct ConfidentJoint: Equatable, Sendable {
    /// t_k of each class.
    public let thresholds: [Double]
    /// n_a of each class.
    public let given: [Int]
    /// C[given][true].
    public let counts: [[Int]]

    /// - Parameter counts: [given][true], with diagonal entries of 0 where nothing was counted.
    public init(thresholds: [Double], given: [Int], counts: [[Int]]) {
        self.thresholds = thresholds
        self.given = given
        self.counts = counts.enumerated().map { a, row in
            var row = row
            row[a] = max(row[a], 1)
            return row
        }
    }

    public init(_ data: OutOfSample) {
        let c = data.classes
        let probabilities = data.logProbabilities.map { exp($0) }
        var sums = ThresholdSums(classes: c)
        for (i, label) in data.labels.enumerated() {
            sums.add(probabilities[i * c + label], of: label)
        }
        let samples = [ConfidentSample](unsafeUninitializedCapacity: data.count) { samples, count in
            probabilities.withUnsafeBufferPointer { rows in
                data.labels.withUnsafeBufferPointer { labels in
                    ConfidentSample.read(
                        rows, labels, thresholds: sums.thresholds, into: samples.baseAddress!)
                }
            }
            count = data.count
        }
        self.init(
            thresholds: sums.thresholds, given: sums.given,
            counts: ConfidentSample.counts(samples, data.labels, classes: c))
    }

    /// J[given][true], the sum of all is 1.
    public var joint: [[Double]] {
        let n = Double(given.reduce(0, +))
        return calibrated.map { row in row.map { $0 / n } }
    }

    /// J in whole samples: rows sum to the numbers of given labels. The remainders are rounded to even;
    /// what a row then lacks goes to its largest remainders, the last of equals first.
    public var calibratedCounts: [[Int]] {
        zip(calibrated, given).map { row, total in
            var whole = row.map { Int($0.rounded(.toNearestOrEven)) }
            let missing = total - whole.reduce(0, +)
            let sign = missing < 0 ? -1 : 1
            let order = row.indices.sorted { a, b in
                let x = Double(sign) * (row[a] - Double(whole[a]))
                let y = Double(sign) * (row[b] - Double(whole[b]))
                return x == y ? (sign > 0 ? a > b : a < b) : x > y
            }
            for k in order.prefix(abs(missing)) { whole[k] += sign }
            return whole
        }
    }

    private var calibrated: [[Double]] {
        zip(counts, given).map { row, n in
            let sum = Double(row.reduce(0, +))
            return row.map { Double($0) / sum * Double(n) }
        }
    }
}
