import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import Torch

// Saving, continuing and finishing a phase.

extension PhaseTrainer {
    var metricsPath: String { "\(folder)/metrics.jsonl" }

    /// Every tensor that training continues from, in a fixed order.
    var tensors: [(name: String, tensor: Tensor)] {
        func named(_ prefix: String, _ list: [(name: String, tensor: Tensor)]) -> [(String, Tensor)]
        {
            list.map { ("\(prefix)/\($0.name)", $0.tensor) }
        }
        let names = student.state.map(\.name)
        return named("student", student.state) + named("optimizer", optimizer.state)
            + named("average", average?.state ?? [])
            + named("selected", zip(names, selectedState).map { ($0, $1) })
            + named("average-selected", zip(names, averageSelectedState).map { ($0, $1) })
            + named("objective", objective.state)
    }

    @discardableResult
    func saveCheckpoint() throws -> String {
        // The loss is known before the update; whether the update spoilt the weights is seen here.
        try Engine.checked {
            for (name, tensor) in student.state where tensor.dtype.isFloatingPoint {
                guard tensor.isFinite().all().item == 1 else {
                    throw Problem.notFinite(
                        weights: name, phase: spec.name, epoch: epoch, step: step,
                        checkpoint: lastCheckpoint)
                }
            }
        }
        // Metrics first: the record says how much of them belongs to this checkpoint.
        if metricsBytes > 0 { try environment.files.sync(metricsPath) }
        let path = try store.save(
            CheckpointRecord(
                key: spec.key, step: step, epoch: epoch, stepInEpoch: stepInEpoch, sums: sums,
                metricsBytes: metricsBytes, selected: selected, averageSelected: averageSelected,
                seconds: earlierSeconds + environment.clock() - began, tensors: ""), tensors)
        lastCheckpoint = path
        return path
    }

    func resume() throws(Problem) {
        guard let (record, saved, path) = try store.load() else {
            try environment.files.remove(metricsPath)
            return
        }
        guard record.key == spec.key else { throw .phaseChanged(path) }
        func part(_ prefix: String) -> [String: Tensor] {
            var part: [String: Tensor] = [:]
            for (name, tensor) in saved where name.hasPrefix(prefix + "/") {
                part[String(name.dropFirst(prefix.count + 1))] = tensor
            }
            return part
        }
        try student.loadState(from: part("student"), source: path)
        try optimizer.load(state: part("optimizer"), source: path)
        try average?.load(state: part("average"), source: path)
        for (prefix, copies) in [
            ("selected", selectedState), ("average-selected", averageSelectedState),
        ] {
            try fill(copies, named: student.state.map(\.name), from: part(prefix), path)
        }
        try fill(
            objective.state.map(\.tensor), named: objective.state.map(\.name),
            from: part("objective"), path)
        (step, epoch, stepInEpoch) = (record.step, record.epoch, record.stepInEpoch)
        (sums, metricsBytes) = (record.sums, record.metricsBytes)
        (selected, averageSelected) = (record.selected, record.averageSelected)
        lastCheckpoint = path
        earlierSeconds = record.seconds
        let attributes = try? FileManager.default.attributesOfItem(atPath: metricsPath)
        let length = attributes?[.size] as? Int ?? 0
        // Cutting a file that is too short would pad it with zeros.
        guard length >= metricsBytes else {
            throw .checkpointDamaged(
                metricsPath, "\(length) bytes where the checkpoint knows \(metricsBytes)")
        }
        if length > metricsBytes { try environment.files.truncate(metricsPath, to: metricsBytes) }
    }

    func fill(
        _ copies: [Tensor], named names: [String], from saved: [String: Tensor], _ path: String
    ) throws(Problem) {
        for (copy, name) in zip(copies, names) {
            guard let tensor = saved[name], tensor.shape == copy.shape else {
                throw .checkpointDamaged(path, "no tensor \(name) of shape \(copy.shape)")
            }
            copy.copy(from: tensor)
        }
    }

    /// Scores of the final and the selected weights, and their files; `result.json` comes last and
    /// makes the phase complete.
    func finish() throws -> PhaseResult {
        let names = student.state.map(\.name)
        func readout(
            _ network: any Classifier, _ selectedCopies: [Tensor], _ selection: Selection?,
            _ prefix: String
        ) throws -> PhaseResult.Readout {
            let last = try scores(of: network)
            try write(network.state, "\(prefix)last")
            let best = network.replica()
            best.move(to: device)
            for ((_, tensor), copy) in zip(best.state, selectedCopies) { tensor.copy(from: copy) }
            if data.learning.isImages { best.toChannelsLast() }
            let chosen = try scores(of: best)
            try write(zip(names, selectedCopies).map { ($0, $1) }, "\(prefix)selected")
            return .init(last: last, selected: chosen, selectedEpoch: (selection?.epoch ?? 0) + 1)
        }
        let own = try readout(student, selectedState, selected, "")
        var its: PhaseResult.Readout?
        if let averaged, let average {
            average.apply(to: averaged.state)
            its = try readout(averaged, averageSelectedState, averageSelected, "average-")
        }
        let result = PhaseResult(
            key: spec.key, name: spec.name, epochs: epoch, steps: step, student: own, average: its,
            teacher: teacherScores, pseudoLabelAccuracy: pseudoLabelAccuracy)
        if metricsBytes > 0 { try environment.files.sync(metricsPath) }
        try environment.files.replace("\(folder)/phase.json", with: json(spec))
        try environment.files.replace("\(folder)/result.json", with: json(result))
        try store.removeAll()
        return result
    }

    func write(_ state: [(name: String, tensor: Tensor)], _ name: String) throws(Problem) {
        try WeightsFile.write(
            state, to: "\(folder)/\(name).safetensors",
            metadata: ModelCard(spec: spec, data: data).metadata, using: environment.files)
    }
}
