import Datasets
import Diagnostics
import Distillation
import Neural
import Randomness
import Torch

// One step.

extension PhaseTrainer {
    /// Takes the next step.
    ///
    /// - Returns: false if there is no batch for it.
    func advance(_ prefetcher: Prefetcher?) throws -> Bool {
        guard case .own(let source) = batches else {
            guard let batch = prefetcher?.next() else { return false }
            try advance(batch)
            return true
        }
        try stepping {
            let (batch, labels) = try source.batch(epoch: epoch, step: stepInEpoch)
            let step = StepContext(
                trainer: self, given: { _ in labels }, clean: nil, isOwn: true)
            try objective.step(batch, step)
        }
        return true
    }

    func advance(_ batch: Batch) throws {
        try stepping {
            let clean = data.learning.clean.map { clean in batch.indices.map { clean[$0] } }
            let step = StepContext(
                trainer: self, given: { learner in batch.indices.map { learner.labels[$0] } },
                clean: clean, isOwn: false)
            try objective.step(labelled(batch, for: learners[0]), step)
        }
    }

    /// One step on a batch of the plan, for benchmarks.
    ///
    /// - Returns: the mean loss of each learner before its update.
    package func takeStep(_ batch: Batch) throws -> [Double] {
        let before = learners.map(\.record.sums)
        try advance(batch)
        return zip(learners, before).map { learner, sums in
            (learner.record.sums.total - sums.total) / Double(batch.indices.count)
        }
    }

    private func stepping(_ body: () throws -> Void) throws {
        do { try Engine.checked(body) } catch let error as EngineError { throw problem(error) }
    }

    /// A batch of the plan as objectives see it.
    func labelled(_ batch: Batch, for learner: Learner) -> TrainingBatch {
        context.batch(batch, labels: learner.labels)
    }

    func dropoutGenerator(_ learner: Learner) -> Generator {
        let seed = PhaseSpec.seed(drawSeed, ofLearner: learner.index)
        var draw = Draw(seed: seed, .dropout, epoch: epoch, step: stepInEpoch)
        return Generator(seed: draw.next(), device: device)
    }
}
