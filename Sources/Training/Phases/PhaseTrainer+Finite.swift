import Datasets
import Diagnostics
import Models
import Neural
import Torch

// Numbers that are not finite, and steps that cannot be computed: named with phase, epoch and step.

extension PhaseTrainer {
    /// Where training stands, counted from 1: the epoch of the latest step.
    private var currentEpoch: Int { max(0, step - 1) / max(1, stepsPerEpoch) }

    /// Refuses weights that an update has corrupted: they are never measured, saved or written.
    ///
    /// - Parameter what: stands before the tensor's name in the message.
    func checkFinite(_ state: [(name: String, tensor: Tensor)], _ what: String = "") throws {
        try Engine.checked {
            for (name, tensor) in state where tensor.dtype.isFloatingPoint {
                guard tensor.isFinite().all().item == 1 else {
                    throw Problem.notFinite(
                        weights: what + name, phase: spec.name, epoch: currentEpoch, step: step,
                        checkpoint: lastCheckpoint)
                }
            }
        }
    }

    /// Refuses the networks, and what the objective trains beside them.
    func checkFinite() throws {
        for learner in learners {
            try checkFinite(learner.network.state)
            try checkFinite(objective.parameters(of: learner.index))
        }
    }

    /// Outputs that are not finite become a problem that says where.
    func naming<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(
                sample: error.sample, split: error.split ?? "measured", phase: spec.name,
                epoch: currentEpoch, step: step, checkpoint: lastCheckpoint)
        }
    }

    /// Whether the batches are those of the training split.
    var isOfPlan: Bool { if case .plan = batches { true } else { false } }

    /// An engine error inside a step.
    func problem(_ error: EngineError) -> Problem {
        .engine(error, phase: spec.name, epoch: epoch, step: step + 1)
    }

    /// Refuses, before the first step, a batch of one sample that leaves a batch norm one value per channel.
    func checkBatchNorms() throws {
        guard case .plan(let plan) = batches else { return }
        let last = plan.batch(epoch: 0, step: plan.stepsPerEpoch - 1)
        guard last.indices.count == 1 else { return }
        let (samples, batch) = (data.split.train.count, spec.training.batch)
        let inputs = labelled(last, for: learners[0]).inputs
        for learner in learners {
            // A copy: running statistics must not move.
            let network = learner.network.replica()
            network.move(to: device)
            do {
                try Engine.checked {
                    withoutGradient {
                        _ = network(inputs, mode: .train(Generator(seed: 0, device: device)))
                    }
                }
            } catch let error as EngineError where error.reason == BatchNorm.oneValue {
                throw Problem.oneValuePerChannel(
                    phase: spec.name, samples: samples, batch: batch,
                    better: (2...max(2, samples)).first { $0 > batch && samples % $0 != 1 })
            }
        }
    }
}
