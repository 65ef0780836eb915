import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import Torch

// Saving, continuing and finishing a phase.

extension PhaseTrainer {
    /// Every tensor that training continues from, in a fixed order.
    var tensors: [(name: String, tensor: Tensor)] {
        func named(_ prefix: String, _ list: [(name: String, tensor: Tensor)]) -> [(String, Tensor)]
        {
            list.map { ("\(prefix)/\($0.name)", $0.tensor) }
        }
        return learners.flatMap(\.parts).flatMap { named($0.prefix, $0.tensors) }
            + named("objective", objective.state) + named("dynamics", dynamics?.state ?? [])
    }

    @discardableResult
    func saveCheckpoint() throws -> String {
        let position = step + objective.pieces
        // Interrupted before anything was done since: a checkpoint is never written over.
        if let lastCheckpoint, position == lastPosition { return lastCheckpoint }
        // The loss is known before the update; whether the update corrupted weights is seen here.
        try checkFinite()
        // Metrics first: the record says how much of them belongs to this checkpoint.
        try lines.sync(using: environment.files)
        let record = CheckpointRecord(
            key: spec.key, step: step, epoch: epoch, stepInEpoch: stepInEpoch,
            learners: learners.map(\.record), objective: try objective.record(),
            pieces: objective.pieces, members: members?.count, metricsBytes: lines.bytes,
            metrics: lines.digest,
            kept: kept.isEmpty ? nil : kept, seconds: secondsSoFar, epochSeconds: epochSeconds,
            tensors: "")
        let path = try store.save(record, tensors)
        lastCheckpoint = path
        lastPosition = position
        try objective.didSave()
        return path
    }

    func resume() throws(Problem) {
        guard let (record, saved, path) = try store.load() else {
            try environment.files.remove(lines.path)
            try objective.restore(nil, from: nil)
            return
        }
        try record.check(
            .init(
                spec: spec, stepsPerEpoch: stepsPerEpoch, learners: learners.count,
                samples: isOfPlan ? data.split.train.count : nil), path)
        try verify(record.kept ?? [:], in: folder, remedy: .remake)
        func part(_ prefix: String) -> [String: Tensor] {
            var part: [String: Tensor] = [:]
            for (name, tensor) in saved where name.hasPrefix(prefix + "/") {
                part[String(name.dropFirst(prefix.count + 1))] = tensor
            }
            return part
        }
        for (learner, its) in zip(learners, record.learners) {
            let prefixes = learner.parts.map(\.prefix)
            try learner.network.loadState(from: part(prefixes[0]), source: path)
            try learner.optimizer.load(state: part(prefixes[1]), source: path)
            try learner.ema?.load(state: part(prefixes[2]), source: path)
            for selected in learner.parts.dropFirst(3) {
                try fill(selected.tensors, from: part(selected.prefix), path)
            }
            learner.record = its
        }
        try fill(objective.state, from: part("objective"), path)
        try dynamics?.restore(from: part("dynamics"), path)
        (epoch, stepInEpoch) = (record.epoch, record.stepInEpoch)
        kept = record.kept ?? [:]
        resumedMembers = record.members
        try objective.restore(record.objective, from: path)
        guard objective.pieces == record.pieces else {
            throw .checkpointDamaged(
                "\(path)/\(CheckpointStore.recordName)",
                "\(record.pieces) pieces of work, where its objective has \(objective.pieces)")
        }
        lastCheckpoint = path
        lastPosition = record.position
        earlierSeconds = record.seconds
        epochSeconds = record.epochSeconds ?? []
        try lines.resume(
            bytes: record.metricsBytes, digest: record.metrics, using: environment.files)
    }

    /// Scores of the final and the selected weights, and their files.
    func finish() throws -> PhaseResult {
        let own = try evaluations(ema: false)
        let its = spec.training.ema > 0 ? try evaluations(ema: true) : nil
        // Chosen on the validation split; the first of equals.
        var best = 0
        for (i, evaluations) in own.each.enumerated().dropFirst()
        where Learner.isBetter(
            evaluations.selected.validation, than: own.each[best].selected.validation,
            spec.training.selection)
        {
            best = i
        }
        let emaNames = its == nil ? [] : ["ema-last", "ema-selected"]
        for name in ["last", "selected"] + emaNames
        where spec.traits.keepsBest || !name.hasSuffix("selected") {
            try writeWeights(of: learners[best], name, to: name)
            guard learners.count > 1 else { continue }
            for learner in learners {
                try writeWeights(of: learner, name, to: "\(learner.name)-\(name)")
            }
        }
        var result = PhaseResult(
            key: spec.key, name: spec.name, epochs: epoch, steps: step, student: own.each[best],
            ema: its?.each[best])
        if let last = own.last, let selected = own.selected {
            result.peers = PhaseResult.Peers(
                each: learners.map {
                    .init(
                        name: $0.name, model: $0.spec.model.name, own: own.each[$0.index],
                        ema: its?.each[$0.index])
                }, best: best, last: last, selected: selected)
        }
        try lines.sync(using: environment.files)
        try writeDynamics()
        try writeJudged(best: best)
        try addSections(to: &result)
        try judge(&result)
        return result
    }

    private func evaluations(
        ema: Bool
    ) throws -> (
        each: [PhaseResult.Evaluations], last: PhaseResult.Together?,
        selected: PhaseResult.Together?
    ) {
        let last =
            try ema
            ? measureEMA(isFinal: true)! : measure(learners.map(\.network), isFinal: true)
        let selected =
            try spec.traits.keepsBest
            ? measure(learners.map { $0.best(ema: ema) }, isFinal: true) : last
        let each = learners.map { learner in
            let selection = ema ? learner.record.emaSelected : learner.record.selected
            return PhaseResult.Evaluations(
                last: last.each[learner.index], selected: selected.each[learner.index],
                selectedEpoch: selection.map { $0.epoch + 1 } ?? epoch)
        }
        return (each, last.together, selected.together)
    }

    /// - Parameter what: one of the names of `TeacherWeights`.
    func writeWeights(of learner: Learner, _ what: String, to name: String) throws {
        let names = learner.network.state.map(\.name)
        let state: [(name: String, tensor: Tensor)] =
            switch what {
            case "last": learner.network.state
            case "ema-last": learner.emaNetwork!.state
            case "selected": zip(names, learner.selectedState).map { ($0, $1) }
            default: zip(names, learner.emaSelectedState).map { ($0, $1) }
            }
        try checkFinite(state, "\(name).safetensors, ")
        try WeightsFile.write(
            state, to: "\(folder)/\(name).safetensors",
            metadata: ModelCard(model: learner.spec.model, data: data).metadata,
            using: environment.files)
    }
}

/// Copies a checkpoint's tensors into those that training continues from.
///
/// - Throws: for the first that is missing or of another shape.
func fill(
    _ copies: [(name: String, tensor: Tensor)], from saved: [String: Tensor], _ path: String
) throws(Problem) {
    for (name, copy) in copies {
        guard let tensor = saved[name], tensor.shape == copy.shape else {
            throw .checkpointDamaged(path, "no tensor \(name) of shape \(copy.shape)")
        }
        copy.copy(from: tensor)
    }
}
