import Datasets
import Foundation

/// The true class of each sample, after what networks say and after how labels go wrong:
///
///     q_k(x) = softmax(s log p(x) + b)_k
///     P(true = k | x, given = y) = q_k(x) T[k][y] / Σ_j q_j(x) T[j][y]
///
/// Networks that learnt from wrong labels are unsure of the right class as well; s and b, the same for all
/// samples, make the given labels most likely under T, as in `NoiseEstimate`. A sample whose given label T
/// does not allow for any class keeps q.
public struct LabelPosterior: Sendable {
    /// P(true = given)
    public let given: [Double]
    /// P(true ≠ given)
    public let wrong: [Double]
    /// The most likely class besides the given one, the first of equals.
    public let suggested: [Int]
    public let suggestedProbability: [Double]
    /// What the networks' probability of the true class is expected to be if the given label is wrong.
    public let networkOnTruth: [Double]
    /// s
    public let scale: Double
    /// b [C], sums to 0.
    public let bias: [Double]

    public var count: Int { given.count }

    /// So many samples tell s and b well enough.
    private static let mostFitted = 20_000

    /// - Parameter transition: T[true][given], C × C, rows sum to 1.
    public init(_ data: OutOfSample, transition: [[Double]]) {
        let c = data.classes
        precondition(transition.count == c && transition.allSatisfy { $0.count == c }, "C × C")
        var columns = [Double](repeating: 0, count: c * c)
        for a in 0..<c { for b in 0..<c { columns[b * c + a] = max(0, transition[a][b]) } }
        var fit = Fit(classes: c, columns: columns)
        let stride = max(1, data.count / LabelPosterior.mostFitted)
        let fitted = Swift.stride(from: 0, to: data.count, by: stride)
        for _ in 0..<80 where fit.improve(data, fitted) < 1e-6 { break }
        (scale, bias) = (fit.scale, fit.bias)

        var (given, suggested, best): ([Double], [Int], [Double]) = ([], [], [])
        var onTruth: [Double] = []
        var row = [Double](repeating: 0, count: c)
        var q = row
        for i in 0..<data.count {
            let y = data.labels[i]
            fit.posterior(data, i, q: &q, into: &row)
            var other = y
            var (mass, sum) = (0.0, 0.0)
            for k in 0..<c where k != y {
                if other == y || row[k] > row[other] { other = k }
                mass += row[k]
                sum += row[k] * exp(data.logProbabilities[i * c + k])
            }
            onTruth.append(mass > 1e-300 ? sum / mass : 0)
            given.append(row[y])
            suggested.append(other)
            best.append(other == y ? 0 : row[other])
        }
        self.given = given
        wrong = given.map { min(1, max(0, 1 - $0)) }
        (self.suggested, suggestedProbability, networkOnTruth) = (suggested, best, onTruth)
    }

    /// One step of expectation and maximisation after another.
    private struct Fit {
        let classes: Int
        /// T by column: [given][true].
        let columns: [Double]
        var scale = 2.0
        var bias: [Double]

        init(classes: Int, columns: [Double]) {
            (self.classes, self.columns) = (classes, columns)
            bias = [Double](repeating: 0, count: classes)
        }

        /// Centred log-probabilities stay in `q` only while it is made.
        func posterior(
            _ data: OutOfSample, _ i: Int, q: inout [Double], into row: inout [Double]
        ) {
            let (c, y) = (classes, data.labels[i])
            var mean = 0.0
            for k in 0..<c { mean += data.logProbabilities[i * c + k] }
            mean /= Double(c)
            var top = -Double.infinity
            for k in 0..<c {
                q[k] = scale * (data.logProbabilities[i * c + k] - mean) + bias[k]
                top = max(top, q[k])
            }
            var sum = 0.0
            for k in 0..<c {
                q[k] = exp(q[k] - top)
                sum += q[k]
            }
            var likelihood = 0.0
            for k in 0..<c {
                q[k] /= sum
                row[k] = q[k] * columns[y * c + k]
                likelihood += row[k]
            }
            for k in 0..<c { row[k] = likelihood > 1e-300 ? row[k] / likelihood : q[k] }
        }

        /// - Returns: by how much s changed, and b at most.
        mutating func improve(_ data: OutOfSample, _ samples: StrideTo<Int>) -> Double {
            let c = classes
            var (slope, curvature, n) = (0.0, 0.0, 0.0)
            var biasSlope = [Double](repeating: 0, count: c)
            var biasCurvature = biasSlope
            var (q, row) = (biasSlope, biasSlope)
            for i in samples {
                posterior(data, i, q: &q, into: &row)
                n += 1
                var (centre, mean) = (0.0, 0.0)
                for k in 0..<c { centre += data.logProbabilities[i * c + k] }
                centre /= Double(c)
                for k in 0..<c { mean += q[k] * (data.logProbabilities[i * c + k] - centre) }
                for k in 0..<c {
                    let (x, gap) = (data.logProbabilities[i * c + k] - centre, row[k] - q[k])
                    slope += gap * x
                    curvature += q[k] * (x - mean) * (x - mean)
                    biasSlope[k] += gap
                    biasCurvature[k] += q[k] * (1 - q[k])
                }
            }
            let old = (scale, bias)
            scale = min(50, max(0.2, scale + 1.5 * slope / (curvature + 1e-9 * n)))
            for k in 0..<c {
                let step = biasSlope[k] / max(biasCurvature[k], 1e-6 * n)
                bias[k] = min(30, max(-30, bias[k] + 0.8 * min(1, max(-1, step))))
            }
            let mean = bias.reduce(0, +) / Double(c)
            for k in 0..<c { bias[k] -= mean }
            return zip(bias, old.1).reduce(abs(scale - old.0)) { max($0, abs($1.0 - $1.1)) }
        }
    }
}
