import Diagnostics
import Distillation
import Models
import Torch

/// NMTune: Chen, Wang, Shah, Tao, Wei, Xie, Sugiyama, Raj, "Understanding and Mitigating the Label Noise in
/// Pre-training on Downstream Tasks", 2023, arXiv 2309.17002.
///
///     m_i = f_i + s ⊙ MLP(f_i)                             network `residual-mlp`; f: features of a frozen network
///     L   = (1/2B) Σ −log p_{i,y_i}                        over two views of each sample
///         + c · (1/BD) Σ ‖m′_i/‖m′_i‖ − f_i/‖f_i‖‖²         m′ of the strong view, f of the other one, a constant
///         + v · (1/D) Σ_{j≠k} Cov(m)_jk²                   over the rows of both views
///         − d · (1/K) Σ_{k≤K} σ_k(m) / Σ_j σ_j(m)
///
/// A network that was pre-trained on noisy labels has features with too many small directions. The head turns them,
/// keeps what they know, decorrelates columns and strengthens the main directions.
/// Enters: the given labels. Learnt: the head and the classifier. Nothing is kept from step to step.
/// Deviations: views are noise on the features, as images are gone where a table of features begins. The last term
/// is left out of a step in which its gradient is not determined, see `dominantSingularValues`.
public struct NMTuneOptions: Codable, Equatable, Sendable {
    /// c, at least 0. 1 is the paper's.
    public var consistency: Double
    /// v, at least 0. .04 is the code's.
    public var covariance: Double
    /// d, at least 0. .001 is the code's.
    public var dominance: Double
    /// K, 1 to 1,000. 5 is the code's.
    public var directions: Int
    /// The strong view.
    public var views: ViewOptions

    public init(
        consistency: Double = 1, covariance: Double = 0.04, dominance: Double = 0.001,
        directions: Int = 5, views: ViewOptions = .init()
    ) {
        self.consistency = consistency
        self.covariance = covariance
        self.dominance = dominance
        self.directions = directions
        self.views = views
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case consistency, covariance, dominance, directions, views
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func weight(_ key: CodingKeys, or standard: Double) throws -> Double {
            let found = try values.decodeIfPresent(Double.self, forKey: key) ?? standard
            guard found >= 0, found.isFinite else {
                throw Problem.outOfRange(
                    "method.\(key.rawValue)", found: "\(found)", expected: "0 or more")
            }
            return found
        }
        consistency = try weight(.consistency, or: consistency)
        covariance = try weight(.covariance, or: covariance)
        dominance = try weight(.dominance, or: dominance)
        directions = try values.decodeIfPresent(Int.self, forKey: .directions) ?? directions
        guard (1...1000).contains(directions) else {
            throw Problem.outOfRange(
                "method.directions", found: "\(directions)", expected: "1 to 1000")
        }
        views = try values.decodeIfPresent(ViewOptions.self, forKey: .views) ?? views
    }
}

/// The terms of a batch.
///
/// - Parameters:
///   - features: m [2B, D], of the samples and then of their strong views.
///   - logits: [2B, C].
///   - labels: classes [B], int64.
///   - frozen: f [B, D], of the samples.
public func nmTuneLosses(
    features: Tensor, logits: Logits, labels: Tensor, frozen: Tensor,
    options: NMTuneOptions = .init()
) -> Losses {
    let count = labels.count
    let m = features.dtype == .float64 ? features : features.to(.float32)
    let strong = m.narrowed(0, from: count, count: count)
    var terms = [
        Losses.Term("cross-entropy", crossEntropy(logits, labels: .concatenated([labels, labels])))
    ]
    if options.consistency > 0 {
        terms.append(
            .init(
                "consistency", weight: options.consistency,
                featureConsistency(strong, frozen: frozen.to(m.dtype))))
    }
    if options.covariance > 0 {
        terms.append(.init("covariance", weight: options.covariance, covariancePenalty(m)))
    }
    var metrics: [Losses.Term] = []
    if options.dominance > 0 {
        let none = Tensor.zeros([1], dtype: m.dtype, device: m.device)
        let dominant = dominantSingularValues(m, count: options.directions)
        terms.append(.init("dominance", weight: options.dominance, dominant ?? none))
        metrics.append(.init("equal-singular-values", dominant == nil ? none + 1 : none))
    }
    return Losses(terms, metrics: metrics)
}

/// Training a head on features of a network that was trained elsewhere.
public struct NMTune: Method {
    public static let name = "nmtune"
    public static let summary =
        "trains a residual head on features of a frozen network, towards few main directions (NMTune)"

    public var options: NMTuneOptions

    public init(_ options: NMTuneOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try NMTuneOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(options: options))]
    }

    /// The given labels, and what the frozen features are like.
    struct Target: PhaseTarget {
        static let name = "nmtune"
        var options: NMTuneOptions
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let inputs = phase.data.sampleShape.reduce(1, *)
            for learner in phase.learners where learner.network.head.inputs != inputs {
                throw Problem.headNotOfInputs(
                    learner.spec.model.name, learner.network.head.inputs,
                    inputs: inputs)
            }
            return NMTuneObjective(options)
        }
    }
}

public final class NMTuneObjective: Objective {
    public let options: NMTuneOptions

    public init(_ options: NMTuneOptions = .init()) { self.options = options }

    public func batches(_ phase: PhaseContext) throws -> Batches {
        .plan(
            try phase.plan(
                versions: [phase.usualVersion, phase.version(options.views, isStrong: true)]))
    }

    /// One forward pass of both views, so that batch statistics are those of both.
    public func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        try step.train(self, batch, inputs: .concatenated(batch.views))
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        nmTuneLosses(
            features: outputs[learner].features, logits: outputs[learner].logits,
            labels: batch.labels, frozen: batch.inputs.flattened(from: 1), options: options)
    }
}

extension Problem {
    fileprivate static func headNotOfInputs(
        _ model: String, _ features: Int, inputs: Int
    ) -> Problem {
        Problem(
            .data, "nmtune needs a network whose features are as wide as its inputs",
            at: Place(detail: ["model.name"]), found: "\(model): \(features) for \(inputs) inputs",
            expected: "residual-mlp")
    }
}
