import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Randomness
import Torch

// One step: forward, backward, update.

extension PhaseTrainer {
    /// What a step leaves to be counted for one learner.
    private struct Outcome {
        var losses: Losses
        var means: [Double]
        var predictions: [Int]
        var gradientNorm: Double?
    }

    func advance(_ batch: Batch) throws {
        objective.prepare(epoch: epoch, step: stepInEpoch)
        do {
            try Engine.checked {
                let first = labelled(batch, for: learners[0])
                let inputs = first.inputs
                var outputs = withPrecision(spec.compute.precision, on: device) {
                    learners.map { $0.output(inputs, .train(dropoutGenerator($0))) }
                }
                var waiting: [Learner] = []
                for learner in learners {
                    let own =
                        learner === learners[0] || work.samples != nil
                        ? first : first.relabelled(tensor(of: learner.labels, batch))
                    count(try backward(learner, outputs, own), batch, for: learner)
                    guard objective.updateOrder == .recomputed, learners.count > 1 else {
                        waiting.append(learner)
                        continue
                    }
                    update(learner)
                    if learner !== learners.last {
                        outputs[learner.index] = withoutGradient {
                            withPrecision(spec.compute.precision, on: device) {
                                learner.output(inputs, .train(dropoutGenerator(learner)))
                            }
                        }
                    }
                }
                waiting.forEach(update)
            }
        } catch let error as EngineError {
            throw problem(error)
        }
    }

    /// The batch as objectives see it.
    func labelled(_ batch: Batch, for learner: Learner) -> LabelledBatch {
        if let samples = work.samples { return samples.labelled(batch) }
        return LabelledBatch(
            inputs: batch.inputs.to(device), labels: tensor(of: learner.labels, batch),
            rows: tensor(of: rowOfMember, batch), isPlain: !spec.training.augmentation.isOn)
    }

    private func tensor(of list: [Int], _ batch: Batch) -> Tensor {
        Tensor(batch.indices.map { list[$0] }, [batch.indices.count]).to(device)
    }

    /// Leaves the gradients of the learner's losses in its parameters.
    ///
    /// - Throws: if a term is not finite; before the update, so that weights that a bad step has spoilt
    ///   are never saved.
    private func backward(
        _ learner: Learner, _ outputs: [StudentOutput], _ batch: LabelledBatch
    ) throws -> Outcome {
        let (losses, total) = withPrecision(spec.compute.precision, on: device) {
            let losses = objective.losses(of: learner.index, outputs, batch)
            return (losses, losses.total)
        }
        var norm: Double?
        if learners.count > 1, stepInEpoch == 0 {
            let gradients = Tensor.gradients(
                of: losses.terms[0].values.mean(), with: learner.network.parameters.map(\.tensor),
                retainGraph: true)
            norm = Updates.clipNorm(gradients, to: .infinity)
        }
        total.backward()
        let means = losses.means()
        let predictions = outputs[learner.index].logits.detached.predictions.ints()
        if let bad = means.firstIndex(where: { !$0.isFinite }) {
            let terms = losses.terms + losses.measures
            throw Problem.notFinite(
                term: terms[bad].name, phase: spec.name, epoch: epoch, step: step + 1,
                checkpoint: lastCheckpoint)
        }
        return Outcome(losses: losses, means: means, predictions: predictions, gradientNorm: norm)
    }

    private func update(_ learner: Learner) {
        learner.update(
            rate: learner.rate(
                step: step, stepsPerEpoch: stepsPerEpoch, epochs: spec.training.epochs))
    }

    private func count(
        _ outcome: Outcome, _ batch: Batch, for learner: Learner
    ) {
        let given = work.samples?.labels ?? learner.labels
        let labels = batch.indices.map { given[$0] }
        // Of samples that a phase made itself the wanted label is all that is known.
        let clean = work.samples == nil ? data.learning.clean : nil
        let n = Double(labels.count)
        let terms = outcome.losses.terms
        for (term, mean) in zip(terms, outcome.means) {
            learner.record.sums.terms[term.name, default: 0] += mean * n
            learner.record.sums.total += term.weight * mean * n
        }
        for (measure, mean) in zip(outcome.losses.measures, outcome.means.dropFirst(terms.count)) {
            learner.record.sums.measures[measure.name, default: 0] += mean * n
        }
        if let norm = outcome.gradientNorm { learner.record.sums.gradientNorm = norm }
        learner.record.sums.samples += labels.count
        for (index, (prediction, label)) in zip(batch.indices, zip(outcome.predictions, labels)) {
            if prediction == label { learner.record.sums.hits += 1 }
            if prediction == clean?[index] { learner.record.sums.cleanHits += 1 }
        }
    }

    func dropoutGenerator(_ learner: Learner) -> Generator {
        let seed = PhaseSpec.seed(drawSeed, ofLearner: learner.index)
        var draw = Draw(seed: seed, .dropout, epoch: epoch, step: stepInEpoch)
        return Generator(seed: draw.next(), device: device)
    }
}
