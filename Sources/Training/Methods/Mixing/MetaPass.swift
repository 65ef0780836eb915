import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Randomness
import Torch

/// The pass in which adaptive mixing learns its weights, before an ordinary epoch.
///
/// The student, in eval mode, sees the training samples once, in an order and with augmentation of the
/// pass's own, in groups of mini-batches; each group meets a draw of the meta-validation split in
/// one virtual step. Only the weights change. A pass that is interrupted changes nothing: the run
/// resumes before it.
final class MetaPass {
    private let options: AdaptiveMixingOptions
    private let phase: PhaseContext
    private let plan: BatchPlan
    private let validation: EvaluationSet

    /// What the passes of an epoch have done.
    struct Sums: Codable, Equatable {
        var groups = 0
        var repeats: [String: Int] = [:]
        /// Sums over groups of the validation loss as it was and at the first virtual step.
        var loss = 0.0
        var virtualStep = 0.0

        /// Whether a pass can have left these.
        var isPossible: Bool {
            groups >= 0 && repeats.values.allSatisfy { $0 >= 0 } && loss.isFinite
                && virtualStep.isFinite
        }
    }

    init(_ options: AdaptiveMixingOptions, _ phase: PhaseContext) throws {
        self.options = options
        self.phase = phase
        // Orders and crops other than those of the epoch that follows.
        plan = try phase.plan(seed: phase.seed ^ 0x6d65_7461_7061_7373)
        let data = phase.data
        validation = try EvaluationSet(
            data.learning, members: data.metaValidation, normalisation: data.normalisation,
            device: phase.device)
    }

    /// - Returns: nil if it was stopped; the weights are then as before.
    func run(_ mixing: AdaptiveMixingObjective, _ context: EpochContext) throws -> Sums? {
        let (epoch, learner) = (context.epoch, context.learners[0])
        let precision = phase.spec.compute.precision
        let rate = context.learningRate(of: learner)
        let head = learner.network.head
        let before = mixing.state.map { $0.tensor.cloned() }
        var sums = Sums()
        func seen(_ inputs: Tensor) -> StudentOutput {
            let features = withPrecision(precision, on: phase.device) {
                learner.network.features(inputs, mode: .eval)
            }.to(.float32)
            return StudentOutput(
                features: features, logits: Logits(learner.network.logits(fromFeatures: features)))
        }
        var parts: [Tensor] = []
        try Engine.checked {
            withoutGradient { validation.forEachBatch { parts.append(seen($0).features) } }
        }
        let features = Tensor.concatenated(parts)  // [all of meta-validation, D]
        let prefetcher = Prefetcher(plan, epoch: epoch, step: 0, epochs: epoch + 1)
        let group = options.batchesPerGroup
        for number in 0..<(plan.stepsPerEpoch + group - 1) / group {
            if context.shouldStop() {
                for (copy, (_, tensor)) in zip(before, mixing.state) { tensor.copy(from: copy) }
                return nil
            }
            try Engine.checked {
                withoutGradient {
                    let batches = (0..<group).compactMap { _ in prefetcher.next() }
                    let seenBatches = batches.map { batch in
                        let input = context.labelled(batch, for: learner)
                        return (output: seen(input.inputs), batch: input)
                    }
                    let drawn = validationDraw(
                        labels: validation.labels, classes: phase.classes,
                        count: options.validationBatch, balanced: options.balancedValidation,
                        seed: phase.seed, epoch: epoch, group: number)
                    let index = Tensor(drawn, [drawn.count]).to(phase.device)
                    let labels = Tensor(drawn.map { validation.labels[$0] }, [drawn.count])
                    let result = mixing.metaStep(
                        mixing.group(seenBatches),
                        rows: batches.flatMap(context.rows),
                        validation: MixingValidation(
                            features: features.indexed(0, by: index), weight: head.weight.tensor,
                            bias: head.bias?.tensor, labels: labels.to(phase.device)),
                        hasBias: head.bias != nil,
                        rate: virtualStepRate(rate, learner.spec.optimizer))
                    sums.groups += 1
                    for one in result.repeats {
                        sums.repeats[one.verdict.rawValue, default: 0] += 1
                    }
                    sums.loss += result.repeats.first?.loss ?? 0
                    sums.virtualStep += result.repeats.first?.virtualStepLoss ?? 0
                }
            }
            context.note(nil)
        }
        return sums
    }
}
