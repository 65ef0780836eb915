import Crypto
import Datasets
import Distillation
import Foundation
import Models
import Neural
import Randomness

/// One training phase, completely: everything that its result depends on and nothing else.
///
/// A method is a chain of phases (a teacher, then its student; one stage after the other). A phase
/// is known by the hash of this value, so that runs that share one (every method that starts from
/// the same cross-entropy network) train it once, and a resumed run cannot continue the wrong one.
public struct PhaseSpec: Codable, Equatable, Sendable {
    /// What the student learns towards.
    public enum Target: Codable, Equatable, Sendable {
        case labels(CrossEntropyOptions)
        case teacher(KnowledgeDistillationOptions, TeacherSource)
        /// Soft or (β = ∞) hard labels of an earlier phase, by cross-entropy or a divergence.
        case pseudoLabels(beta: Beta, TeacherSource, divergence: Divergence?)
        /// Given labels and one another.
        case peers(MutualLearningOptions, noisePerPeer: Bool)
        /// Given labels and several teachers, weighed sample by sample.
        case mixing(MixingOptions, [MixedTeacher])
        /// Relations between samples, without labels.
        case relations(RelationModelling)
        /// A teacher, on images that are made out of it.
        case dataFree(DataFreeOptions, TeacherSource, embeddingsHash: String?)
    }

    /// What an encoder does for the students of a phase.
    public struct Relation: Codable, Equatable, Sendable {
        public var guidance: RelationGuidance
        public var start: RelationOptions.Start
        public var encoder: TeacherSource
    }

    /// A teacher of a mix.
    public struct MixedTeacher: Codable, Equatable, Sendable {
        public var source: TeacherSource
        public var corrupt: MixingTeacher.Corruption?
    }

    /// JSON has no infinity.
    public enum Beta: Codable, Equatable, Sendable {
        case soft(Double)
        case hard

        public init(_ beta: Double) { self = beta.isInfinite ? .hard : .soft(beta) }
        public var value: Double { if case .soft(let beta) = self { beta } else { .infinity } }
    }

    public enum TeacherSource: Codable, Equatable, Sendable {
        /// The phase with this key, and which of its weights.
        case phase(key: String, TeacherWeights)
        /// A file with weights, by path and content.
        case file(path: String, sha256: String, ModelSpec)
        /// The phase with this key after that epoch, counted from 1; it keeps them (`keep`).
        case epoch(key: String, Int)
        /// Freshly drawn weights.
        case untrained(ModelSpec, seed: UInt64)

        /// Of the phase it comes from, if it does.
        var phaseKey: String? {
            switch self {
            case .phase(let key, _), .epoch(let key, _): key
            case .file, .untrained: nil
            }
        }
    }

    /// Format of this description: a change of meaning changes every key.
    public var version = 1
    /// `teacher`, `student`, `stage-0`, …
    public var name: String
    /// Position in the chain; enters the draws of initial weights and order.
    public var index: Int
    public var seed: UInt64
    public var data: DataOptions
    /// Of the samples and their given labels: a file may change under the same name.
    public var dataHash: String
    public var noise: LabelNoise
    public var model: ModelSpec
    public var target: Target
    /// Start from these weights instead of fresh ones.
    public var start: TeacherSource?
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
    public var training: TrainingOptions
    public var compute: ComputeOptions
    /// Where several networks learn side by side: all of them, the first with the phase's own model,
    /// optimizer and schedule. Nil where one learns.
    public var peers: [LearnerSpec]?
    /// Epochs, counted from 1, whose weights are kept in `epoch-N.safetensors`. Nil: none.
    public var keep: [Int]?
    /// Relations that guide the students. Nil: none.
    public var relation: Relation?

    /// The networks that learn in this phase, at least one.
    public var learners: [LearnerSpec] {
        peers ?? [LearnerSpec(model: model, optimizer: optimizer, schedule: schedule)]
    }

