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
        let averages = try measureAverages(isFinal: false)
        if spec.traits.keepsBest {
            for (learner, scores) in zip(learners, own.each) {
                learner.select(scores.validation, epoch: epoch, by: spec.training.selection)
            }
            for (learner, scores) in zip(learners, averages?.each ?? []) {
                learner.selectAverage(scores.validation, epoch: epoch, by: spec.training.selection)
            }
        }
        let each = learners.indices.map {
            EpochMetrics.Learner(
                learners[$0].record.sums, own.each[$0], average: averages?.each[$0],
                knowsClean: data.knowsClean && isOfPlan)
        }
        var metrics = EpochMetrics(
            phase: spec.name, epoch: epoch + 1, step: step,
            rate: rate(of: learners[0], step: step - 1), learners: each, together: own.together)
        metrics.add(try objective.endEpoch(EpochContext(trainer: self)))
        try lines.append(jsonLine(metrics), using: environment.files)
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

    /// Brings the averaged networks up to date and measures them; nil where no average is kept.
    func measureAverages(isFinal: Bool) throws -> Measured? {
        guard spec.training.average > 0 else { return nil }
        for learner in learners {
            learner.average!.apply(to: learner.averaged!.state)
            try checkFinite(learner.averaged!.state, "average of ")
        }
        return try measure(learners.map { $0.averaged! }, isFinal: isFinal)
    }
}
