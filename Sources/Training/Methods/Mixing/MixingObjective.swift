import Datasets
import Diagnostics
import Distillation
import Neural
import Report
import Torch

/// Given labels and several teachers, weighed sample by sample.
struct MixingTarget: PhaseTarget {
    /// A teacher of the mix.
    struct Teacher: Encodable, Sendable {
        var source: WeightSource
        var corrupt: MixingTeacher.Corruption?
    }

    static let name = "mixing"
    var options: AdaptiveMixing
    var teachers: [Teacher]
    /// What the transition matrices of label losses are estimated from, if they have to be.
    var estimators: [WeightSource]?
    var sources: [WeightSource] { teachers.map(\.source) + (estimators ?? []) }

    func check(_ data: PreparedData) throws(Problem) {
        try options.loss.check(classes: data.classCount)
        for (i, loss) in options.extraLosses.enumerated() {
            try loss.check(classes: data.classCount, at: "method.extra-losses.\(i)")
        }
    }

    func objective(_ phase: PhaseContext) throws -> any Objective {
        let given = phase.givenLabels
        let truth = phase.data.learning.clean ?? phase.data.learning.labels
        let labels = Tensor(phase.data.split.train.map { truth[$0] }, [phase.rows])
            .to(phase.device)
        let rows = Tensor(Array(0..<phase.rows), [phase.rows]).to(phase.device)
        var losses = [MixableLoss.labels(try phase.ready(options.loss, from: estimators))]
        var mixed = MixedTeachers()
        for (m, entry) in teachers.enumerated() {
            let teacher = try phase.frozen(entry.source)
            let logits = try phase.trainingLogits(teacher)
            let change = try entry.corrupt.map { try corruption($0, labels: labels, phase) }
            let outputs = TeacherOutputs(
                teacher, table: phase.isPlain ? logits : nil, change: change)
            let seen = change?(Logits(logits), rows) ?? Logits(logits)
            let name = teachers.count == 1 ? "teacher" : "teacher-\(m + 1)"
            mixed.names.append(name)
            mixed.isCorrupted.append(entry.corrupt != nil)
            mixed.scores.append(try phase.scores(teacher))
            mixed.add(logits: seen, given: given)
            losses.append(
                .teacher(name, options.divergence, temperature: options.mixing.temperature) {
                    outputs.logits(for: $0)
                })
        }
        for (i, also) in options.extraLosses.enumerated() {
            losses.append(
                .labels(
                    try phase.ready(also, from: estimators), name: "\(also.name)-\(i + 2)"))
        }
        mixed.losses = losses.map(\.name)
        if let share = options.fixedShare, options.weighting != .adaptive {
            return try fixed(losses, share: share, mixed, phase)
        }
        return AdaptiveMixingObjective(
            options.mixing, losses: losses, rows: phase.rows, seed: phase.seed,
            device: phase.device, teachers: mixed,
            pass: try MetaPass(options.mixing, phase))
    }

    /// What corrupts a teacher's logits [N, C] of the samples at rows [N].
    ///
    /// - Parameter labels: true labels of the training split, by row; the given ones where no true one
    ///   is known.
    private func corruption(
        _ corrupt: MixingTeacher.Corruption, labels: Tensor, _ phase: PhaseContext
    ) throws -> (Logits, Tensor) -> Logits {
        switch corrupt.of {
        case .classes:
            let corruption = try TeacherCorruption(
                share: corrupt.share, classes: phase.classes, seed: corrupt.seed)
            return { corruption.applied(to: $0, labels: labels.indexed(0, by: $1)) }
        case .samples:
            let opinions = try RandomOpinions(
                share: corrupt.share, rows: phase.rows, classes: phase.classes, seed: corrupt.seed,
                device: phase.device)
            return { opinions.applied(to: $0, rows: $1) }
        }
    }

    /// The weightings that learn nothing: 1 − `share` for the given labels, `share` for all others.
    private func fixed(
        _ losses: [MixableLoss], share: Double, _ mixed: MixedTeachers, _ phase: PhaseContext
    ) throws -> any Objective {
        let weights = [1 - share] + Array(repeating: share, count: losses.count - 1)
        let scores = mixed.scores.count == 1 ? mixed.scores[0] : nil
        switch options.weighting {
        case .adaptive, .fixed:
            return try FixedMixing(losses, weights: weights, teacher: scores)
        case .superLoss:
            return SuperLossMixing(
                losses, weights: weights, superLoss: SuperLoss(classes: phase.classes),
                teacher: scores)
        case .dropping:
            return TeacherDropping(
                .init(
                    drop: options.drop, labelWeight: 1 - share, distillationWeight: share),
                label: losses[0],
                teachers: Array(losses.dropFirst()), seed: phase.seed, teacher: scores)
        }
    }
}

/// The objective of the ordinary epochs, and the meta step between them.
public final class AdaptiveMixingObjective: Objective {
    public let options: AdaptiveMixingOptions
    public let table: MixingTable
    private let losses: [MixableLoss]
    let teachers: MixedTeachers
    private let pass: MetaPass?
    /// Of the meta steps; nil where they are taken as the features are.
    private let unit: MetaStepUnit?
    /// Of the meta pass before this epoch, if there was one.
    private var sums: MetaPass.Sums?

