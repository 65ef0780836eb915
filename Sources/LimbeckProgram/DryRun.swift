import Diagnostics
import Models
import Neural
import Torch
import Training

/// What `--dry-run` finds out without training: sizes, and how much memory a step will want.
struct DryRun: Encodable {
    struct Phase: Encodable {
        var name: String
        var model: String
        var parameters: Int
        var steps: Int
        /// Bytes of weights, gradients, optimizer state, EMA and kept copies.
        var stateBytes: Int
        enum CodingKeys: String, CodingKey {
            case name, model, parameters, steps
            case stateBytes = "state_bytes"
        }
    }

    var data: String
    var samples: [String: Int]
    var classes: Int
    var sampleShape: [Int]
    /// Null where no clean label is known.
    @OrNull var realisedNoise: Double?
    var phases: [Phase]
    enum CodingKeys: String, CodingKey {
        case data, samples, classes, phases
        case sampleShape = "sample_shape"
        case realisedNoise = "realised_noise"
    }

    init(_ run: Run) throws {
        let prepared = run.data
        data = prepared.learning.name
        samples = [
            "train": prepared.split.train.count, "validation": prepared.split.validation.count,
            "test": prepared.testMembers.count,
        ]
        classes = prepared.classCount
        sampleShape = prepared.sampleShape
        realisedNoise = prepared.noise.realisedRate
        phases = try run.chain.map { spec in
            let parameters = try spec.learners.map { learner in
                let network = try ModelRegistry.make(
                    learner.model, sampleShape: prepared.sampleShape, classes: prepared.classCount,
                    seed: 0)
                // A forward pass of one sample shows that every layer fits the next.
                let input = Tensor.zeros([1] + prepared.sampleShape)
                let logits = try Engine.checked { withoutGradient { network(input, mode: .eval) } }
                precondition(logits.shape == [1, prepared.classCount])
                return network.parameterCount
            }.reduce(0, +)
            let batch = spec.training.batch
            let train = prepared.split.train.count
            let copies = 4 + (spec.training.ema > 0 ? 3 : 0)
            return Phase(
                name: spec.name, model: spec.learners.map(\.model.name).joined(separator: " + "),
                parameters: parameters,
                steps: spec.target.base.stepsPerEpoch(samples: train, batch: batch)
                    * spec.training.epochs,
                stateBytes: parameters * 4 * copies)
        }
    }

    var lines: [String] {
        phases.map {
            "\($0.name): \($0.model), \($0.parameters) parameters, \($0.steps) steps, "
                + "\(($0.stateBytes + (1 << 20) - 1) >> 20) MiB of weights and state"
        }
    }
}
