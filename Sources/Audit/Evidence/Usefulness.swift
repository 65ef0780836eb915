import Datasets
import Foundation
import Randomness

/// Whether networks tell anything of the labels of samples that they did not see: a one-sided test against
/// permuted labels.
///
/// What is counted is how many given labels are predicted. Up to 10,000 samples, labels are permuted 999 times
/// (p = (1 + number with at least as many hits) / 1,000); beyond that the number of hits is as good as normal, with
/// the mean and variance over all permutations, which are known exactly:
///
///     E = Σ n_k m_k / N        Var = (N E + E² − Σ n_k m_k (n_k + m_k) / N) / (N − 1)
///
/// n_k samples are given label k, m_k are predicted as k.
public struct Usefulness: Codable, Equatable, Sendable {
    /// Share of given labels that are predicted.
    public let hits: Double
    /// The same, expected of permuted labels.
    public let chance: Double
    /// The probability of so many hits, or more, if predictions and labels had nothing to do with one another.
    public let p: Double

    /// One useless model of a hundred passes.
    public static let level = 0.01

    /// No list can be made of such predictions.
    public var isUseless: Bool { p > Usefulness.level }

    private static let mostPermuted = 10_000
    private static let permutations = 999

    public init(_ data: OutOfSample, seed: UInt64) {
        self.init(
            labels: data.labels, predictions: data.predictions, classes: data.classes, seed: seed)
    }

    init(labels: [Int], predictions: [Int], classes: Int, seed: UInt64) {
        let moments = Usefulness.moments(labels, predictions, classes)
        let found = zip(labels, predictions).count { $0 == $1 }
        hits = Double(found) / Double(labels.count)
        chance = moments.mean / Double(labels.count)
        guard moments.variance > 0 else {
            p = 1  // one label, or one prediction: nothing can be seen
            return
        }
        if labels.count > Usefulness.mostPermuted {
            let z = (Double(found) - 0.5 - moments.mean) / moments.variance.squareRoot()
            p = erfc(z / 2.0.squareRoot()) / 2
        } else {
            var draw = Draw(seed: seed, .audit, epoch: WrongLabelModel.Stream.permutations)
            var labels = labels
            var asMany = 0
            for _ in 0..<Usefulness.permutations {
                labels.permute(&draw)
                if zip(labels, predictions).count(where: { $0 == $1 }) >= found { asMany += 1 }
            }
            p = Double(1 + asMany) / Double(1 + Usefulness.permutations)
        }
    }

    static func moments(
        _ labels: [Int], _ predictions: [Int], _ classes: Int
    ) -> (mean: Double, variance: Double) {
        var n = [Double](repeating: 0, count: classes)
        var m = n
        for (label, prediction) in zip(labels, predictions) {
            n[label] += 1
            m[prediction] += 1
        }
        let total = Double(labels.count)
        guard total > 1 else { return (zip(n, m).reduce(0) { $0 + $1.0 * $1.1 }, 0) }
        let mean = zip(n, m).reduce(0) { $0 + $1.0 * $1.1 } / total
        let cubes = zip(n, m).reduce(0) { $0 + $1.0 * $1.1 * ($1.0 + $1.1) } / total
        return (mean, max(0, (total * mean + mean * mean - cubes) / (total - 1)))
    }
}
