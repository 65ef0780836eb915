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
        for learner in learners { try checkFinite(learner.network.state) }
        let own = try measure(learners.map(\.network))
        for (learner, scores) in zip(learners, own.each) {
            learner.select(scores.validation, epoch: epoch, by: spec.training.selection)
        }
        let averages = try measureAverages()
        for (learner, scores) in zip(learners, averages?.each ?? []) {
            learner.selectAverage(scores.validation, epoch: epoch, by: spec.training.selection)
        }
        let each = learners.indices.map {
            EpochMetrics.Learner(
                learners[$0].record.sums, own.each[$0], average: averages?.each[$0],
                knowsClean: data.knowsClean && work.samples == nil)
        }
        let first = learners[0].rate(
            step: step - 1, stepsPerEpoch: stepsPerEpoch, epochs: spec.training.epochs)
        var metrics = EpochMetrics(
            phase: spec.name, epoch: epoch + 1, step: step, rate: first, learners: each,
            together: own.together)
        work.describe(&metrics, self)
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

    /// Scores of several networks, and of all of them together where there are several.
    func measure(
        _ networks: [any Classifier]
    ) throws -> (each: [PhaseResult.Scores], together: PhaseResult.Together?) {
        func evaluate(
            _ set: EvaluationSet, _ split: String
        ) throws -> (each: [Evaluation], Evaluation?, Double) {
            try measured(on: split) {
                let logP = networks.map { network in
                    set.logits({ network($0, mode: .eval) }, precision: spec.compute.precision)
                        .logSoftmax()
                }
                let each = try logP.map(set.evaluation(ofLogProbabilities:))
                guard logP.count > 1 else { return (each, nil, 1) }
                let mean = Tensor.stacked(logP.map { $0.exp() }).mean(0)
                return (
                    each, try set.evaluation(ofLogProbabilities: mean.clamped(1e-38, 1).log()),
                    agreement(logP.map { $0.argmax().ints() })
                )
            }
        }
        let (validation, test) = (
            try evaluate(validation, "validation"), try evaluate(test, "test")
        )
        let each = zip(validation.each, test.each).map {
            PhaseResult.Scores(validation: $0, test: $1)
        }
        guard let v = validation.1, let t = test.1 else { return (each, nil) }
        return (
            each,
            PhaseResult.Together(
                ensemble: .init(validation: v, test: t), agreement: validation.2,
                testAgreement: test.2)
        )
    }

    /// Brings the averaged networks up to date and measures them; nil where no average is kept.
    func measureAverages() throws -> (
        each: [PhaseResult.Scores], together: PhaseResult.Together?
    )? {
        guard spec.training.average > 0 else { return nil }
        for learner in learners {
            learner.average!.apply(to: learner.averaged!.state)
            try checkFinite(learner.averaged!.state, "average of ")
        }
        return try measure(learners.map { $0.averaged! })
    }

    /// Mean over pairs of the share of samples with equal predictions.
    private func agreement(_ predictions: [[Int]]) -> Double {
        var sum = 0.0
        var pairs = 0
        for i in predictions.indices {
            for j in 0..<i {
                let equal = zip(predictions[i], predictions[j]).count { $0 == $1 }
                sum += Double(equal) / Double(max(1, predictions[i].count))
                pairs += 1
            }
        }
        return pairs == 0 ? 1 : sum / Double(pairs)
    }
}
