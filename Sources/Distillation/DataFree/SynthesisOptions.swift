import Diagnostics

/// How images are synthesised: the method and all of its settings.
///
/// Defaults are those of the method's official scripts for CIFAR-10. NAYER's were read in its
/// released code, Fast-DFKD's in its public description; those of DeepInversion and DAFL are from
/// memory, and how many batches these two add per epoch is a choice of this frame (they came with
/// no pool). What a method does not use is nil.
public struct SynthesisOptions: Equatable, Sendable {
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// Label embeddings through a noisy layer that is drawn anew for each batch.
        case nayer
        /// The pixels themselves are optimised.
        case deepInversion = "deep-inversion"
        /// One generator for all, from noise; labels are what the teacher says.
        case dafl
        /// A meta-generator that is adapted in a few steps, from noise that is optimised too.
        case fastDFKD = "fast-dfkd"
        /// Nothing is made out of the teacher: the control.
        case noise
    }
    public enum StudentMode: String, Codable, Sendable, CaseIterable {
        /// The student is in eval mode while images are searched for.
        case eval
        /// From an epoch's second batch on it is in train mode: what NAYER's released code does by
        /// oversight. Its running statistics then take in half-made images.
        case train
    }
    public enum Blocks: String, Codable, Sendable, CaseIterable {
        /// One noisy layer for one sample of each class.
        case perClass = "k-to-1"
        /// One for every sample.
        case perSample = "1-to-1"
    }
    public enum MetaUpdate: String, Codable, Sendable, CaseIterable { case fomaml, reptile }

    public var method: Method
    /// B, images per batch, 2 to 65,536.
    public var batch: Int
    /// Optimisation steps per batch, 1 to 100,000. 30 for 10 classes, 40 for 100, 60 for 200.
    public var steps: Int
    /// Epochs without a student, in which the pool gets its first images, 1 to 10,000.
    public var warmUp: Int
    /// Batches per epoch of warm-up.
    public var warmUpBatches: Int
    /// Batches per epoch afterwards.
    public var batches: Int
    /// Adam's learning rate.
    public var learningRate: Double
    /// Weight of cross-entropy to the wanted label.
    public var label: Double
    /// Weight of matching batch-norm statistics.
    public var statistics: Double
    /// ρ of `StatisticsMatching`, [0, 1).
    public var momentum: Double
    /// Weight of the adversarial term after the warm-up.
    public var adversarial: Double
    public var studentMode: StudentMode

    // Generators: all but deep-inversion.
    /// w, base width.
    public var width: Int?
    /// r, length of the code: outputs of the noisy layer, or the noise itself.
    public var noise: Int?
    /// Nil: deep for images of more than 96 pixels a side.
    public var depth: ImageGenerator.Depth?

    // nayer
    /// Epochs after which a new generator starts.
    public var life: Int?
    /// Whether the noisy layer is drawn anew for every batch.
    public var redraw: Bool?
    public var blocks: Blocks?

    // deep-inversion
    /// Weight of total variation.
    public var variation: Double?
    /// Weight of the Euclidean norm of all normalised pixels.
    public var norm: Double?
    /// Weight of the competition with the student, after the warm-up.
    public var competition: Double?

    // dafl
    /// Weight of large features.
    public var activation: Double?
    /// Weight of equally frequent classes.
    public var entropy: Double?

    // fast-dfkd
    public var update: MetaUpdate?
    /// Adam's learning rate for the noise.
    public var noiseLearningRate: Double?
    /// Epoch of the student at which the generator's first layers start anew; 0: never.
    public var reset: Int?

    // The pool.
    /// Keep only about this many of the newest images, in whole batches; nil: all.
    public var cap: Int?
    /// MiB of images in memory; more stay on the disk.
    public var memory: Int
    /// Batches that are synthesised after the warm-up to measure the student with, never to train it.
    public var heldOut: Int

    public init(_ method: Method = .nayer) {
        self.method = method
        (batch, steps, warmUp, warmUpBatches, batches) = (400, 30, 20, 10, 2)
        (learningRate, label, statistics, momentum, adversarial) = (4e-3, 0.5, 10, 0.9, 1.33)
        studentMode = .eval
        memory = 1024
        heldOut = 2
        switch method {
        case .nayer:
            (width, noise, life, redraw, blocks) = (64, 1000, 10, true, .perClass)
        case .deepInversion:
            (batch, steps, warmUp, batches, learningRate) = (256, 2000, 1, 1, 0.05)
            (label, momentum, adversarial) = (1, 0, 0)
            (variation, norm, competition) = (2.5e-5, 3e-8, 0)
        case .dafl:
            (batch, steps, warmUp, batches, learningRate) = (512, 5, 1, 10, 1e-3)
            (label, statistics, momentum, adversarial) = (1, 0, 0, 0)
            (width, noise, activation, entropy) = (64, 1000, 0.1, 5)
        case .noise:
            (steps, statistics, label, momentum, adversarial) = (1, 0, 0, 0, 0)
        case .fastDFKD:
            (steps, warmUpBatches, batches, learningRate) = (5, 1, 1, 3e-3)
            (width, noise, update, noiseLearningRate, reset) = (64, 256, .fomaml, 0.015, 120)
        }
    }

    /// Of a student's epoch counted from 0, or of one of the warm-up: how many batches.
    public func batchCount(epoch: Int) -> Int { epoch < warmUp ? warmUpBatches : batches }

    /// Whether a new generator starts before this epoch, warm-up counted in: every `life` epochs from
    /// the start of the run, and from the end of the warm-up.
    public func startsAnew(epoch: Int) -> Bool {
        guard let life else { return false }
        return epoch % life == 0 || (epoch - warmUp) % life == 0
    }

    /// Images that have been synthesised after so many epochs of the student.
    public func poolSize(afterEpochs epochs: Int) -> Int {
        (warmUp * warmUpBatches + epochs * batches) * batch
    }
}

