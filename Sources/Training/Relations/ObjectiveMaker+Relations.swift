import Diagnostics
import Distillation
import Models
import Neural
import Torch

extension ObjectiveMaker {
    /// `base` with the relation terms of the phase's encoder, if it has any.
    func related(
        _ base: any PeerObjective,
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws -> any PeerObjective {
        guard let relation = spec.relation, relation.guidance.isOn else { return base }
        let encoder = try frozen(relation.encoder, weights)
        // Without augmentation the encoder sees the same inputs every epoch: once is enough.
        let table =
            spec.training.augmentation.isOn ? nil : try trainingOutputs { encoder.features($0) }
        let dimensions = try spec.learners.map {
            try ModelRegistry.make(
                $0.model, sampleShape: data.sampleShape, classes: data.classCount, seed: 0
            ).head.inputs
        }
        return Related(
            base, relation.guidance, encoder: EncoderFeatures(encoder, table: table),
            features: dimensions, rows: data.split.train.count, seed: spec.derivedSeed,
            device: Device(named: spec.compute.device))
    }
}

extension Classifier {
    /// Takes over the weights and buffers of an encoder of the same architecture, but for the head, which
    /// keeps its own.
    func loadFeatures(from encoder: [String: Tensor]) throws(Problem) {
        let own = head.state.map(\.tensor)
        var tensors = encoder
        for (name, tensor) in state where own.contains(where: { $0 === tensor }) {
            tensors[name] = tensor.detached().cloned()
        }
        try loadState(from: tensors)
    }
}
