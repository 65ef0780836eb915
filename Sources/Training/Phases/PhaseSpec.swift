import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import Randomness

/// One training phase, completely: everything that its result depends on and nothing else.
///
/// A method is a chain of phases (a teacher, then its student; one stage after the other). A phase
/// is known by the hash of this value, so that runs that share one (every method that starts from
/// the same cross-entropy network) train it once, and a resumed run cannot continue the wrong one.
public struct PhaseSpec: Encodable, Equatable, Sendable {
    /// What a phase's networks begin from, instead of fresh weights.
    public struct Start: Encodable, Equatable, Sendable {
        public var source: WeightSource
        /// Whether the head stays fresh.
        public var isFeaturesOnly = false
    }

    /// Format of this description: a change of meaning changes every key.
    public var version = 2
    /// `teacher`, `student`, `stage-0`, …
    public var name: String
    /// Position in the chain; enters the draws of initial weights and order.
    public var index: Int
    public var seed: UInt64
    public var data: DataOptions
    /// Of the samples and their given labels: a file may change under the same name.
    public var dataHash: String
    public var noise: LabelNoise
    public var target: AnyTarget
    /// The networks that learn in this phase, at least one.
    public var learners: [LearnerSpec]
    /// Start from these weights instead of fresh ones.
    public var start: Start?
    public var training: TrainingOptions
    public var compute: ComputeOptions
    /// Whether the label noise is drawn anew for the training labels of each learner but the first.
    public var drawsNoisePerLearner = false
    /// Epochs, counted from 1, whose weights are kept in `epoch-N.safetensors`. Nil: none.
    public var keep: [Int]?

    /// Of the first learner.
    public var model: ModelSpec { learners[0].model }
    public var traits: PhaseTraits { target.base.traits }

    /// SHA-256 of the canonical JSON, 24 hexadecimal digits of it. How often checkpoints are written,
    /// whether the averaged weights are the result, and logs do not enter: they do not change a result.
    public var key: String {
        var identity = self
        identity.name = ""
        identity.training.checkpointSteps = nil
        identity.training.checkpointSeconds = 1
        identity.training.useEMA = false
        identity.training.logs = nil
        // A key that has no meaning for its kind may hold any number, not-a-number included.
        return String(SHA256.hex(of: JSON.text(identity)).prefix(24))
    }

    /// The seed of everything random inside the phase: stages of one run differ, equal phases of
    /// different runs agree.
    public var derivedSeed: UInt64 { seed &+ UInt64(index) &* 0x2545_f491_4f6c_dd1d }

    /// Whether its result is asked about samples of a fold that is held out.
    var judges: Bool { data.heldOut != nil && traits.learnsLabels && !traits.isPart }

    /// Whether it records how each training sample is predicted from epoch to epoch.
    var recordsDynamics: Bool {
        (training.dynamics ?? (data.heldOut != nil)) && traits.learnsLabels && !traits.isPart
            && !traits.makesSamples
    }

    /// Networks whose weights this phase learns from or starts from.
    var sources: [WeightSource] { target.base.sources + [start?.source].compactMap(\.self) }

    /// Keys of the phases that have to be complete before.
    var neededKeys: Set<String> { Set(sources.compactMap(\.phaseKey)) }

    /// The seed of what is random for one learner alone, its initial weights and dropout: the first
    /// one's is the phase's, so that it starts like a network that learns by itself.
    static func seed(_ seed: UInt64, ofLearner learner: Int) -> UInt64 {
        guard learner > 0 else { return seed }
        var draw = Draw(seed: seed, .peers, sample: learner)
        return draw.next()
    }
}

/// One of the networks that learn in a phase, and how it learns.
public struct LearnerSpec: Encodable, Equatable, Sendable {
    public var model: ModelSpec
    public var optimizer: OptimizerOptions
    public var schedule: Schedule

    public init(model: ModelSpec, optimizer: OptimizerOptions, schedule: Schedule = .init()) {
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
    }
}

extension [PhaseSpec] {
    /// The first phase that learns from all labels, and those before it that it may need.
    var searchedFirst: [PhaseSpec] {
        Array(prefix(1 + (firstIndex { $0.traits.learnsLabels && !$0.traits.isPart } ?? 0)))
    }
}

extension Recipe {
    /// The chain of phases that this recipe is. Each names the ones it needs by key.
    ///
    /// - Parameter samplesHash: of the data before label noise, for the phases that no label enters;
    ///   `dataHash` if not given.
    public func phases(
        dataHash: String, samplesHash: String? = nil, compute: ComputeOptions,
        fileHash: @escaping (String) throws -> String
    ) throws -> [PhaseSpec] {
        var plan = PhasePlanner(
            recipe: self, dataHash: dataHash, compute: compute, fileHash: fileHash)
        guard let relation else { return try method.base.phases(plan) }
        let first: [PhaseSpec]
        let source: WeightSource
        if let teacher = relation.teacher {
            (first, source) = try plan.teacher(teacher, name: "relations")
        } else {
            first = [
                relation.encoderPhase(
                    of: self, samplesHash: samplesHash ?? dataHash, compute: compute)
            ]
            source = .phase(key: first[0].key, .last)
        }
        plan.guidance = { relation.guide(&$0, source) }
        let own = try method.base.phases(plan)
        // The method's own teacher may be the same phase.
        let keys = Set(own.map(\.key))
        return first.filter { !keys.contains($0.key) } + own
    }
}
