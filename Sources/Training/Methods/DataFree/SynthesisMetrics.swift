import Distillation
import Report

/// One line of `synthesis.jsonl`: a batch of images.
public struct SynthesisMetrics: Codable, Equatable, Sendable {
    /// From 1, warm-up counted in.
    public var epoch: Int
    /// From 1, of the epoch.
    public var batch: Int
    /// Batches of the epoch.
    public var of: Int
    /// Images in the pool afterwards.
    public var images: Int
    public var facts: SynthesisFacts

    /// For a log.
    var note: String {
        "\(images) images; the teacher predicts the target label of \(percent(facts.accuracy)) of the "
            + "newest, confidence \(percent(facts.confidence))"
    }
}

/// Names of an epoch's metrics: what was synthesised for it, as means over its batches.
enum SynthesisMetric {
    static let batches = "synthesis.batches"
    /// In the pool.
    static let images = "synthesis.images"
    /// The teacher's largest class probability.
    static let confidence = "synthesis.confidence"
    /// Share of images for which the teacher predicts the target label.
    static let accuracy = "synthesis.accuracy"
    /// Share on which the student agreed with the teacher while they were searched for.
    static let agreement = "synthesis.agreement"
    /// Standard deviation of pixels within a class and batch.
    static let diversity = "synthesis.diversity"
    /// The same over the newest five batches together.
    static let diversityAcrossBatches = "synthesis.diversity-across-batches"
    /// Steps until the teacher's cross-entropy to the target labels was below 0.2, mean over the
    /// batches that got there.
    static let stepsToLabels = "synthesis.steps-to-labels"
    /// Batches that got there.
    static let reachedLabels = "synthesis.reached-labels"
    /// Share of the students' own batches on which they agree with the teacher.
    static let teacherAgreement = "teacher-agreement"

    private static let terms = "synthesis.term."
    /// Of an unweighted loss term of the kept images.
    static func named(_ term: String) -> String { terms + term }
    /// The term that a name is of; nil for another.
    static func term(_ name: String) -> String? {
        name.hasPrefix(terms) ? String(name.dropFirst(terms.count)) : nil
    }

    static func metrics(
        _ facts: [SynthesisFacts], images count: Int, acrossBatches: Double?
    ) -> [String: Double] {
        func mean(_ value: (SynthesisFacts) -> Double?) -> Double? {
            let values = facts.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        var metrics = [
            batches: Double(facts.count), images: Double(count),
            reachedLabels: Double(facts.count { $0.stepsToLabels != nil }),
        ]
        for term in Set(facts.flatMap(\.terms.keys)) {
            metrics[named(term)] = mean { $0.terms[term] }
        }
        metrics[confidence] = mean(\.confidence)
        metrics[accuracy] = mean(\.accuracy)
        metrics[agreement] = mean(\.agreement)
        metrics[diversity] = mean(\.diversity)
        metrics[diversityAcrossBatches] = acrossBatches
        metrics[stepsToLabels] = mean { $0.stepsToLabels.map(Double.init) }
        return metrics
    }
}

/// Where the synthesis of a phase stands, besides tensors and files.
struct SynthesisRecord: Codable, Equatable {
    struct Part: Codable, Equatable {
        var id: Int
        var sha256: String
    }
    struct Grid: Codable, Equatable {
        var epoch: Int
        var images: Int
        var sha256: String
        var name: String {
            let digits = String(epoch)
            return "grid-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        }
    }

    /// The next epoch that images are made for, warm-up counted in, and the next batch of it.
    var epoch = 0
    var batch = 0
    /// Batches in the pool.
    var parts: [Part] = []
    /// SHA-256 of each held-out batch.
    var heldOut: [String] = []
    var grids: [Grid] = []
    /// Of the epoch under way.
    var facts: [SynthesisFacts] = []
    /// Length and SHA-256 of `synthesis.jsonl`.
    var metricsBytes = 0
    var metrics = ""

    /// Batches ever made: rises with each, so that no two states have one number.
    var made: Int { (parts.last.map { $0.id + 1 } ?? 0) + heldOut.count }
}

extension SynthesisRecord {
    func isPossible(_ options: DataFree, epochs: Int) -> Bool {
        let synthesis = options.synthesis
        let last = synthesis.warmUp + epochs
        guard epoch >= 0, epoch <= last, batch >= 0,
            batch <= synthesis.batchCount(epoch: epoch), metricsBytes >= 0,
            heldOut.count <= SynthesisRecord.limit, parts.count <= SynthesisRecord.limit
        else { return false }
        // Batches are numbered in the order they were made.
        return zip(parts, parts.dropFirst()).allSatisfy { $0.id < $1.id }
            && parts.allSatisfy { (0...SynthesisRecord.limit).contains($0.id) }
            && grids.allSatisfy { (0...last).contains($0.epoch) && $0.images > 0 }
    }

    /// Far above what any disk holds, and far below where sums overflow.
    private static let limit = 1 << 40
}
