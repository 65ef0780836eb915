import Diagnostics
import Distillation
import Models

/// What the students of a phase learn towards: its options, the networks that it learns from, and the
/// objective that trains towards it.
///
/// Its name, version and encoded options enter the phase's key: two phases that agree in them, in data,
/// networks and training are one phase, and are trained once.
public protocol PhaseTarget: Encodable, Sendable {
    static var name: String { get }
    /// Raised where the same options come to mean something else.
    static var version: Int { get }
    /// Networks of earlier phases or of files that it learns from.
    var sources: [WeightSource] { get }
    var traits: PhaseTraits { get }
    /// The phase, one of `sources`, whose result stands where this one does not gain on it on the validation
    /// split by more than the gain's standard error; of one network. Nil: whatever comes out is the result.
    var mustGainOn: WeightSource? { get }
    /// Refuses samples that it cannot learn from, before anything is written.
    func check(_ data: PreparedData) throws(Problem)
    /// The data as this target sees it: a teacher may want another normalisation.
    func prepared(_ data: PreparedData) throws(Problem) -> PreparedData
    func objective(_ phase: PhaseContext) throws -> any Objective
    /// Steps of an epoch over so many training samples.
    func stepsPerEpoch(samples: Int, batch: Int) -> Int
}

extension PhaseTarget {
    public static var version: Int { 1 }
    public var sources: [WeightSource] { [] }
    public var traits: PhaseTraits { PhaseTraits() }
    public var mustGainOn: WeightSource? { nil }
    public func check(_ data: PreparedData) throws(Problem) {}
    public func prepared(_ data: PreparedData) throws(Problem) -> PreparedData { data }
    public func stepsPerEpoch(samples: Int, batch: Int) -> Int { (samples + batch - 1) / batch }
}

/// What others have to know of a target.
public struct PhaseTraits: Equatable, Sendable {
    /// Whether labels take part. An encoder learns without them.
    public var learnsLabels: Bool
    /// Whether the weights of the epoch that is best on the validation split are kept.
    public var keepsBest: Bool
    /// Whether one network learns from the given labels by cross-entropy and from nothing else: what others
    /// are compared with.
    public var isBaseline: Bool

    /// Whether its objective writes `step` itself: nothing can then be added to the losses of its steps.
    public var hasOwnStep: Bool

    /// Whether it learns from a part of the training split, to say something of the rest: its scores are
    /// not what a method is judged by.
    public var isPart: Bool

    /// Whether every term of its losses has one value for each sample of the batch, in order, and nothing else
    /// is learnt from them: weights of samples then say what they say.
    public var weighsSamples: Bool

    /// Whether its batches are samples that it makes, and not those of the training split.
    public var makesSamples: Bool

    public init(
        learnsLabels: Bool = true, keepsBest: Bool = true, isBaseline: Bool = false,
        hasOwnStep: Bool = false, isPart: Bool = false, weighsSamples: Bool = false,
        makesSamples: Bool = false
    ) {
        self.isPart = isPart
        self.weighsSamples = weighsSamples
        self.makesSamples = makesSamples
        self.learnsLabels = learnsLabels
        self.keepsBest = keepsBest
        self.isBaseline = isBaseline
        self.hasOwnStep = hasOwnStep
    }
}

/// Where the weights of a network come from.
public enum WeightSource: Codable, Equatable, Sendable {
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

/// Any target, as it stands in the description of a phase.
public struct AnyTarget: Encodable, Equatable, Sendable {
    public var base: any PhaseTarget

    public init(_ base: any PhaseTarget) { self.base = base }

    private enum Keys: String, CodingKey { case name, version, options }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(type(of: base).name, forKey: .name)
        try values.encode(type(of: base).version, forKey: .version)
        try values.encode(base, forKey: .options)
    }

    /// Targets are equal where their names, versions and options are.
    public static func == (a: AnyTarget, b: AnyTarget) -> Bool { JSON.line(a) == JSON.line(b) }
}
