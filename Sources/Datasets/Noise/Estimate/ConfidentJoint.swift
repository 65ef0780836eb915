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
    /// C[given][true].
    public let counts: [[Int]]
    /// J[given][true], the sum of all is 1.
    public let joint: [[Double]]
    /// Samples whose confident class is not their given label, ascending.
    public let disagreeing: [Int]
    /// Of each sample that was counted; nil for the others.
    public let confidentClasses: [Int?]
    private let given: [Int]

    static let tolerance = 1e-6

    public init(_ data: OutOfSample) {
        let c = data.classes
        var given = [Int](repeating: 0, count: c)
        var sums = [Double](repeating: 0, count: c)
        for (i, label) in data.labels.enumerated() {
            given[label] += 1
            sums[label] += data.probability(i, label)
        }
        let thresholds = (0..<c).map {
            given[$0] == 0 ? 2 : max(sums[$0] / Double(given[$0]), 2e-6)
        }
        let predictions = data.predictions
        let classes = data.labels.indices.map { i -> Int? in
            var confident: Int?
            for k in 0..<c where data.probability(i, k) >= thresholds[k] - Self.tolerance {
                guard confident == nil else { return predictions[i] }
                confident = k
            }
            return confident
        }
        var counts = [[Int]](repeating: [Int](repeating: 0, count: c), count: c)
        for (label, k) in zip(data.labels, classes) { if let k { counts[label][k] += 1 } }
        for k in 0..<c { counts[k][k] = max(counts[k][k], 1) }
        self.thresholds = thresholds
        self.counts = counts
        confidentClasses = classes
        disagreeing = data.labels.indices.filter { i in
            classes[i].map { $0 != data.labels[i] } ?? false
        }
        self.given = given
        joint = Self.calibrated(counts, given).map { row in
            row.map { $0 / Double(data.count) }
        }
    }

    /// J in whole samples: rows sum to the numbers of given labels. The remainders are rounded to even;
    /// what a row then lacks goes to its largest remainders, the last of equals first.
    public var calibratedCounts: [[Int]] {
        zip(Self.calibrated(counts, given), given).map { row, total in
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

    private static func calibrated(_ counts: [[Int]], _ given: [Int]) -> [[Double]] {
        counts.indices.map { a in
            let sum = Double(counts[a].reduce(0, +))
            return counts[a].map { Double($0) / sum * Double(given[a]) }
        }
    }
}
