import Diagnostics
import Distillation
import Files
import Torch

/// What adaptive mixing does beside its steps: a meta pass before some epochs, and a record of the weights
/// that it learnt.
final class MixingWork: PhaseWork {
    let pass: MetaPass
    let teachers: MixedTeachers
    let data: PreparedData
    let folder: String
    let files: any FileSystem

    init(
        _ mixing: AdaptiveMixing, _ teachers: MixedTeachers, spec: PhaseSpec, data: PreparedData,
        folder: String, files: any FileSystem
    ) throws {
        pass = try MetaPass(
            mixing, spec: spec, data: data, device: Device(named: spec.compute.device))
        (self.teachers, self.data, self.folder, self.files) = (teachers, data, folder, files)
    }

    /// The meta pass before an epoch that has one. Nothing of it outlives an interruption.
    func prepareEpoch(_ trainer: PhaseTrainer) throws {
        let epoch = trainer.epoch
        guard trainer.stepInEpoch == 0, pass.mixing.options.isMetaEpoch(epoch) else { return }
        let learner = trainer.learners[0]
        let rate = learner.rate(
            step: trainer.step, stepsPerEpoch: trainer.stepsPerEpoch,
            epochs: trainer.spec.training.epochs)
        do {
            let sums = try pass.run(
                learner, in: trainer, rate: rate, stop: trainer.environment.shouldStop)
            guard let sums else {
                throw Problem.interrupted(checkpoint: try trainer.saveCheckpoint())
            }
            guard sums.loss.isFinite, sums.lookahead.isFinite else {
                throw Problem.notFinite(
                    term: "meta-validation", phase: trainer.spec.name, epoch: epoch,
                    step: trainer.step, checkpoint: trainer.lastCheckpoint)
            }
            learner.record.sums.meta = sums
        } catch let error as EngineError {
            throw trainer.problem(error)
        }
    }

    func describe(_ metrics: inout EpochMetrics, _ trainer: PhaseTrainer) {
        metrics.mixing = self.metrics(of: trainer.learners[0].record.sums.meta)
    }

    func finish(_ result: inout PhaseResult, _ trainer: PhaseTrainer) throws {
        result.mixing = try self.result()
    }
}
