import Diagnostics

/// How images are synthesised: the method and all of its settings.
///
/// Defaults are those of the method's official scripts for CIFAR-10. NAYER's were read in its
/// released code, Fast-DFKD's in its public description; those of DeepInversion and DAFL are from
/// memory, and how many batches these two add per epoch is our choice (they have no
/// pool). DeepInversion's `adamBetas` and `rollingShift` were read in the public data-free framework
/// of Fang et al. (2021); its authors' own code has betas .5, .9 for ImageNet and .9, .999 for
/// CIFAR-10, and a shift of 2 in 32 pixels. Neither has a term of the student's statistics, hence 0.
/// What a method does not use is nil.
public struct SynthesisOptions: Equatable, Sendable {
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// Label embeddings through a noisy layer that gets new random weights for each batch.
        case nayer
        /// The pixels themselves are optimised.
        case deepInversion = "deep-inversion"
        /// One generator for all batches, from noise; the labels are the teacher's predictions.
        case dafl
        /// A meta-generator that is adapted in a few steps, from noise that is optimised as well.
        case fastDFKD = "fast-dfkd"
        /// Random pixels, without the teacher: the control.
        case noise
    }
    public enum StudentMode: String, Codable, Sendable, CaseIterable {
        /// The student is in eval mode while images are searched for.
        case eval
        /// From an epoch's second batch on it is in train mode: what NAYER's released code does by
        /// oversight. Its running statistics are then updated with unfinished images.
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
    public var batchesPerEpoch: Int
    /// Adam's learning rate.
    public var learningRate: Double
    /// Weight of cross-entropy to the target label.
    public var labelWeight: Double
    /// Weight of matching batch-norm statistics.
    public var bnWeight: Double
    /// ρ of `StatisticsMatching`, [0, 1).
    public var bnMomentum: Double
    /// Weight of the adversarial term after the warm-up.
    public var adversarialWeight: Double
    public var studentMode: StudentMode

    // Generators: all but deep-inversion.
    /// w, base width.
    public var width: Int?
    /// r, the length of the latent code: outputs of the noisy layer, or the noise itself.
    public var latentDim: Int?
    /// Nil: deep for images of more than 96 pixels a side.
    public var depth: ImageGenerator.Depth?

    // nayer
    /// Epochs after which a new generator takes over.
    public var generatorEpochs: Int?
    /// Whether the noisy layer gets new random weights for every batch.
    public var resample: Bool?
    public var blocks: Blocks?

    // deep-inversion
    /// Weight of total variation.
    public var tvWeight: Double?
    /// Weight of the Euclidean norm of all normalised pixels.
    public var l2Weight: Double?
    /// Weight of the competition with the student, after the warm-up.
    public var competitionWeight: Double?
    /// Weight of the statistics in the student's own batch norms, after the warm-up; any sign. Below 0
    /// they compete: −0.001 asks for images that are unlike what the student has seen.
    public var studentBNWeight: Double?
    /// Decay rates of Adam's two moments, each in [0, 1).
    public var adamBetas: [Double]?
    /// Largest shift of a batch in shares of its sides, in [0, 1): all its images are rolled by the same
    /// random number of pixels at every step, and what leaves on one side comes back on the other.
    /// 0: images are cropped one by one, as for the other methods.
    public var rollingShift: Double?

    // dafl
    /// Weight of large features.
    public var activationWeight: Double?
    /// Weight of equally frequent classes.
    public var entropyWeight: Double?

    // fast-dfkd
    public var update: MetaUpdate?
    /// Adam's learning rate for the noise.
    public var noiseLearningRate: Double?
    /// Epoch of the student at which the generator's first layers get fresh weights; 0: never.
    public var resetEpoch: Int?

    // The pool.
    /// Keeps only about this many of the newest images, in whole batches; nil: all.
    public var maxImages: Int?
    /// MiB of images in memory; more stay on the disk.
    public var memory: Int
    /// Batches that are synthesised after the warm-up to measure the student with, never to train it.
    public var heldOutBatches: Int

    public init(_ method: Method = .nayer) {
        self.method = method
        (batch, steps, warmUp, warmUpBatches, batchesPerEpoch) = (400, 30, 20, 10, 2)
        (learningRate, labelWeight, bnWeight, bnMomentum, adversarialWeight) = (
            4e-3, 0.5, 10, 0.9, 1.33
        )
        studentMode = .eval
        memory = 1024
        heldOutBatches = 2
        switch method {
        case .nayer:
            (width, latentDim, generatorEpochs, resample, blocks) = (64, 1000, 10, true, .perClass)
        case .deepInversion:
            (batch, steps, warmUp, batchesPerEpoch, learningRate) = (256, 2000, 1, 1, 0.05)
            (labelWeight, bnMomentum, adversarialWeight) = (1, 0, 0)
            (tvWeight, l2Weight, competitionWeight) = (2.5e-5, 3e-8, 0)
            (studentBNWeight, adamBetas, rollingShift) = (0, [0.5, 0.99], 0.125)
        case .dafl:
            (batch, steps, warmUp, batchesPerEpoch, learningRate) = (512, 5, 1, 10, 1e-3)
            (labelWeight, bnWeight, bnMomentum, adversarialWeight) = (1, 0, 0, 0)
            (width, latentDim, activationWeight, entropyWeight) = (64, 1000, 0.1, 5)
        case .noise:
            (steps, bnWeight, labelWeight, bnMomentum, adversarialWeight) = (1, 0, 0, 0, 0)
        case .fastDFKD:
            (steps, warmUpBatches, batchesPerEpoch, learningRate) = (5, 1, 1, 3e-3)
            (width, latentDim, update, noiseLearningRate, resetEpoch) = (
                64, 256, .fomaml, 0.015, 120
            )
        }
    }

    /// Of a student's epoch counted from 0, or of one of the warm-up: how many batches.
    public func batchCount(epoch: Int) -> Int { epoch < warmUp ? warmUpBatches : batchesPerEpoch }

    /// Whether a new generator starts before this epoch, warm-up counted in: every `generatorEpochs` epochs from
    /// the start of the run, and from the end of the warm-up.
    public func startsAnew(epoch: Int) -> Bool {
        guard let generatorEpochs else { return false }
        return epoch % generatorEpochs == 0 || (epoch - warmUp) % generatorEpochs == 0
    }

    /// Images that have been synthesised after so many epochs of the student.
    public func poolSize(afterEpochs epochs: Int) -> Int {
        (warmUp * warmUpBatches + epochs * batchesPerEpoch) * batch
    }
}

