import Diagnostics
import Foundation

/// What networks that never saw a sample say of it, beside the label that it was given.
///
/// Noise is estimated from such predictions only: a network knows by heart the labels that it learnt from,
/// the wrong ones too.
public struct OutOfSample: Sendable {
    /// Natural logarithms of probabilities [samples × classes], a row per sample, finite; those below e^−60
    /// count as e^−60, so that a class that is ruled out stays comparable.
    public let logProbabilities: [Double]
    /// The given label of each sample.
    public let labels: [Int]
    public let classes: Int

    public var count: Int { labels.count }

    private static let least = -60.0

    /// - Parameter logProbabilities: [samples × classes]; rows are made to sum to 1 and may be logits.
    /// - Throws: where there is no sample, sizes do not fit, a label is no class, or a number is NaN or +∞.
    public init(
        logProbabilities: [Double], labels: [Int], classes: Int
    ) throws(Problem) {
        guard classes >= 1, !labels.isEmpty else { throw .noPredictions }
        guard logProbabilities.count == labels.count * classes else {
            throw .predictionCount(
                logProbabilities.count, samples: labels.count, classes: classes)
        }
        if let i = labels.firstIndex(where: { !(0..<classes).contains($0) }) {
            throw .labelOfPrediction(sample: i, labels[i], classes: classes)
        }
        var rows = logProbabilities
        for i in labels.indices {
            let row = i * classes..<(i + 1) * classes
            guard let top = rows[row].max(), top.isFinite,
                rows[row].allSatisfy({ !$0.isNaN })
            else { throw .predictionNotFinite(sample: i) }
            var sum = 0.0
            for k in row { sum += exp(rows[k] - top) }
            let norm = top + log(sum)
            for k in row { rows[k] = max(OutOfSample.least, rows[k] - norm) }
        }
        (self.logProbabilities, self.labels, self.classes) = (rows, labels, classes)
    }

    /// Of some samples, in the order given.
    func subset(_ samples: [Int]) -> OutOfSample {
        OutOfSample(
            checked: samples.flatMap { logProbabilities[$0 * classes..<($0 + 1) * classes] },
            labels: samples.map { labels[$0] }, classes: classes)
    }

    private init(checked logProbabilities: [Double], labels: [Int], classes: Int) {
        (self.logProbabilities, self.labels, self.classes) = (logProbabilities, labels, classes)
    }

    func probability(_ sample: Int, _ k: Int) -> Double {
        exp(logProbabilities[sample * classes + k])
    }

    /// The class with the largest probability of each sample, the first of equals.
    public var predictions: [Int] {
        labels.indices.map { i in
            var best = 0
            for k in 1..<max(1, classes)
            where logProbabilities[i * classes + k] > logProbabilities[i * classes + best] {
                best = k
            }
            return best
        }
    }

    /// How many standard deviations more given labels are predicted than if predictions and labels were
    /// independent: below about 3 the networks may have learnt nothing. Nil for one class.
    public var skill: Double? {
        guard classes > 1 else { return nil }
        var (given, predicted) = (
            [Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes)
        )
        var hits = 0.0
        for (label, prediction) in zip(labels, predictions) {
            given[label] += 1
            predicted[prediction] += 1
            if label == prediction { hits += 1 }
        }
        let n = Double(count)
        let chance = zip(given, predicted).reduce(0) { $0 + $1.0 * $1.1 } / (n * n)
        let deviation = (n * chance * (1 - chance)).squareRoot()
        // Everything of one class: nothing could be seen of skill.
        return deviation > 0 ? (hits - n * chance) / deviation : 0
    }
}

extension Problem {
    fileprivate static var noPredictions: Problem {
        Problem(
            .data, "nothing to estimate label noise from", found: "no sample",
            expected: "predictions of at least one sample")
    }

    fileprivate static func predictionCount(
        _ found: Int, samples: Int, classes: Int
    ) -> Problem {
        Problem(
            .data, "predictions and labels do not fit", found: "\(found) numbers",
            expected: "\(samples) samples x \(classes) classes")
    }

    fileprivate static func labelOfPrediction(
        sample: Int, _ label: Int, classes: Int
    ) -> Problem {
        Problem(
            .data, "label is no class", at: .init(detail: ["sample \(sample)"]),
            found: "\(label)", expected: "0 to \(classes - 1)")
    }

    fileprivate static func predictionNotFinite(sample: Int) -> Problem {
        Problem(
            .data, "prediction is not finite", at: .init(detail: ["sample \(sample)"]),
            found: "not a number or infinite", expected: "logarithms of probabilities")
    }
}
