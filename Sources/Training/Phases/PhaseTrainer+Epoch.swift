import Datasets
import Diagnostics
import Models
import Neural
import Torch

// Measuring: at the end of an epoch and of the phase.

extension PhaseTrainer {
    var secondsSoFar: Double { earlierSeconds + environment.clock() - began }

    func endEpoch() throws {
        epochSeconds.append(secondsSoFar)
        try checkFinite()
        let own = try measure(learners.map(\.network), isFinal: false)
        let ema = try measureEMA(isFinal: false)
        if spec.traits.keepsBest {
            for (learner, scores) in zip(learners, own.each) {
                learner.select(scores.validation, epoch: epoch, by: spec.training.selection)
            }
            for (learner, scores) in zip(learners, ema?.each ?? []) {
                learner.selectEMA(scores.validation, epoch: epoch, by: spec.training.selection)
            }
        }
        let each = learners.indices.map {
            EpochMetrics.Learner(
                learners[$0].record.sums, own.each[$0], ema: ema?.each[$0],
                knowsClean: data.knowsClean && isOfPlan)
        }
        var metrics = EpochMetrics(
            phase: spec.name, epoch: epoch + 1, step: step,
            learningRate: learningRate(of: learners[0], step: step - 1), learners: each,
            together: own.together)
        metrics.add(try objective.endEpoch(EpochContext(trainer: self)))
        try lines.append(JSON.line(metrics), using: environment.files)
        for learner in learners { learner.record.sums = EpochSums() }
        epoch += 1
        if spec.keep?.contains(epoch) == true {
            let name = "epoch-\(epoch)"
            try writeWeights(of: learners[0], "last", to: name)
            kept["\(name).safetensors"] = try fileHash("\(folder)/\(name).safetensors")
        }
        stepInEpoch = 0
        environment.observe(.epoch(spec, metrics))
    }

    /// Scores of the learners' networks.
    func measure(_ networks: [any Classifier], isFinal: Bool) throws -> Measured {
        try naming { try Engine.checked { try evaluator.measure(networks, isFinal: isFinal) } }
    }

    /// Brings the networks with averaged weights up to date and measures them; nil where none are kept.
    func measureEMA(isFinal: Bool) throws -> Measured? {
        guard spec.training.ema > 0 else { return nil }
        for learner in learners {
            learner.ema!.apply(to: learner.emaNetwork!.state)
            try checkFinite(learner.emaNetwork!.state, "moving average of ")
        }
        return try measure(learners.map { $0.emaNetwork! }, isFinal: isFinal)
    }
}
