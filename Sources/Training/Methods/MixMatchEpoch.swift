import Datasets
import Diagnostics
import Distillation
import Neural
import Torch

// MixMatch (Berthelot et al. 2019, arXiv 1905.02249) as the methods have it that learn some samples with their
// labels and the others without: whose labels they are is what those methods differ in.

/// What one network learns in an epoch: samples with their labels, once each, and the others without.
struct MixMatchEpoch {
    let labelled: BatchPlan
    /// One pass over the labelled samples.
    let steps: Int
    /// Nil where all labels are learnt.
    private var unlabelled: BatchPlan?
    private var unlabelledSteps = 1

    /// All samples with their labels.
    init(_ plan: BatchPlan) {
        labelled = plan
        steps = Self.steps(samples: plan.members.count, batch: plan.batchSize)
    }

    /// - Parameters:
    ///   - plan: of two versions of each sample.
    ///   - isLabelled: whether each of its members is; one at least.
    init(_ plan: BatchPlan, isLabelled: [Bool]) {
        func members(_ which: Bool) -> [Int] {
            zip(plan.members, isLabelled).filter { $0.1 == which }.map(\.0)
        }
        self.init(plan.with(members: members(true)))
        let others = members(false)
        guard !others.isEmpty else { return }
        unlabelled = plan.with(members: others)
        unlabelledSteps = Self.steps(samples: others.count, batch: plan.batchSize)
    }

    /// Batches of so many samples; a rest of one is left out, of which a batch norm could make nothing.
    static func steps(samples: Int, batch: Int) -> Int {
        samples > batch && samples % batch == 1 ? samples / batch : (samples + batch - 1) / batch
    }

    /// What a step learns without labels. The samples begin anew, in another order, where they are fewer than
    /// the labelled ones.
    ///
    /// - Parameters:
    ///   - step: of this epoch.
    ///   - epochs: of the phase.
    func unlabelledBatch(epoch: Int, step: Int, of epochs: Int) -> Batch? {
        guard let unlabelled else { return nil }
        let (round, own) = step.quotientAndRemainder(dividingBy: unlabelledSteps)
        return unlabelled.batch(epoch: epoch + round * epochs, step: own)
    }
}

/// What the draw of a mixture comes from.
struct MixMatchDraw {
    /// α of Beta.
    var alpha: Double
    var seed: UInt64
    /// Of the network's own in the epoch.
    var step: Int
}

extension StepContext {
    /// Forward and backward pass of samples that are mixed with one another.
    ///
    /// - Parameters:
    ///   - x: samples with labels.
    ///   - u: samples without, if there are any.
    ///   - targets: of all views of `x`, then of `u` [rows, C].
    func backwardMixed(
        _ learner: Learner, _ x: TrainingBatch, _ u: TrainingBatch?, targets: Tensor, mode: Mode,
        by draw: MixMatchDraw, unlabelledWeight: Double
    ) throws {
        let inputs = Tensor.concatenated(x.views + (u?.views ?? []))
        let mixing = SampleMixing(
            rows: inputs.shape[0], alpha: draw.alpha, seed: draw.seed, epoch: x.epoch,
            step: draw.step)
        let logits = withPrecision {
            mixing.logits(
                learner.network, inputs, mode: mode, isText: phase.data.learning.isText)
        }
        try backward(learner, x, logits: nil) {
            mixMatchLosses(
                logits, targets: withoutGradient { mixing(targets) },
                labelled: x.views.count * x.labels.count, unlabelledWeight: unlabelledWeight)
        }
    }
}

extension EpochContext {
    /// Cross-entropy of every sample of `set` with its given label, in evaluation mode [samples], float64 on the
    /// CPU.
    ///
    /// - Throws: for one that is not finite.
    func losses(of learner: Learner, on set: EvaluationSet) throws -> Tensor {
        try Engine.checked {
            let logits = set.logits(
                { learner.network($0, mode: .eval) }, precision: phase.spec.compute.precision)
            let values = withoutGradient {
                crossEntropy(Logits(logits), labels: Tensor(set.labels, [set.labels.count]))
                    .to(.float64)
            }
            guard values.isFinite().all().item == 1 else {
                throw notFinite("loss of a training sample of \(learner.name)")
            }
            return values
        }
    }
}

/// The loss of a mixed batch.
///
/// - Parameters:
///   - logits: [rows, C]; the first ones are of samples with labels, the rest of those without.
///   - targets: mixed [rows, C].
///   - count: rows of samples with labels.
func mixMatchLosses(
    _ logits: Logits, targets: Tensor, labelled count: Int, unlabelledWeight: Double
) -> Losses {
    let rows = logits.tensor.shape[0]
    func part(_ tensor: Tensor, from start: Int, _ count: Int) -> Tensor {
        tensor.narrowed(0, from: start, count: count)
    }
    var terms = [
        Losses.Term(
            "cross-entropy",
            crossEntropy(
                Logits(part(logits.tensor, from: 0, count)),
                Probabilities(part(targets, from: 0, count))))
    ]
    if rows > count {
        terms.append(
            .init(
                "unlabelled", weight: unlabelledWeight,
                squaredDistance(
                    Logits(part(logits.tensor, from: count, rows - count)),
                    part(targets, from: count, rows - count))))
    }
    terms.append(.init("prior", priorPenalty(logits)))
    return Losses(terms)
}