extension SynthesisOptions: Codable {
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case method, batch, steps, width, depth, blocks, update, resample, memory
        case batchesPerEpoch = "batches-per-epoch"
        case labelWeight = "label-weight"
        case bnWeight = "bn-weight"
        case bnMomentum = "bn-momentum"
        case adversarialWeight = "adversarial-weight"
        case latentDim = "latent-dim"
        case generatorEpochs = "generator-epochs"
        case tvWeight = "tv-weight"
        case l2Weight = "l2-weight"
        case competitionWeight = "competition-weight"
        case studentBNWeight = "student-bn-weight"
        case adamBetas = "adam-betas"
        case rollingShift = "rolling-shift"
        case activationWeight = "activation-weight"
        case entropyWeight = "entropy-weight"
        case resetEpoch = "reset-epoch"
        case maxImages = "max-images"
        case warmUp = "warm-up"
        case warmUpBatches = "warm-up-batches"
        case studentMode = "student-mode"
        case learningRate = "learning-rate"
        case noiseLearningRate = "noise-learning-rate"
        case heldOutBatches = "held-out-batches"
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
            if let values = value as? [Double] { try SynthesisOptions.checkBetas(values) }
            if let value = value as? Int {
                let range =
                    switch key {
                    case .width: 1...4096
                    case .latentDim: 1...65_536
                    case .resetEpoch: 0...1_000_000
                    case .maxImages: 2...100_000_000
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
        try whole(\.batchesPerEpoch, .batchesPerEpoch, 0...10_000)
        try whole(\.memory, .memory, 0...1_000_000)
        try whole(\.heldOutBatches, .heldOutBatches, 1...10_000)
        try number(\.learningRate, .learningRate)
        try number(\.labelWeight, .labelWeight)
        try number(\.bnWeight, .bnWeight)
        try number(\.bnMomentum, .bnMomentum)
        try number(\.adversarialWeight, .adversarialWeight)
        if let mode = try values.decodeIfPresent(StudentMode.self, forKey: .studentMode) {
            studentMode = mode
        }
        try own(\.width, .width)
        try own(\.latentDim, .latentDim)
        try own(\.depth, .depth)
        try own(\.generatorEpochs, .generatorEpochs)
        try own(\.resample, .resample)
        try own(\.blocks, .blocks)
        try own(\.tvWeight, .tvWeight)
        try own(\.l2Weight, .l2Weight)
        try own(\.competitionWeight, .competitionWeight)
        try own(\.studentBNWeight, .studentBNWeight)
        try own(\.adamBetas, .adamBetas)
        try own(\.rollingShift, .rollingShift)
        try own(\.activationWeight, .activationWeight)
        try own(\.entropyWeight, .entropyWeight)
        try own(\.update, .update)
        try own(\.noiseLearningRate, .noiseLearningRate)
        try own(\.resetEpoch, .resetEpoch)
        try own(\.maxImages, .maxImages)
    }

    private func isUsed(_ key: CodingKeys) -> Bool {
        switch key {
        case .width, .latentDim, .depth: method != .deepInversion && method != .noise
        case .generatorEpochs, .resample, .blocks: method == .nayer
        case .tvWeight, .l2Weight, .competitionWeight, .studentBNWeight, .adamBetas, .rollingShift:
            method == .deepInversion
        case .activationWeight, .entropyWeight: method == .dafl
        case .update, .noiseLearningRate, .resetEpoch: method == .fastDFKD
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
            case .bnMomentum, .rollingShift: (value >= 0 && value < 1, "in [0, 1)")
            case .studentBNWeight: (true, "a number")
            default: (value >= 0, "0 or more")
            }
        guard isFine, value.isFinite else {
            throw .outOfRange(
                "method.synthesis.\(key.rawValue)", found: "\(value)", expected: expected)
        }
    }

    private static func checkBetas(_ values: [Double]) throws(Problem) {
        guard values.count == 2, values.allSatisfy({ (0..<1).contains($0) }) else {
            throw .outOfRange(
                "method.synthesis.adam-betas", found: "\(values)", expected: "two in [0, 1)")
        }
    }
}
