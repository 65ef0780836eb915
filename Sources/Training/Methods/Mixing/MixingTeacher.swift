import Diagnostics
import Models

/// One teacher, or several snapshots of one.
public struct MixingTeacher: Codable, Equatable, Sendable {
    /// A teacher that is corrupted on purpose, for experiments: its outputs are permuted for the samples of
    /// some classes, or for a random share of the samples.
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

        enum CodingKeys: String, CodingKey, CaseIterable { case share, of, seed }
    }

    /// Its network; the student's if not given, which is self-distillation.
    public var model: ModelSpec?
    /// A safetensors file with the weights of `model`; if not given, the teacher is trained with
    /// cross-entropy on the same (noisy) labels.
    public var file: String?
    /// What it is trained with: cross-entropy if nil.
    public var method: AnyMethod?
    /// Which weights of the trained teacher are used.
    public var weights: TeacherWeights
    /// The weights after each of these epochs are further teachers.
    public var snapshotEpochs: [Int]
    /// A network with random weights, for experiments.
    public var untrained: Bool
    public var corrupt: Corruption?

    public init(
        model: ModelSpec? = nil, method: (any Method)? = nil, weights: TeacherWeights = .selected
    ) {
        self.model = model
        self.method = method.map(AnyMethod.init)
        self.weights = weights
        snapshotEpochs = []
        untrained = false
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        model = try values.decodeIfPresent(ModelSpec.self, forKey: .model)
        file = try values.decodeIfPresent(String.self, forKey: .file)
        method = try values.decodeIfPresent(AnyMethod.self, forKey: .method)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? .selected
        snapshotEpochs = try values.decodeIfPresent([Int].self, forKey: .snapshotEpochs) ?? []
        untrained = try values.decodeIfPresent(Bool.self, forKey: .untrained) ?? false
        corrupt = try values.decodeIfPresent(Corruption.self, forKey: .corrupt)
        guard snapshotEpochs.allSatisfy({ $0 >= 1 }),
            Set(snapshotEpochs).count == snapshotEpochs.count, snapshotEpochs.count <= 8
        else {
            throw Problem.outOfRange(
                "method.teachers.snapshot-epochs", found: "\(snapshotEpochs)",
                expected: "at most 8 different numbers from 1")
        }
        if method != nil, untrained {
            throw Problem.outOfRange(
                "method.teachers", found: "untrained beside a method", expected: "one of the two")
        }
        if untrained || file != nil, !snapshotEpochs.isEmpty || (untrained && file != nil) {
            throw Problem.outOfRange(
                "method.teachers", found: untrained ? "untrained" : "a file",
                expected: "neither snapshot-epochs nor another source beside it")
        }
    }

    /// It as any other teacher: trained here, or brought as a file.
    var options: TeacherOptions {
        var options = TeacherOptions(model: model, file: file, weights: weights)
        options.method = method
        return options
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, file, method, weights, untrained, corrupt
        case snapshotEpochs = "snapshot-epochs"
    }
}
