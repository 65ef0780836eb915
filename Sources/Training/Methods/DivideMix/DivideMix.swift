import Diagnostics
import Distillation
import Models
import Torch

/// DivideMix: Li, Socher, Hoi, "DivideMix: Learning with Noisy Labels as Semi-supervised Learning", 2020, arXiv
/// 2002.07394.
///
///     before each epoch:  w_k = P(label right | losses of network k), by a mixture of two normal distributions
///     network k learns on the samples with w_j > `threshold`, j the other network, and on the rest without labels
///     x:  t = sharpen(w y + (1 − w) p̄_k),  p̄_k the mean of k's predictions for two views
///     u:  t = sharpen(mean of both networks' predictions for two views)
///     l ~ Beta(α, α),  λ = max(l, 1 − l),  every row of x and u, two views each, mixed with another one
///     L = L_x + λ_u · clip((e − warm-up)/ramp, 0, 1) · L_u + Σ_c (1/C) log((1/C)/p̄_c)
///
/// L_x is cross-entropy with the mixed targets on the rows that come from x, L_u the mean squared distance on
/// those that come from u, and p̄ the mean prediction of all mixed rows. `warm-up` epochs of cross-entropy come
/// first.
/// Enters: the given labels. Learnt: both networks, one after the other in each epoch, as in the authors' code.
/// Deviations: predictions for targets are made in evaluation mode, without touching batch norms (`compat` does
/// what the authors' code does); the mixture has a deterministic start and is monotone; a split that fails is
/// replaced by the last one; texts are mixed by their features, as mixed characters mean nothing. The networks
/// are measured each and as the mean of their probabilities, not of their logits.
public struct DivideMixOptions: Codable, Equatable, Sendable {
    /// Epochs of cross-entropy before the first split, at least 1. 10 is the paper's for ten classes, 30 for a
    /// hundred; it has to end before wrong labels are memorised.
    public var warmUp: Int
    /// + Σ p log p in the warm-up: the paper's for asymmetric noise, under which a network soon is sure of all.
    public var confidencePenalty: Bool
    /// λ_u ≥ 0: *the* setting. CIFAR-10: 0 for symmetric noise of .2 and for asymmetric noise, 25 for .5 and .8,
    /// 50 for .9. CIFAR-100: 25 for .2, 150 above.
    public var unlabelledWeight: Double
    /// Epochs in which λ_u rises from 0 after the warm-up, at least 1. 16 is the paper's.
    public var ramp: Int
    /// T of sharpening, above 0 to 1. .5 is the paper's.
    public var temperature: Double
    /// α of Beta, above 0. 4 is the paper's, .5 for Clothing1M.
    public var alpha: Double
    /// A split is of the mean of so many epochs' losses, 1 to 20. 5 is the paper's for nine wrong labels of ten, 1
    /// otherwise.
    public var lossMemory: Int
    /// What counts as right. The paper's threshold is .5, .6 for nine wrong labels of ten.
    public var split: LossSplitOptions
    /// The two versions of a sample.
    public var views: ViewOptions
    /// What the published code does when it predicts targets: the network that learns is in training mode, with
    /// dropout, and its batch norms take in those batches too. For comparison only.
    public var compat: Bool

    public init(
        warmUp: Int = 10, confidencePenalty: Bool = false, unlabelledWeight: Double = 25,
        ramp: Int = 16, temperature: Double = 0.5, alpha: Double = 4, lossMemory: Int = 1,
        split: LossSplitOptions = .init(), views: ViewOptions = .init(), compat: Bool = false
    ) {
        self.warmUp = warmUp
        self.confidencePenalty = confidencePenalty
        self.unlabelledWeight = unlabelledWeight
        self.ramp = ramp
        self.temperature = temperature
        self.alpha = alpha
        self.lossMemory = lossMemory
        self.split = split
        self.views = views
        self.compat = compat
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ramp, temperature, alpha, split, views, compat
        case warmUp = "warm-up"
        case confidencePenalty = "confidence-penalty"
        case unlabelledWeight = "unlabelled-weight"
        case lossMemory = "loss-memory"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        warmUp = try values.count(.warmUp, or: warmUp, in: 1...100_000)
        ramp = try values.count(.ramp, or: ramp, in: 1...100_000)
        lossMemory = try values.count(.lossMemory, or: lossMemory, in: 1...20)
        unlabelledWeight = try values.number(.unlabelledWeight, or: unlabelledWeight, "0 or more") {
            $0 >= 0
        }
        temperature = try values.number(.temperature, or: temperature, "above 0 and at most 1") {
            $0 > 0 && $0 <= 1
        }
        alpha = try values.number(.alpha, or: alpha, "0.001 to 1000") {
            (0.001...1000).contains($0)
        }
        confidencePenalty =
            try values.decodeIfPresent(Bool.self, forKey: .confidencePenalty) ?? confidencePenalty
        split = try values.decodeIfPresent(LossSplitOptions.self, forKey: .split) ?? split
        views = try values.decodeIfPresent(ViewOptions.self, forKey: .views) ?? views
        compat = try values.decodeIfPresent(Bool.self, forKey: .compat) ?? compat
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(warmUp, forKey: .warmUp)
        try values.encode(confidencePenalty, forKey: .confidencePenalty)
        try values.encode(unlabelledWeight, forKey: .unlabelledWeight)
        try values.encode(ramp, forKey: .ramp)
        try values.encode(temperature, forKey: .temperature)
        try values.encode(alpha, forKey: .alpha)
        try values.encode(lossMemory, forKey: .lossMemory)
        try values.encode(split, forKey: .split)
        if views != ViewOptions() { try values.encode(views, forKey: .views) }
        try values.encode(compat, forKey: .compat)
    }

