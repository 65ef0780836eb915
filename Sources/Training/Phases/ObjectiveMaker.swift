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
    }

    func make(
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> Made {
        switch spec.target {
        case .labels(let options): return Made(objective: Alone(CrossEntropy(options)))
        case .peers(let options, _): return Made(objective: MutualLearning(options))
        case .teacher(let options, let source):
            let teacher = try frozen(source, weights)
            // Without augmentation the teacher sees the same inputs every epoch: once is enough.
            let table = spec.training.augmentation.isOn ? nil : try trainingLogits(teacher)
            return Made(
                objective: Alone(
                    KnowledgeDistillation(options, teacher: TeacherOutputs(teacher, table: table))),
                teacher: try scores(teacher))
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

    private func frozen(
        _ source: PhaseSpec.TeacherSource,
        _ weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> Frozen {
        let (model, tensors) = try weights(source)
        let network = try ModelRegistry.make(
            model, sampleShape: data.sampleShape, classes: data.classCount, seed: 0)
        var path: String?
        if case .file(let file, _, _) = source { path = file }
        try network.loadState(from: tensors, source: path)
        if data.learning.isImages { network.toChannelsLast() }
        let teacher = Frozen(network)
        teacher.move(to: device)
        return teacher
    }

    /// [rows of the training split, C], float32.
    private func trainingLogits(_ teacher: Frozen) throws -> Tensor {
        let rows = try EvaluationSet(
            data.learning, members: data.split.train, normalisation: data.normalisation,
            device: device)
        return try Engine.checked {
            rows.logits({ teacher($0) }, precision: spec.compute.precision).to(device)
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
