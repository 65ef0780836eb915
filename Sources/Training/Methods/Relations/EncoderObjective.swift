import Diagnostics
import Distillation
import Neural
import Randomness
import Report
import Torch

/// Relations between samples, learnt from two views of each and without labels.
struct EncoderTarget: PhaseTarget {
    static let name = "relations"
    var options: RelationModelling
    var traits: PhaseTraits { PhaseTraits(learnsLabels: false, keepsBest: false, hasOwnStep: true) }

    func check(_ data: PreparedData) throws(Problem) {
        guard data.learning.isImages else { throw .relationsNeedImages(data.learning.name) }
    }

    /// A rest that does not fill a batch is left out.
    func stepsPerEpoch(samples: Int, batch: Int) -> Int { max(1, samples / batch) }

    func objective(_ phase: PhaseContext) throws -> any Objective {
        EncoderObjective(options, phase)
    }
}

/// Trains an encoder and the head that stands behind it while it learns.
final class EncoderObjective: Objective {
    private let options: RelationModelling
    private let head: SelfSupervisionHead
    private var evaluation: EncoderEvaluation?

    init(_ options: RelationModelling, _ phase: PhaseContext) {
        self.options = options
        var draw = Draw(seed: phase.seed, .initialisation, step: 1)
        head = SelfSupervisionHead(
            options.kind, inputs: phase.learners[0].network.head.inputs,
            dimension: options.dimension, hidden: options.hidden,
            generator: Generator(seed: draw.next()))
        head.move(to: phase.device)
    }

    func batches(_ phase: PhaseContext) throws -> Batches {
        // A batch norm needs two samples; a rest of one would have none of it.
        .plan(try phase.plan(views: options.views, dropLast: true))
    }

    func evaluator(_ phase: PhaseContext) throws -> any PhaseEvaluator {
        let order = try phase.plan().order(epoch: 0)
        let made = try EncoderEvaluation(phase, options, order: order)
        evaluation = made
        return made
    }

    func parameters(of learner: Int) -> [NamedTensor] {
        head.parameters.map { ("heads.\($0.name)", $0.tensor) }
    }

    var state: [NamedTensor] { head.state.map { ("heads.\($0.name)", $0.tensor) } }

    /// One forward pass per view, so that batch statistics are those of one view.
    func step(_ batch: TrainingBatch, _ step: StepContext) throws {
        let learner = step.learners[0]
        let mode = step.mode(of: learner)
        let (values, projections) = step.withPrecision {
            head.loss(
                (
                    learner.network.features(batch.views[0], mode: mode),
                    learner.network.features(batch.views[1], mode: mode)
                ), temperature: options.temperature, mode: mode)
        }
        try step.backward(learner, batch, logits: nil) {
            Losses(
                [.init(options.kind.rawValue, values)],
                metrics: [.init(Self.std, withoutGradient { embeddingStd(projections.0) })])
        }
        step.update(learner)
    }

    /// How far the encoder is from having collapsed.
    static let std = "embedding-std"

    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        preconditionFailure("an encoder's loss is of two views")
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        guard
            let relations = try evaluation?.result(
                epoch.learners[0].network, options: options, headParameters: head.parameterCount,
                embeddingStd: history.last?.metrics?[Self.std] ?? .nan)
        else { return [] }
        return [
            RelationsSections(
                relations: relations, phase: result.name,
                classNames: epoch.phase.data.learning.classNames, history: history
            ).section
        ]
    }
}
