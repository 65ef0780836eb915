import Datasets
import Diagnostics
import Models
import Neural
import Torch

// Numbers that are not finite, and steps that cannot be computed: named with phase, epoch and step.

extension PhaseTrainer {
    /// Where training stands, counted from 1: the epoch of the latest step.
    private var currentEpoch: Int { step == 0 ? max(0, epoch) : (step - 1) / max(1, stepsPerEpoch) }

    /// Refuses weights that an update has spoilt: they are never measured, saved or written.
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

    /// Runs a measurement on a split; outputs that are not finite become a problem that says where.
    func measured<Result>(on split: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try Engine.checked(body)
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(
                sample: error.sample, split: split, phase: spec.name, epoch: currentEpoch,
                step: step, checkpoint: lastCheckpoint)
        }
    }

    /// An engine error inside a step.
    func problem(_ error: EngineError) -> Problem {
        .engine(error, phase: spec.name, epoch: epoch, step: step + 1)
    }

    /// Refuses, before the first step, a batch of one sample that leaves a batch norm one value per channel.
    func checkBatchNorms() throws {
        let samples = data.split.train.count
        let batch = spec.training.batch
        guard work.samples == nil, samples % batch == 1 || batch == 1 || samples == 1 else {
            return
        }
        let inputs = plan.batch(epoch: 0, step: plan.stepsPerEpoch - 1).inputs.to(device)
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
