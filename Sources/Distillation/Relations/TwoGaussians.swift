import Foundation

/// A mixture of two normal distributions fitted to numbers by expectation–maximisation: how small
/// losses tell right labels from wrong ones (Arazo et al. 2019, arXiv 1904.11238, with beta
/// distributions; Li, Socher, Hoi, "DivideMix", 2020, arXiv 2002.07394, with normal ones).
///
/// The numbers are first scaled to [0, 1]. Deterministic: the means start at the quartiles, both
/// variances at that of all numbers, the weights at ½. Variances stay above 5e-4, as in the
/// reference code of DivideMix [from memory].
public struct TwoGaussians: Equatable, Sendable {
    /// Of the scaled numbers; the component of lower mean first.
    public var means: [Double]
    public var variances: [Double]
    public var weights: [Double]
    /// Per number, the probability that it is of the component of lower mean.
    public var lower: [Double]
    public var iterations: Int

    static let floor = 5e-4

    /// - Parameter values: finite. Equal numbers, or fewer than two, give `lower` = 1 throughout: nothing
    ///   stands out.
    public init(_ values: [Double], tolerance: Double = 1e-6, limit: Int = 200) {
        let low = values.min() ?? 0
        let range = (values.max() ?? 0) - low
        guard values.count > 1, range > 0, range.isFinite else {
            (means, variances, weights) = ([0, 0], [0, 0], [1, 0])
            lower = values.map { _ in 1 }
            iterations = 0
            return
        }
        let x = values.map { ($0 - low) / range }
        let n = Double(x.count)
        let sorted = x.sorted()
        let mean = x.reduce(0, +) / n
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
        var means = [sorted[x.count / 4], sorted[min(x.count - 1, 3 * x.count / 4)]]
        var variances = [variance + Self.floor, variance + Self.floor]
        var weights = [0.5, 0.5]
        var first = [Double](repeating: 0.5, count: x.count)
        var last = -Double.infinity
        var steps = 0
        while steps < limit {
            steps += 1
            var total = 0.0
            for i in x.indices {
                let logs = (0..<2).map { k in
                    log(max(weights[k], 1e-300)) - 0.5 * log(2 * .pi * variances[k])
                        - (x[i] - means[k]) * (x[i] - means[k]) / (2 * variances[k])
                }
                let top = max(logs[0], logs[1])
                let sum = exp(logs[0] - top) + exp(logs[1] - top)
                first[i] = exp(logs[0] - top) / sum
                total += top + log(sum)
            }
            for k in 0..<2 {
                var (mass, mean, square) = (0.0, 0.0, 0.0)
                for i in x.indices {
                    let share = k == 0 ? first[i] : 1 - first[i]
                    mass += share
                    mean += share * x[i]
                }
                mass = max(mass, 1e-12)
                mean /= mass
                for i in x.indices {
                    let share = k == 0 ? first[i] : 1 - first[i]
                    square += share * (x[i] - mean) * (x[i] - mean)
                }
                (means[k], variances[k]) = (mean, square / mass + Self.floor)
                weights[k] = mass / n
            }
            // Of the mean log-likelihood, as usual.
            if abs(total / n - last) < tolerance { break }
            last = total / n
        }
        let isOrdered = means[0] <= means[1]
        self.means = isOrdered ? means : means.reversed()
        self.variances = isOrdered ? variances : variances.reversed()
        self.weights = isOrdered ? weights : weights.reversed()
        lower = isOrdered ? first : first.map { 1 - $0 }
        iterations = steps
    }
}
