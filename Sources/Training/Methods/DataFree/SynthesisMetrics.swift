import Distillation

/// One line of `synthesis.jsonl`: a batch of images.
public struct SynthesisMetrics: Codable, Equatable, Sendable {
    /// From 1, warm-up counted in.
    public var epoch: Int
    /// From 1, of the epoch.
    public var batch: Int
    /// Batches of the epoch.
    public var of: Int
    /// In the pool afterwards.
    public var images: Int
    public var facts: SynthesisFacts

    /// For a log.
    var note: String {
        "\(images) images; the teacher takes \(percentText(facts.accuracy)) of the newest for what was "
            + "wanted, confidence \(percentText(facts.confidence))"
    }
}

/// What was synthesised for an epoch of the students: means over its batches.
public struct SynthesisSummary: Codable, Equatable, Sendable {
    public var batches: Int
    /// In the pool.
    public var images: Int
    /// Unweighted loss terms of the kept images.
    public var terms: [String: Double]
    /// The teacher's largest class probability.
    public var confidence: Double?
    /// Share of images that the teacher takes for what was wanted.
    public var accuracy: Double?
    /// Share on which the student agreed with the teacher while they were searched for.
    public var agreement: Double?
    /// Standard deviation of pixels within a class and batch.
    public var diversity: Double?
    /// The same over the newest five batches together.
    public var diversityAcrossBatches: Double?
    /// Steps until the teacher's cross-entropy to the wanted labels was below 0.2, mean over the
    /// batches that got there.
    public var stepsToLabels: Double?
    /// Batches that got there.
    public var reachedLabels: Int

    init(_ facts: [SynthesisFacts], images: Int, acrossBatches: Double?) {
        func mean(_ value: (SynthesisFacts) -> Double?) -> Double? {
            let values = facts.compactMap(value)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
        batches = facts.count
        self.images = images
        terms = [:]
        for name in Set(facts.flatMap(\.terms.keys)) { terms[name] = mean { $0.terms[name] } }
        confidence = mean(\.confidence)
        accuracy = mean(\.accuracy)
        agreement = mean(\.agreement)
        diversity = mean(\.diversity)
        diversityAcrossBatches = acrossBatches
        stepsToLabels = mean { $0.stepsToLabels.map(Double.init) }
        reachedLabels = facts.count { $0.stepsToLabels != nil }
    }
}

/// Of a phase that learnt from synthetic images.
public struct SynthesisResult: Codable, Equatable, Sendable {
    /// The method of synthesis.
    public var method: String
    /// What the generator was told of the classes, in words; nil where it is told nothing.
    public var embeddings: String?
    /// In the pool at the end.
    public var images: Int
    /// Never trained on.
    public var heldOutImages: Int
    /// True where there are test samples; false: "test" then means what "validation" always means
    /// here, agreement with the teacher on held-out synthetic images.
    public var hasTestData: Bool
    /// Whether batch-norm statistics were matched.
    public var matchesStatistics: Bool
    /// Constants as used, or as learnt.
    public var normalisation: [String: [Float]]
    /// What a reader should know.
    public var notes: [String]
}

/// Where the synthesis of a phase stands, besides tensors and files.
struct SynthesisRecord: Codable, Equatable {
    struct Part: Codable, Equatable {
        var id: Int
        var sha256: String
    }
    struct Sheet: Codable, Equatable {
        var epoch: Int
        var images: Int
        var sha256: String
        var name: String {
            let digits = String(epoch)
            return "sheet-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        }
    }

    /// The next epoch that images are made for, warm-up counted in, and the next batch of it.
    var epoch = 0
    var batch = 0
    /// Batches in the pool.
    var parts: [Part] = []
    /// SHA-256 of each held-out batch.
    var heldOut: [String] = []
    var sheets: [Sheet] = []
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
            && sheets.allSatisfy { (0...last).contains($0.epoch) && $0.images > 0 }
    }

    /// Far above what any disk holds, and far below where sums overflow.
    private static let limit = 1 << 40
}