extension SynthesisOptions: Codable {
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case method, batch, steps, batches, label, statistics, momentum, adversarial
        case width, noise, depth, life, redraw, blocks, variation, norm, competition
        case activation, entropy, update, reset, cap, memory
        case warmUp = "warm-up"
        case warmUpBatches = "warm-up-batches"
        case studentMode = "student-mode"
        case learningRate = "learning-rate"
        case noiseLearningRate = "noise-learning-rate"
        case heldOut = "held-out"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(try values.decodeIfPresent(Method.self, forKey: .method) ?? .nayer)
        func whole(_ path: WritableKeyPath<Self, Int>, _ key: CodingKeys, _ range: ClosedRange<Int>)
            throws
        {
            guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return }
            try SynthesisOptions.check(key, value, range)
            self[keyPath: path] = value
        }
        func number(_ path: WritableKeyPath<Self, Double>, _ key: CodingKeys) throws {
            guard let value = try values.decodeIfPresent(Double.self, forKey: key) else { return }
            try SynthesisOptions.check(key, value)
            self[keyPath: path] = value
        }
        // Every key is asked for, so that one of another method is called misplaced, not unknown.
        func own<Value: Decodable>(_ path: WritableKeyPath<Self, Value?>, _ key: CodingKeys) throws
        {
            guard let value = try values.decodeIfPresent(Value.self, forKey: key) else { return }
            guard isUsed(key) else { throw Problem.keyOfOtherSynthesis(key.rawValue, method) }
            if let value = value as? Double { try SynthesisOptions.check(key, value) }
            if let value = value as? Int {
                let range =
                    switch key {
                    case .width: 1...4096
                    case .noise: 1...65_536
                    case .reset: 0...1_000_000
                    case .cap: 2...100_000_000
                    default: 1...1_000_000
                    }
                try SynthesisOptions.check(key, value, range)
            }
            self[keyPath: path] = value
        }
        try whole(\.batch, .batch, 2...65_536)
        try whole(\.steps, .steps, 1...100_000)
        try whole(\.warmUp, .warmUp, 1...10_000)
        try whole(\.warmUpBatches, .warmUpBatches, 1...10_000)
        try whole(\.batches, .batches, 0...10_000)
        try whole(\.memory, .memory, 0...1_000_000)
        try whole(\.heldOut, .heldOut, 1...10_000)
        try number(\.learningRate, .learningRate)
        try number(\.label, .label)
        try number(\.statistics, .statistics)
        try number(\.momentum, .momentum)
        try number(\.adversarial, .adversarial)
        if let mode = try values.decodeIfPresent(StudentMode.self, forKey: .studentMode) {
            studentMode = mode
        }
        try own(\.width, .width)
        try own(\.noise, .noise)
        try own(\.depth, .depth)
        try own(\.life, .life)
        try own(\.redraw, .redraw)
        try own(\.blocks, .blocks)
        try own(\.variation, .variation)
        try own(\.norm, .norm)
        try own(\.competition, .competition)
        try own(\.activation, .activation)
        try own(\.entropy, .entropy)
        try own(\.update, .update)
        try own(\.noiseLearningRate, .noiseLearningRate)
        try own(\.reset, .reset)
        try own(\.cap, .cap)
    }

    private func isUsed(_ key: CodingKeys) -> Bool {
        switch key {
        case .width, .noise, .depth: method != .deepInversion && method != .noise
        case .life, .redraw, .blocks: method == .nayer
        case .variation, .norm, .competition: method == .deepInversion
        case .activation, .entropy: method == .dafl
        case .update, .noiseLearningRate, .reset: method == .fastDFKD
        default: true
        }
    }

    private static func check(
        _ key: CodingKeys, _ value: Int, _ range: ClosedRange<Int>
    ) throws(Problem) {
        guard range.contains(value) else {
            throw .outOfRange(
                "method.synthesis.\(key.rawValue)", found: "\(value)",
                expected: "\(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func check(_ key: CodingKeys, _ value: Double) throws(Problem) {
        let (isFine, expected) =
            switch key {
            case .learningRate, .noiseLearningRate: (value > 0, "above 0")
            case .momentum: (value >= 0 && value < 1, "in [0, 1)")
            default: (value >= 0, "0 or more")
            }
        guard isFine, value.isFinite else {
            throw .outOfRange(
                "method.synthesis.\(key.rawValue)", found: "\(value)", expected: expected)
        }
    }
}
