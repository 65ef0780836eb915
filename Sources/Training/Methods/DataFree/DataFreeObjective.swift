import Datasets
import Diagnostics
import Distillation
import Report
import Torch

/// How students learn from synthetic images: as in `SynthesisOptions.method`'s papers,
///
///     L_i = T² KL( softmax(t/T) ‖ softmax(z_i/T) )
///
/// with teacher logits t; no label takes part. Any divergence may stand in for KL, and several
/// students may teach one another beside:
///
///     L_i += w/(K−1) Σ_{j≠i} T_m² D( softmax(z_j/T_m) ‖ softmax(z_i/T_m) )
public struct DataFreeObjectiveOptions: Equatable, Sendable {
    /// T > 0; 20 in the papers.
    public var temperature = 20.0
    public var divergence = TeacherLoss.divergence(.kl)
    public var standardiseLogits = false
    /// Between several students; their labels take no part.
    public var mutual = MutualLearningOptions()

    public init() {}
}

public final class DataFreeObjective: Objective {
    private let options: DataFreeObjectiveOptions
    private let teacher: TeacherOutputs
    private let scores: PhaseResult.Scores?
    private let mutual: MutualObjective
    let pass: SynthesisPass
    /// Whether the phase measures on held-out images already.
    private var measuresHeldOut = false

    /// - Parameter scores: the teacher's, where there are samples to measure it on.
    init(
        _ options: DataFreeObjectiveOptions, teacher: TeacherOutputs, scores: PhaseResult.Scores?,
        pass: SynthesisPass
    ) {
        self.options = options
        self.teacher = teacher
        self.scores = scores
        self.pass = pass
        mutual = MutualObjective(options.mutual)
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let own = outputs[learner].logits
        let logits = logits(for: batch)
        let agreement = withoutGradient {
            own.predictions.equal(logits.predictions).to(.float32)
        }
        let term = Losses.Term(
            "distillation",
            options.divergence.trainingLoss(
                teacher: logits, student: own, labels: batch.labels,
                temperature: options.temperature, standardised: options.standardiseLogits))
        let pull = mutual.pull(of: learner, outputs, batch)
        return Losses(
            [term] + pull.terms,
            metrics: [.init(SynthesisMetric.teacherAgreement, agreement)] + pull.metrics)
    }

    /// Several students see the same batch: one forward pass of the teacher is enough.
    private func logits(for batch: TrainingBatch) -> Logits {
        if let recent, recent.inputs === batch.inputs { return recent.logits }
        let logits = teacher.logits(for: batch)
        recent = (batch.inputs, logits)
        return logits
    }

    private var recent: (inputs: Tensor, logits: Logits)?

    // MARK: Images

    public func batches(_ phase: PhaseContext) throws -> Batches { .own(pass) }

    /// The warm-up.
    public func begin(_ epoch: EpochContext) throws {
        epoch.note(teacher: scores)
        try synthesise(before: pass.warmUp, epoch)
    }

    /// The images of the epoch ahead, before its first step.
    public func beginEpoch(_ epoch: EpochContext) throws {
        try mutual.beginEpoch(epoch)
        if epoch.stepInEpoch == 0 {
            try synthesise(before: pass.warmUp + epoch.epoch + 1, epoch)
        }
        let isLearnt = pass.context.normalisation.isLearnt
        if measuresHeldOut, !isLearnt { return }
        measuresHeldOut = true
        if isLearnt {
            let (mean, std) = pass.context.normalisation.values
            epoch.use(try Normalisation(mean: mean, std: std))
        }
        let phase = epoch.phase
        let heldOut = try pass.heldOutSet(phase.data.normalisation)
        epoch.use(
            SplitEvaluator(
                validation: heldOut, test: phase.data.isPlaceholder ? heldOut : try phase.testSet(),
                precision: phase.spec.compute.precision, metric: metric(phase)))
    }

    /// What is measured on held-out images.
    private func metric(_ phase: PhaseContext) -> PhaseMetric {
        let images = "held-out synthetic images"
        let validation =
            "Validation of \(phase.spec.name): agreement with the teacher on \(heldOutCount) "
            + "\(images); no real sample selects."
        guard phase.data.isPlaceholder else { return PhaseMetric(note: validation) }
        return PhaseMetric(
            name: "agreement with the teacher", testSet: images, reference: "teacher",
            isOfTestLabels: false,
            note: validation
                + " There are no test samples: last and selected are that agreement too.")
    }

    private var heldOutCount: Int { pass.heldOut.count * pass.options.synthesis.batch }

    private func synthesise(before end: Int, _ epoch: EpochContext) throws {
        do {
            let isDone = try pass.synthesise(before: end, epoch)
            if !isDone { try epoch.stop() }
        } catch let error as SynthesisFailure {
            throw Problem.synthesisNotFinite(
                term: error.term, phase: epoch.phase.spec.name, epoch: pass.record.epoch,
                batch: pass.record.batch, step: error.step, checkpoint: epoch.lastCheckpoint)
        }
    }

    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] { pass.metrics() }

    /// Closes the pool.
    public func finish(_ epoch: EpochContext) throws { try pass.finish() }

    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        var notes: [String] = []
        if !pass.context.teacherHasBatchNorm {
            notes.append(
                "The teacher has no batch norm: nothing could be matched to its statistics, the term "
                    + "that counts most.")
        }
        for group in pass.embeddings?.identicalClasses ?? [] {
            notes.append(
                "The generator cannot tell these classes apart, as their embeddings are equal: "
                    + group.joined(separator: ", ") + ".")
        }
        let pool = try SyntheticPool(phase: epoch.phase.folder)
        let own = DataFreeSections(
            phase: result, teacher: scores, history: try epoch.history,
            method: pass.options.synthesis.method.rawValue, embeddings: pass.embeddings?.source,
            heldOutImages: heldOutCount, notes: notes, pool: pool, moments: try pool.grids())
        return Section.teacher(scores, of: result.name) + [own.section]
            + (try mutual.sections(of: result, epoch))
    }

    // MARK: Checkpoints

    public var state: [NamedTensor] {
        pass.maker.state.map { ("synthesis.\($0.name)", $0.tensor) }
    }
    public var pieces: Int { pass.record.made }
    public func record() throws -> JSON? { try JSON(pass.record) }
    public func didSave() throws(Problem) { try pass.removeGone() }
    public func dropRandomState() { pass.dropRandomState() }

    public func restore(_ record: JSON?, from checkpoint: String?) throws(Problem) {
        guard let checkpoint else { return try pass.tidy() }
        guard let found = try? record?.decoded(SynthesisRecord.self),
            found.isPossible(pass.options, epochs: pass.epochs)
        else { throw .checkpointDamaged(checkpoint, "the state of the synthesis") }
        try pass.resume(found)
    }
}
