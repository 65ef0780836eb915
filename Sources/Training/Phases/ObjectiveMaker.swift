import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Torch

/// Turns a phase's target into the objective that trains towards it: makes teachers frozen, their
/// outputs tables, and measures them before the first step.
struct ObjectiveMaker {
    let spec: PhaseSpec
    let data: PreparedData
    let validation: EvaluationSet
    let test: EvaluationSet

    private var device: Device { Device(named: spec.compute.device) }

    struct Made {
        var objective: any PeerObjective
        var teacher: PhaseResult.Scores?
        var pseudoLabelAccuracy: Double?
        var mixed: MixedTeachers?
        var mixing: AdaptiveMixing?
        /// A teacher that can be probed, to make images out of.
        var probed: Frozen?
    }

    func make(
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> Made {
        var made = try methodOnly(weights: weights)
        made.objective = try related(made.objective, weights: weights)
        return made
    }

    private func methodOnly(
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> Made {
        switch spec.target {
        case .relations: preconditionFailure("an encoder has a trainer of its own")
        case .labels(let options): return Made(objective: Alone(CrossEntropy(options)))
        case .peers(let options, _): return Made(objective: MutualLearning(options))
        case .mixing(let options, let teachers):
            return try mixture(options, teachers, weights: weights)
        case .teacher(let options, let source):
            let teacher = try frozen(source, weights)
            // Without augmentation the teacher sees the same inputs every epoch: once is enough.
            let table = spec.training.augmentation.isOn ? nil : try trainingLogits(teacher)
            return Made(
                objective: Alone(
                    KnowledgeDistillation(options, teacher: TeacherOutputs(teacher, table: table))),
                teacher: try scores(teacher))
        case .dataFree(let options, let source, _):
            let teacher = try frozen(source, weights)
            return Made(
                objective: DataFreeObjective(options.objective, teacher: TeacherOutputs(teacher)),
                teacher: data.isPlaceholder ? nil : try scores(teacher),
                probed: try frozen(source, weights, folding: false))
        case .pseudoLabels(let beta, let source, let divergence):
            let teacher = try frozen(source, weights)
            let logits = try trainingLogits(teacher)
            let labels =
                divergence.map {
                    PseudoLabels(
                        Logits(logits).logProbabilities(temperature: 1 / beta.value), $0)
                } ?? PseudoLabels(pseudoLabels(Logits(logits), beta: beta.value))
            return Made(
                objective: Alone(labels),
                teacher: try scores(teacher), pseudoLabelAccuracy: cleanAgreement(logits))
        }
    }

    private func mixture(
        _ options: MixingOptions, _ entries: [PhaseSpec.MixedTeacher],
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> Made {
        let truth = data.learning.clean ?? data.learning.labels
        let labels = Tensor(data.split.train.map { truth[$0] }, [data.split.train.count]).to(device)
        var losses = [MixableLoss.labels(options.loss)]
        var teachers = MixedTeachers()
        for (m, entry) in entries.enumerated() {
            let teacher = try frozen(entry.source, weights)
            let logits = try trainingLogits(teacher)
            let change = try entry.corrupt.map { try spoiling($0, labels: labels) }
            let outputs = TeacherOutputs(
                teacher, table: spec.training.augmentation.isOn ? nil : logits, change: change)
            let rows = Tensor(Array(0..<data.split.train.count), [data.split.train.count])
            let seen = change?(Logits(logits), rows.to(device)) ?? Logits(logits)
            let name = entries.count == 1 ? "teacher" : "teacher-\(m + 1)"
            teachers.names.append(name)
            teachers.isSpoilt.append(entry.corrupt != nil)
            teachers.scores.append(try scores(teacher))
            teachers.add(logits: seen, given: data.split.train.map { data.learning.labels[$0] })
            losses.append(
                .teacher(name, options.divergence, temperature: options.mixing.temperature) {
                    outputs.logits(for: $0)
                })
        }
        for (i, also) in options.also.enumerated() {
            losses.append(.labels(also, name: "\(also.name)-\(i + 2)"))
        }
        teachers.losses = losses.map(\.name)
        let objective: any Objective
        if let share = options.fixedShare, options.weighting != .adaptive {
            objective = try fixedObjective(options, losses, share: share)
        } else {
            objective = AdaptiveMixing(
                options.mixing, losses: losses, rows: data.split.train.count,
                seed: spec.derivedSeed, device: device)
        }
        return Made(
            objective: Alone(objective),
            teacher: teachers.scores.count == 1 ? teachers.scores[0] : nil, mixed: teachers,
            mixing: objective as? AdaptiveMixing)
    }

    /// What spoils a teacher's logits [N, C] of the samples at rows [N].
    ///
    /// - Parameter labels: true labels of the training split, by row; the given ones where no true one
    ///   is known.
    private func spoiling(
        _ corrupt: MixingTeacher.Corruption, labels: Tensor
    ) throws -> (Logits, Tensor) -> Logits {
        switch corrupt.of {
        case .classes:
            let corruption = try TeacherCorruption(
                share: corrupt.share, classes: data.classCount, seed: corrupt.seed)
            return { corruption.applied(to: $0, labels: labels.indexed(0, by: $1)) }
        case .samples:
            let opinions = try RandomOpinions(
                share: corrupt.share, rows: data.split.train.count, classes: data.classCount,
                seed: corrupt.seed, device: device)
            return { opinions.applied(to: $0, rows: $1) }
        }
    }

    /// The weightings that learn nothing: 1 − `share` for the given labels, `share` for all others.
    private func fixedObjective(
        _ options: MixingOptions, _ losses: [MixableLoss], share: Double
    ) throws -> any Objective {
        let weights = [1 - share] + Array(repeating: share, count: losses.count - 1)
        switch options.weighting {
        case .adaptive, .fixed: return try FixedMixing(losses, weights: weights)
        case .superLoss:
            return SuperLossMixing(
                losses, weights: weights, superLoss: SuperLoss(classes: data.classCount))
        case .dropping:
            return TeacherDropping(
                try .init(drop: options.drop, hard: 1 - share, soft: share), label: losses[0],
                teachers: Array(losses.dropFirst()), seed: spec.derivedSeed)
        }
    }

    func frozen(
        _ source: PhaseSpec.TeacherSource,
        _ weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor]),
        folding: Bool = true
    ) throws -> Frozen {
        let (model, tensors) = try weights(source)
        var path: String?
        var card: ModelCard?
        if case .file(let file, _, _) = source {
            (path, card) = (file, try ModelCard(ifIn: file))
            // Before a network is made: its shape and classes may be others.
            try card?.checkFits(data, file: file)
        }
        let network = try ModelRegistry.make(
            model, sampleShape: data.sampleShape, classes: data.classCount, weights: tensors,
            source: path)
        let adapter = try card?.adapt(network, to: data, file: path ?? "")
        if data.learning.isImages { network.toChannelsLast() }
        let teacher = Frozen(network, folding: folding, adapter: adapter)
        teacher.move(to: device)
        return teacher
    }

    /// [rows of the training split, C], float32.
    private func trainingLogits(_ teacher: Frozen) throws -> Tensor {
        try trainingOutputs { teacher($0) }
    }

    /// What `network` makes of the plain training samples [rows of the training split, …], float32.
    func trainingOutputs(_ network: (Tensor) -> Tensor) throws -> Tensor {
        let rows = try EvaluationSet(
            data.learning, members: data.split.train, normalisation: data.normalisation,
            device: device)
        return try Engine.checked {
            try rows.finite(rows.logits(network, precision: spec.compute.precision)).to(device)
        }
    }

    private func scores(_ teacher: Frozen) throws -> PhaseResult.Scores {
        .init(
            validation: try validation.evaluate({ teacher($0) }, precision: spec.compute.precision),
            test: try test.evaluate({ teacher($0) }, precision: spec.compute.precision))
    }

    private func cleanAgreement(_ logits: Tensor) -> Double? {
        guard data.knowsClean, let clean = data.learning.clean else { return nil }
        let hits = zip(logits.argmax().ints(), data.split.train).count { $0 == clean[$1] }
        return Double(hits) / Double(data.split.train.count)
    }
}