    /// SHA-256 of the canonical JSON, 24 hexadecimal digits of it. How often checkpoints are written
    /// and which readout the run reports do not enter: they do not change a result.
    public var key: String {
        var identity = self
        identity.name = ""
        identity.training.checkpointSteps = nil
        identity.training.checkpointSeconds = 1
        identity.training.useAverage = false
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A key that has no meaning for its kind may hold any number, not-a-number included.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let json = try! encoder.encode(identity)
        return SHA256.hash(data: json).prefix(12).map { String(format: "%02x", $0) }.joined()
    }

    /// The seed of everything random inside the phase: stages of one run differ, equal phases of
    /// different runs agree.
    public var derivedSeed: UInt64 { seed &+ UInt64(index) &* 0x2545_f491_4f6c_dd1d }

    /// Whether one network learns from the given labels and nothing else.
    public var learnsLabelsAlone: Bool { if case .labels = target { true } else { false } }

    /// Whether this is an encoder that learns without labels.
    public var isEncoder: Bool { if case .relations = target { true } else { false } }

    /// Steps per epoch where the number of samples does not say; nil elsewhere.
    public var ownSteps: Int? {
        if case .dataFree(let options, _, _) = target { options.steps } else { nil }
    }

    /// Whether every peer's training labels are corrupted by a draw of its own.
    var drawsNoisePerPeer: Bool {
        if case .peers(_, let noisePerPeer) = target { noisePerPeer } else { false }
    }

    /// The seed of what is random for one learner alone, its initial weights and dropout: the first
    /// one's is the phase's, so that it starts like a network that learns by itself.
    static func seed(_ seed: UInt64, ofLearner learner: Int) -> UInt64 {
        guard learner > 0 else { return seed }
        var draw = Draw(seed: seed, .peers, sample: learner)
        return draw.next()
    }
}

/// One of the networks that learn in a phase, and how it learns.
public struct LearnerSpec: Codable, Equatable, Sendable {
    public var model: ModelSpec
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
}

extension Recipe {
    /// The chain of phases that this recipe is. Each names the ones it needs by key.
    ///
    /// - Parameter samplesHash: of the data before label noise, for the phases that no label enters;
    ///   `dataHash` if not given.
    public func phases(
        dataHash: String, samplesHash: String? = nil, compute: ComputeOptions,
        fileHash: (String) throws -> String
    )
        rethrows -> [PhaseSpec]
    {
        let encoder = encoderPhase(samplesHash: samplesHash ?? dataHash, compute: compute)
        return [encoder].compactMap(\.self)
            + (try methodPhases(
                dataHash: dataHash, compute: compute, encoder: encoder, fileHash: fileHash))
    }

