import Diagnostics
import Distillation
import Randomness
import Torch

/// Mixup: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", 2017,
/// arXiv 1710.09412.
///
///     λ ~ Beta(α, α), one per batch; π a permutation of the batch
///     x̃_i = λ x_i + (1 − λ) x_π(i)
///     L = (1/N) Σ_i ( λ ℓ(z(x̃_i), y_i) + (1 − λ) ℓ(z(x̃_i), y_π(i)) )
///
/// For cross-entropy L is the cross-entropy with the mixed soft label. Enters: the given labels. Learnt: the
/// student. What is mixed are the inputs as the network sees them, normalised and augmented; of texts, whose
/// characters are no numbers, the vectors that the last layer sees: Guo, Mao, Zhang, "Augmenting Data with
/// Mixup for Sentence Classification", 2019, arXiv 1905.08941.
/// No deviation. λ is not moved to the larger half: exchanging λ and 1 − λ exchanges π and its inverse, which
/// is as likely.
public struct MixupOptions: Codable, Equatable, Sendable {
    public enum Place: String, Codable, Sendable, CaseIterable { case inputs, features }

    /// α, 0 or .001 to 1,000. 1 is usual without noise, 4 to 32 is reported to suit wrong labels (from memory):
    /// the larger, the closer λ is to ½. 0 mixes nothing.
    public var alpha: Double
    /// ℓ
    public var loss: LabelLoss
    /// Where samples are mixed; nil: inputs, but features of texts.
    public var place: Place?

    public init(alpha: Double = 1, loss: LabelLoss = .crossEntropy(), place: Place? = nil) {
        self.alpha = alpha
        self.loss = loss
        self.place = place
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        alpha = try values.decodeIfPresent(Double.self, forKey: .alpha) ?? alpha
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        place = try values.decodeIfPresent(Place.self, forKey: .place)
        guard alpha == 0 || (0.001...1000).contains(alpha) else {
            throw Problem.outOfRange(
                "method.alpha", found: "\(alpha)", expected: "0 or 0.001 to 1000")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case alpha, loss
        case place = "mix"
    }
}

/// λ and π of a batch, from draws of their own.
public struct MixupDraw: Equatable, Sendable {
    public let lambda: Double
    /// π(i), positions in the batch.
    public let partners: [Int]

    public init(lambda: Double, partners: [Int]) {
        self.lambda = lambda
        self.partners = partners
    }

    /// - Parameter alpha: 0 for λ = 1.
    public init(samples: Int, alpha: Double, seed: UInt64, epoch: Int, step: Int) {
        var draw = Draw(seed: seed, .mixup, epoch: epoch, step: step)
        var partners = Array(0..<samples)
        partners.permute(&draw)
        self.partners = partners
        lambda = alpha == 0 ? 1 : draw.beta(alpha, alpha)
    }

    /// λ x_i + (1 − λ) x_π(i)
    ///
    /// - Parameter x: [N, …]
    public func mixed(_ x: Tensor) -> Tensor {
        if lambda == 1 { return x }
        return x * lambda + x.indexed(0, by: index(x.device)) * (1 - lambda)
    }

    /// λ ℓ(y_i) + (1 − λ) ℓ(y_π(i)) per sample [N].
    ///
    /// - Parameters:
    ///   - logits: of the mixed samples [N, C].
    ///   - labels: y [N], int64.
    public func loss(_ loss: LabelLoss, _ logits: Logits, labels: Tensor) -> Tensor {
        let own = loss.trainingLoss(logits, labels: labels)
        if lambda == 1 { return own }
        let others = labels.indexed(0, by: index(labels.device))
        return own * lambda + loss.trainingLoss(logits, labels: others) * (1 - lambda)
    }

    private func index(_ device: Device) -> Tensor {
        Tensor(partners, [partners.count]).to(device)
    }
}

/// Training on mixtures of two samples and of their labels.
public struct Mixup: Method {
    public static let name = "mixup"
    public static let summary = "trains on mixtures of two samples and of their given labels"

    public var options: MixupOptions

    public init(_ options: MixupOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try MixupOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(for: [options.loss])
        let target = Target(options: options, estimators: estimation.networks)
        return estimation.phases + [plan.phase("student", estimation.index, target)]
    }

    /// Mixtures of two samples and of their given labels.
    struct Target: PhaseTarget {
        static let name = "mixup"
        var options: MixupOptions
        /// What the loss's transition matrix is estimated from, if it has to be.
        var estimators: [WeightSource]?
        var sources: [WeightSource] { estimators ?? [] }
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }

        func check(_ data: PreparedData) throws(Problem) {
            try options.loss.check(classes: data.classCount)
            if data.learning.isText, options.place == .inputs { throw .mixedCharacters() }
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            var options = options
            options.loss = try phase.ready(options.loss, from: estimators)
            options.place = options.place ?? (phase.data.learning.isText ? .features : .inputs)
            return MixupObjective(options, seed: phase.seed)
        }
    }
}

extension Problem {
    fileprivate static func mixedCharacters() -> Problem {
        Problem(
            .data, "characters cannot be mixed", at: .init(detail: ["method.mix"]),
            found: "inputs, of texts", expected: "features, or no key")
    }
}

public final class MixupObjective: Objective {
    public let options: MixupOptions
    private let seed: UInt64
    /// Of the batch whose step is taken.
    private var draw = MixupDraw(lambda: 1, partners: [])

    /// - Parameter seed: of λ and π.
    public init(_ options: MixupOptions = .init(), seed: UInt64) {
        self.options = options
        self.seed = seed
    }

    /// Of mixed samples: λ and π are those of the batch.
    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        Losses(
            .init(
                options.loss.name,
                draw.loss(options.loss, outputs[learner].logits, labels: batch.labels)))
    }

    /// There are no predictions to count: what the network saw has two labels.
    public func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        draw = MixupDraw(
            samples: batch.labels.count, alpha: options.alpha, seed: seed, epoch: batch.epoch,
            step: batch.step)
        let outputs =
            options.place == .features
            ? step.forward(batch.inputs).enumerated().map { k, output in
                step.withPrecision {
                    let features = draw.mixed(output.features)
                    return StudentOutput(
                        features: features,
                        logits: Logits(
                            step.learners[k].network.logits(fromFeatures: features)))
                }
            } : step.forward(draw.mixed(batch.inputs))
        for learner in step.learners {
            let own = step.batch(batch, for: learner)
            try step.backward(learner, own, logits: nil) {
                losses(of: learner.index, outputs, own)
            }
        }
        step.learners.forEach(step.update)
    }
}

extension Mixup {
    /// Reported to help against wrong labels; not shown here yet.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .againstWrongLabels(facts, falling: .open, changes: ["method={name: mixup, alpha: 4}"])
    }
}
