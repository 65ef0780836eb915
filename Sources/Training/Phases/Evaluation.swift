import Datasets
import Diagnostics
import Foundation
import Neural
import Torch

/// How a network does on a set of samples with known labels.
public struct Evaluation: Codable, Equatable, Sendable {
    public var samples: Int
    /// Share of samples whose largest logit is the label's.
    public var accuracy: Double
    /// Share whose label is among the five largest (all of them if there are five classes or fewer).
    public var top5: Double
    /// Mean −log p(label), nats.
    public var nll: Double
    /// Expected calibration error over 15 bins of equal width in confidence (Guo et al. 2017,
    /// arXiv 1706.04599): Σ_b (n_b/n) |accuracy_b − confidence_b|.
    public var ece: Double
    /// Accuracy of each class; nil for classes without a sample.
    public var perClass: [Double?]
    /// Rows: label; columns: prediction; counts.
    public var confusion: [[Int]]

    static let bins = 15

    /// From log-probabilities in row-major order [n, classes].
    public init(logProbabilities: [Float], classes: Int, labels: [Int]) {
        samples = labels.count
        var hits = 0
        var nearHits = 0
        var loss = 0.0
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        var bins = [(count: Int, hits: Int, confidence: Double)](
            repeating: (0, 0, 0), count: Evaluation.bins)
        for (i, label) in labels.enumerated() {
            let row = logProbabilities[i * classes..<(i + 1) * classes]
            let own = row[row.startIndex + label]
            var best = 0
            var above = 0
            for (c, value) in row.enumerated() {
                if value > row[row.startIndex + best] { best = c }
                // Ties go to the lower class, as in `best`.
                if value > own || (value == own && c < label) { above += 1 }
            }
            let confidence = Double(exp(row[row.startIndex + best]))
            // Not-a-number has no bin of its own; those who measure networks refuse it before.
            let place = confidence * Double(Evaluation.bins)
            let bin = place >= 0 ? Int(min(place, Double(Evaluation.bins - 1))) : 0
            bins[bin].count += 1
            bins[bin].confidence += confidence
            if best == label {
                hits += 1
                bins[bin].hits += 1
            }
            if above < 5 { nearHits += 1 }
            loss -= Double(own)
            confusion[label][best] += 1
        }
        let n = Double(max(1, samples))
        accuracy = Double(hits) / n
        top5 = Double(nearHits) / n
        nll = loss / n
        ece = bins.reduce(0) { $0 + abs(Double($1.hits) - $1.confidence) } / n
        perClass = confusion.enumerated().map { c, row in
            let total = row.reduce(0, +)
            return total == 0 ? nil : Double(row[c]) / Double(total)
        }
        self.confusion = confusion
    }
}

/// A set of samples ready to be put through networks again and again: plain inputs in a fixed order.
public final class EvaluationSet {
    public let labels: [Int]
    public let members: [Int]
    private let plan: BatchPlan
    private let device: Device
    /// Kept between evaluations while they are small enough.
    private var cached: [Tensor] = []
    private static let cacheLimit = 400 << 20  // bytes

    /// - Parameter labels: of `members`; the data set's given labels if nil.
    public init(
        _ data: Dataset, members: [Int], labels: [Int]? = nil, normalisation: Normalisation,
        batch: Int = 500, device: Device = .cpu
    ) throws(Problem) {
        self.members = members
        self.labels = labels ?? members.map { data.labels[$0] }
        self.device = device
        plan = try BatchPlan(
            data, members: members, batchSize: batch, seed: 0, normalisation: normalisation,
            layout: data.isImages ? .channelsLast : .channelsFirst, shuffled: false)
    }

    /// Calls `body` with every batch of inputs in order.
    public func forEachBatch(_ body: (Tensor) throws -> Void) rethrows {
        if !cached.isEmpty { return try cached.forEach(body) }
        let bytes = members.count * plan.dataset.sampleSize * 4
        var keep: [Tensor] = []
        for step in 0..<plan.stepsPerEpoch {
            let inputs = plan.batch(epoch: 0, step: step).inputs.to(device)
            try body(inputs)
            if bytes <= EvaluationSet.cacheLimit { keep.append(inputs) }
        }
        cached = keep
    }

    /// Logits [n, classes] in the order of `members`, float32, without gradient.
    public func logits(_ network: (Tensor) -> Tensor, precision: Precision) -> Tensor {
        var parts: [Tensor] = []
        withoutGradient {
            forEachBatch { inputs in
                parts.append(
                    withPrecision(precision, on: device) { network(inputs) }.to(.float32).to(.cpu))
            }
        }
        return Tensor.concatenated(parts)
    }

    /// - Throws: an engine error, or `OutputsNotFinite`.
    public func evaluate(
        _ network: (Tensor) -> Tensor, precision: Precision
    ) throws -> Evaluation {
        try Engine.checked {
            try evaluation(ofLogProbabilities: logits(network, precision: precision).logSoftmax())
        }
    }

    /// - Parameter logP: [n, classes] in the order of `members`.
    func evaluation(ofLogProbabilities logP: Tensor) throws(OutputsNotFinite) -> Evaluation {
        Evaluation(
            logProbabilities: try finite(logP).floats(), classes: max(1, logP.shape.last ?? 1),
            labels: labels)
    }
}

/// A network's outputs for a sample are not finite numbers: no class may be told from them.
struct OutputsNotFinite: Error {
    /// In the data set.
    var sample: Int
    /// Where that is known: validation, test, training.
    var split: String?

    /// Names the split that `body` measures on.
    static func naming<Result>(_ split: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch var error as OutputsNotFinite {
            error.split = error.split ?? split
            throw error
        }
    }
}

extension EvaluationSet {
    /// `rows` [n, …] in the order of `members`, if all of it is finite.
    func finite(_ rows: Tensor) throws(OutputsNotFinite) -> Tensor {
        let isFinite = rows.isFinite()
        if isFinite.all().item == 1 { return rows }
        // Of a poisoned tensor there is nothing to see; the scope has the engine's error.
        let values = isFinite.isPoisoned ? [] : isFinite.to(.int64).ints()
        let place = values.firstIndex(of: 0) ?? 0
        let row = place * members.count / max(1, values.count)
        throw OutputsNotFinite(sample: members.indices.contains(row) ? members[row] : 0)
    }
}

extension Batch {
    /// Images as [N, C, H, W] in channels-last memory; tables as [N, D].
    var inputs: Tensor {
        let tensor = Tensor(features, shape)
        // A channels-last batch is [N, H, W, C] in memory: a permuted view of it is what the engine
        // calls channels-last, without a copy.
        return shape.count == 4 ? tensor.permuted([0, 3, 1, 2]) : tensor
    }
}