    private func methodPhases(
        dataHash: String, compute: ComputeOptions, encoder: PhaseSpec?,
        fileHash: (String) throws -> String
    )
        rethrows -> [PhaseSpec]
    {
        func phase(
            _ name: String, _ index: Int, _ target: PhaseSpec.Target, model: ModelSpec? = nil,
            start: PhaseSpec.TeacherSource? = nil, isTeacher: Bool = false
        ) -> PhaseSpec {
            var (optimizer, training) = (optimizer, training)
            if index > 0 {
                training.epochs = later.epochs ?? training.epochs
                optimizer.rate = later.rate ?? optimizer.rate
                optimizer.weightDecay = later.weightDecay ?? optimizer.weightDecay
            }
            var spec = PhaseSpec(
                name: name, index: index, seed: seed, data: data, dataHash: dataHash, noise: noise,
                model: model ?? self.model, target: target, start: start, optimizer: optimizer,
                schedule: schedule, training: training, compute: compute)
            if let relation, let encoder, !isTeacher {
                spec.relation = .init(relation, encoder: encoder, continues: start != nil)
            }
            return spec
        }
        switch method {
        case .crossEntropy(let options): return [phase("student", 0, .labels(options))]
        case .distillation(let options, let teacher):
            let network = teacher.model ?? model
            if let file = teacher.file {
                let source = PhaseSpec.TeacherSource.file(
                    path: file, sha256: try fileHash(file), network)
                return [phase("student", 1, .teacher(options, source))]
            }
            let first = phase(
                "teacher", 0, .labels(.init()), model: network, isTeacher: true)
            let source = PhaseSpec.TeacherSource.phase(key: first.key, teacher.weights)
            return [first, phase("student", 1, .teacher(options, source))]
        case .selfDistillation(let options, let weights):
            var chain = [phase("stage-0", 0, .labels(.init()))]
            for stage in 1...options.stages {
                let source = PhaseSpec.TeacherSource.phase(key: chain.last!.key, weights)
                let target = PhaseSpec.Target.pseudoLabels(
                    beta: .init(options.beta(forStage: stage)), source,
                    divergence: options.divergence)
                chain.append(
                    phase(
                        "stage-\(stage)", stage, target,
                        start: options.start == .previous ? source : nil))
            }
            return chain
        case .mutual(let options, let peers):
            let learners = peers.each.map {
                LearnerSpec(
                    model: $0.model ?? model, optimizer: $0.optimizer ?? optimizer,
                    schedule: $0.schedule ?? schedule)
            }
            var spec = phase(
                "peers", 0, .peers(options, noisePerPeer: peers.noisePerPeer),
                model: learners[0].model)
            (spec.optimizer, spec.schedule) = (learners[0].optimizer, learners[0].schedule)
            spec.peers = learners
            return [spec]
        case .adaptiveMixing(let options):
            var chain: [PhaseSpec] = []
            var entries: [PhaseSpec.MixedTeacher] = []
            for (i, teacher) in options.teachers.enumerated() {
                let network = teacher.model ?? model
                var sources: [PhaseSpec.TeacherSource] = []
                if let file = teacher.file {
                    sources = [.file(path: file, sha256: try fileHash(file), network)]
                } else if teacher.untrained {
                    sources = [.untrained(network, seed: seed &+ 1000 &+ UInt64(i))]
                } else {
                    var spec = phase(
                        "teacher", 0, .labels(.init()), model: network, isTeacher: true)
                    if options.teachers.count > 1 { spec.name = "teacher-\(i + 1)" }
                    // Teachers of one architecture start from weights of their own. Index 1 is the
                    // student's.
                    let alike = chain.count { $0.model == network }
                    if alike > 0 { spec.index = alike + 1 }
                    if !teacher.epochs.isEmpty { spec.keep = teacher.epochs.sorted() }
                    chain.append(spec)
                    sources =
                        teacher.epochs.map { .epoch(key: spec.key, $0) }
                        + [.phase(key: spec.key, teacher.weights)]
                }
                entries += sources.map { .init(source: $0, corrupt: teacher.corrupt) }
            }
            return chain + [phase("student", 1, .mixing(options, entries))]
        case .dataFree(let options):
            let network = options.teacher.model ?? model
            let files = options.synthesis.method == .nayer ? options.embeddings.files : []
            let hash = files.isEmpty ? nil : try files.map(fileHash).joined(separator: "+")
            var chain: [PhaseSpec] = []
            let source: PhaseSpec.TeacherSource
            if let file = options.teacher.file {
                source = .file(path: file, sha256: try fileHash(file), network)
            } else {
                chain = [phase("teacher", 0, .labels(.init()), model: network)]
                source = .phase(key: chain[0].key, options.teacher.weights)
            }
            var spec = phase("student", 1, .dataFree(options, source, embeddingsHash: hash))
            if let peers = options.peers {
                spec.peers = peers.each.map {
                    LearnerSpec(
                        model: $0.model ?? model, optimizer: $0.optimizer ?? spec.optimizer,
                        schedule: $0.schedule ?? schedule)
                }
                spec.model = spec.peers![0].model
                (spec.optimizer, spec.schedule) = (
                    spec.peers![0].optimizer, spec.peers![0].schedule
                )
                spec.name = "students"
            }
            return chain + [spec]
        }
    }
}
