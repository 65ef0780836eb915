import Diagnostics
import Distillation
import Models

/// `adaptive-mixing`: who teaches, with which losses, and how the losses are weighed.
///
///     method:
///       name: adaptive-mixing
///       teachers: [{model: {name: resnet20}}, {model: {name: resnet8}, epochs: [5, 10]}]
///       weighting: adaptive
public struct MixingOptions: Codable, Equatable, Sendable {
    public enum Weighting: String, Codable, Sendable, CaseIterable {
        /// A weight per sample and loss, learnt on the meta-validation split.
        case adaptive
        /// `start` for every sample, all the time.
        case fixed
        /// Fixed, and every teacher left out of a batch with probability `drop`.
        case dropping
        /// Fixed, and each sample's mixed loss through SuperLoss.
        case superLoss = "super-loss"
    }

    public var weighting: Weighting
    /// Of adaptive weights; `temperature` and `start` are those of every weighting.
    public var mixing: AdaptiveMixingOptions
    public var drop: Double
    /// ℓ_0, against the given labels.
    public var loss: LabelLoss
    /// ℓ_1 … ℓ_M, towards each teacher.
    public var divergence: TeacherLoss
    /// Further losses against the given labels, mixed like those of teachers.
    public var also: [LabelLoss]
    public var teachers: [MixingTeacher]

    public init(teachers: [MixingTeacher] = [MixingTeacher()]) {
        self.teachers = teachers
        weighting = .adaptive
        mixing = .init()
        drop = 0.25
        loss = .crossEntropy()
        divergence = .divergence(.kl)
        also = []
    }

    private enum Keys: String, CodingKey {
        case weighting, drop, loss, divergence, also, teachers
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        self.init()
        mixing = try AdaptiveMixingOptions(from: decoder)
        weighting = try values.decodeIfPresent(Weighting.self, forKey: .weighting) ?? weighting
        drop = try values.decodeIfPresent(Double.self, forKey: .drop) ?? drop
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        divergence = try values.decodeIfPresent(TeacherLoss.self, forKey: .divergence) ?? divergence
        also = try values.decodeIfPresent([LabelLoss].self, forKey: .also) ?? also
        teachers = try values.decodeIfPresent([MixingTeacher].self, forKey: .teachers) ?? teachers
        guard (0..<1).contains(drop) else {
            throw Problem.outOfRange("method.drop", found: "\(drop)", expected: "0 <= drop < 1")
        }
        guard teachers.count <= 16, teachers.count + also.count >= 1 else {
            throw Problem.outOfRange(
                "method.teachers", found: "\(teachers.count)", expected: "1 to 16 teachers")
        }
        guard also.count <= 8 else {
            throw Problem.outOfRange("method.also", found: "\(also.count)", expected: "at most 8")
        }
        guard weighting == .adaptive || fixedShare != nil else {
            throw Problem.outOfRange(
                "method.start", found: "uniform", expected: "a number, where weights are fixed")
        }
        if weighting == .dropping, fixedShare == 1, drop > 0 {
            throw Problem.outOfRange(
                "method.start", found: "1", expected: "below 1 where teachers are dropped")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        try mixing.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(weighting, forKey: .weighting)
        try values.encode(drop, forKey: .drop)
        try values.encode(loss, forKey: .loss)
        try values.encode(divergence, forKey: .divergence)
        try values.encode(also, forKey: .also)
        try values.encode(teachers, forKey: .teachers)
    }

    /// λ of the fixed weightings: 1 − λ for the given labels, λ for every other loss.
    var fixedShare: Double? {
        if case .share(let share) = mixing.start { share } else { nil }
    }
}

/// One teacher, or several snapshots of one.
public struct MixingTeacher: Codable, Equatable, Sendable {
    /// Outputs spoilt on purpose, for experiments: those for the samples of some classes, or for some
    /// samples, are permuted.
    public struct Corruption: Codable, Equatable, Sendable {
        public enum Unit: String, Codable, Sendable, CaseIterable {
            /// One permutation for all samples of the classes.
            case classes
            /// Every sample has a permutation of its own.
            case samples
        }

        /// 0 to 1.
        public var share: Double
        /// What it is a share of.
        public var of: Unit
        public var seed: UInt64

        public init(share: Double, of unit: Unit = .classes, seed: UInt64 = 0) {
            self.share = share
            of = unit
            self.seed = seed
        }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            share = try values.decode(Double.self, forKey: .share)
            of = try values.decodeIfPresent(Unit.self, forKey: .of) ?? .classes
            seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
            guard (0...1).contains(share) else {
                throw Problem.outOfRange(
                    "method.teachers.corrupt.share", found: "\(share)", expected: "0 to 1")
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(share, forKey: .share)
            try values.encode(seed, forKey: .seed)
            // Left out where it is the usual one: keys of phases of before it was there stay.
            if of != .classes { try values.encode(of, forKey: .of) }
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case share, of, seed }
    }

    /// Its network; the student's if not given, which is self-distillation.
    public var model: ModelSpec?
    /// A safetensors file with the weights of `model`; if not given, the teacher is trained with
    /// cross-entropy on the same (noisy) labels.
    public var file: String?
    /// Which weights of the trained teacher teach.
    public var weights: TeacherWeights
    /// Besides, its weights after each of these epochs, as teachers of their own.
    public var epochs: [Int]
    /// A network that never learnt anything, for experiments.
    public var untrained: Bool
    public var corrupt: Corruption?

    public init(model: ModelSpec? = nil, weights: TeacherWeights = .selected) {
        self.model = model
        self.weights = weights
        epochs = []
        untrained = false
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        model = try values.decodeIfPresent(ModelSpec.self, forKey: .model)
        file = try values.decodeIfPresent(String.self, forKey: .file)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
        epochs = try values.decodeIfPresent([Int].self, forKey: .epochs) ?? []
        untrained = try values.decodeIfPresent(Bool.self, forKey: .untrained) ?? false
        corrupt = try values.decodeIfPresent(Corruption.self, forKey: .corrupt)
        guard epochs.allSatisfy({ $0 >= 1 }), Set(epochs).count == epochs.count, epochs.count <= 8
        else {
            throw Problem.outOfRange(
                "method.teachers.epochs", found: "\(epochs)",
                expected: "at most 8 different numbers from 1")
        }
        if untrained || file != nil, !epochs.isEmpty || (untrained && file != nil) {
            throw Problem.outOfRange(
                "method.teachers", found: untrained ? "untrained" : "a file",
                expected: "neither epochs nor another source beside it")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, file, weights, epochs, untrained, corrupt
    }
}