    /// Without a meta pass of its own.
    public convenience init(
        _ options: AdaptiveMixingOptions = .init(), losses: [MixableLoss], rows: Int, seed: UInt64,
        device: Device = .cpu
    ) {
        self.init(
            options, losses: losses, rows: rows, seed: seed, device: device, teachers: .init(),
            pass: nil)
    }

    /// - Parameters:
    ///   - losses: the given label's loss first, then one per teacher or whatever else is mixed.
    ///   - rows: samples of the training split.
    init(
        _ options: AdaptiveMixingOptions, losses: [MixableLoss], rows: Int, seed: UInt64,
        device: Device, teachers: MixedTeachers, pass: MetaPass?
    ) {
        self.options = options
        self.losses = losses
        self.teachers = teachers
        self.pass = pass
        unit =
            options.metaStepScale == .auto
            ? MetaStepUnit(typical: AdaptiveMixingOptions.typicalStep) : nil
        table = MixingTable(
            rows: rows, losses: losses.count, rule: options.rule, start: options.initialWeight,
            seed: seed,
            device: device)
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        mixed(
            losses.map { ($0.name, $0.values(outputs[learner].logits, batch)) },
            weights: table.weights(of: batch.rows))
    }

    public var state: [NamedTensor] {
        table.state + (unit.map { [("mixing.step-unit", $0.factor)] } ?? [])
    }

    /// What a group of mini-batches, seen by the student in evaluation mode, hands to a meta step.
    public func group(_ batches: [(output: StudentOutput, batch: TrainingBatch)]) -> MixingGroup {
        MixingGroup(
            features: .concatenated(batches.map { lossPrecision($0.output.features) }),
            gradients: losses.map { loss in
                .concatenated(batches.map { loss.gradient($0.output.logits, $0.batch) })
            })
    }

    /// One meta step on the samples at `rows`, whose parameters it changes.
    ///
    /// - Parameters:
    ///   - rows: of the group's samples, in its order.
    ///   - rate: η of the virtual step, see `virtualStepRate`; of no account in units of their own.
    @discardableResult
    public func metaStep(
        _ group: MixingGroup, rows: [Int], validation: MixingValidation, hasBias: Bool, rate: Double
    ) -> MetaStepResult {
        var (step, rate) = (options.metaStep, rate)
        let repeats = options.virtualStep == .exact ? options.metaRepeats : 0
        let virtualStep: LastLayerVirtualStep
        if let unit {
            // The step of b has no unit that the weights' step could be compared with, and moves all
            // samples alike: in units of their own, W moves alone.
            let length = validation.featureLength
            virtualStep = LastLayerVirtualStep(
                group.inUnits(of: length), validation.inUnits(of: length), hasBias: false,
                repeats: repeats)
            step.step *= unit.value(virtualStep.alignments(rate: 0))
            rate = AdaptiveMixingOptions.virtualRate
        } else {
            virtualStep = LastLayerVirtualStep(
                group, validation, hasBias: hasBias, repeats: repeats)
        }
        let index = Tensor(rows, [rows.count]).to(table.parameters.device)
        let result = Distillation.metaStep(
            table.parameters(of: index), virtualStep, rate: rate, options: step)
        table.update(rows, result)
        return result
    }

    // MARK: In a phase

    public func begin(_ epoch: EpochContext) throws {
        epoch.note(teacher: teachers.scores.count == 1 ? teachers.scores[0] : nil)
    }

    /// The meta pass before an epoch that has one. Nothing of it outlives an interruption.
    public func beginEpoch(_ epoch: EpochContext) throws {
        guard epoch.stepInEpoch == 0, let pass else { return }
        sums = nil
        guard options.isMetaEpoch(epoch.epoch) else { return }
        guard let sums = try pass.run(self, epoch) else { try epoch.stop() }
        guard sums.loss.isFinite, sums.virtualStep.isFinite else {
            throw epoch.notFinite("meta-validation")
        }
        self.sums = sums
    }

    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        pass == nil ? [:] : metrics(of: sums, epoch.phase)
    }

    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let teacher = Section.teacher(
            teachers.scores.count == 1 ? teachers.scores[0] : nil, of: result.name)
        guard pass != nil else { return teacher }
        let own = MixingSections(
            mixing: self.result(epoch.phase), phase: result.name,
            classNames: epoch.phase.data.learning.classNames, history: try epoch.history,
            columns: columns)
        return teacher + [own.section]
    }

    public func record() throws -> JSON? { try sums.map { try JSON($0) } }

    public func restore(_ record: JSON?, from checkpoint: String?) throws(Problem) {
        guard let record, let checkpoint else { return }
        guard let found = try? record.decoded(MetaPass.Sums.self), found.isPossible else {
            throw .checkpointDamaged(checkpoint, "the state of a meta pass")
        }
        sums = found
    }
}
