import Diagnostics
import Distillation
import Models

/// Training on the given labels: with cross-entropy, the baseline of every comparison, or with a loss
/// that resists wrong ones.
///
///     L = −(1/N) Σ_i Σ_c q_ic log softmax(z_i)_c,   q_i = (1 − ε) onehot(y_i) + ε/C
///
/// With ε > 0, label smoothing (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the
/// Inception Architecture for Computer Vision", 2016, arXiv 1512.00567), which also softens the
/// harm of wrong labels (Lukasik et al. 2020, arXiv 2003.02819).
/// The other losses: `LabelLoss`. Enters: the given labels. Learnt: the student. No deviation.
public struct CrossEntropy: Method {
    public static let name = "cross-entropy"
    public static let summary = "trains on the given labels, with label smoothing or a robust loss"

    /// Cross-entropy with the ε of label smoothing in [0, 1): 0 is plain; .1 is usual; under heavy
    /// noise up to .5 can help. Or one of the others.
    public var loss: LabelLoss

    public init(smoothing: Double = 0) { loss = .crossEntropy(smoothing: smoothing) }
    public init(loss: LabelLoss) { self.loss = loss }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let smoothing = try values.decodeIfPresent(Double.self, forKey: .smoothing)
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? .crossEntropy()
        guard let smoothing else { return }
        guard (0..<1).contains(smoothing) else {
            throw Problem.outOfRange(
                "method.smoothing", found: "\(smoothing)", expected: "0 <= smoothing < 1")
        }
        guard loss == .crossEntropy() else {
            throw Problem.smoothingTwice(loss: loss.name)
        }
        loss = .crossEntropy(smoothing: smoothing)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(loss, forKey: .loss)
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case smoothing, loss }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(for: [loss])
        let target = Target(loss: loss, estimators: estimation.networks)
        return estimation.phases + [plan.phase("student", estimation.index, target)]
    }

    /// The given labels.
    public struct Target: PhaseTarget {
        public static let name = "labels"
        public var loss: LabelLoss
        /// What the loss's transition matrix is estimated from, if it has to be.
        public var estimators: [WeightSource]?
        public var sources: [WeightSource] { estimators ?? [] }
        /// The baseline is cross-entropy, smoothed or not. The other losses are methods against wrong labels.
        public var traits: PhaseTraits {
            var isPlain = false
            if case .crossEntropy = loss { isPlain = true }
            return PhaseTraits(isBaseline: isPlain, weighsSamples: true)
        }

        public init(loss: LabelLoss = .crossEntropy(), estimators: [WeightSource]? = nil) {
            self.loss = loss
            self.estimators = estimators
        }

        public func check(_ data: PreparedData) throws(Problem) {
            try loss.check(classes: data.classCount)
        }

        public func objective(_ phase: PhaseContext) throws -> any Objective {
            CrossEntropyObjective(try phase.ready(loss, from: estimators))
        }
    }
}

/// A loss against the given labels, for each learner by itself.
public final class CrossEntropyObjective: Objective {
    private let loss: LabelLoss

    public init(_ loss: LabelLoss = .crossEntropy()) { self.loss = loss }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        Losses(
            .init(loss.name, loss.trainingLoss(outputs[learner].logits, labels: batch.labels)))
    }
}