    /// λ_u at a moment of training.
    ///
    /// - Parameter epoch: from 0, with the share of the present one that is behind.
    public func unlabelledWeight(at epoch: Double) -> Double {
        unlabelledWeight * min(max((epoch - Double(warmUp)) / Double(ramp), 0), 1)
    }
}

/// Two networks that tell one another which labels to trust, and learn the rest as if it had none.
public struct DivideMix: PairMethod {
    public static let name = "dividemix"
    public static let summary =
        "trains two networks on labels that the other one trusts, and on the rest without labels"

    public var options: DivideMixOptions
    /// Exactly two, with the same labels.
    public var peers: PeersOptions

    public init(_ options: DivideMixOptions = .init(), peers: PeersOptions = .init()) {
        self.options = options
        self.peers = peers
    }

    public func check(_ recipe: Recipe) throws(Problem) {
        try recipe.check(peers)
        try recipe.check(warmUp: options.warmUp)
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.peers(peers, Target(options: options))]
    }

    /// The given labels that the other network trusts, and guesses for the rest.
    struct Target: PhaseTarget {
        static let name = "dividemix"
        var options: DivideMixOptions
        var traits: PhaseTraits { PhaseTraits(hasOwnStep: true) }

        /// Both networks' steps, one after the other.
        func stepsPerEpoch(samples: Int, batch: Int) -> Int {
            2 * MixMatchEpoch.steps(samples: samples, batch: batch)
        }

        func check(_ data: PreparedData) throws(Problem) {
            try options.views.version(of: data.learning, .none)
                .check(sampleShape: data.sampleShape, name: data.learning.name)
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            try DivideMixObjective(options, phase)
        }
    }
}

extension DivideMix {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let warmUp = max(1, min(10, facts.epochs / 4))
        guard facts.epochs > warmUp else {
            return MethodAdvice(.doesNot, because: "there is no epoch left after its warm-up")
        }
        return .notMeasured(
            facts, changes: ["method={name: dividemix, warm-up: \(warmUp), ramp: \(warmUp)}"])
    }
}

extension DivideMix {
    public static let presets: [MethodPreset] = {
        func settings(_ prefix: String, _ data: String, _ weights: [(String, Int)])
            -> [MethodPreset]
        {
            weights.map { rate, weight in
                MethodPreset(
                    "\(prefix)symmetric-\(rate)",
                    "unlabelled-weight: \(weight)"
                        + (rate == "0.9" ? ", loss-memory: 5, split: {threshold: 0.6}" : ""),
                    source: "\(data); its table and the authors' answers to users")
            }
        }
        return settings(
            "", "CIFAR-10", [("0.2", 0), ("0.5", 25), ("0.8", 25), ("0.9", 50)])
            + [
                MethodPreset(
                    "asymmetric-0.4", "unlabelled-weight: 0, confidence-penalty: true",
                    source: "CIFAR-10; its table and the authors' code")
            ]
            + settings(
                "cifar-100-", "CIFAR-100", [("0.2", 25), ("0.5", 150), ("0.8", 150), ("0.9", 150)])
            + [
                MethodPreset(
                    "clothing1m", "unlabelled-weight: 0, alpha: 0.5",
                    source:
                        "Clothing1M; the authors' code, which leaves the unlabelled samples' loss out"
                )
            ]
    }()
}
