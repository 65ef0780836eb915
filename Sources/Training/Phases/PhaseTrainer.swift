import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import Models
import Neural
import Randomness
import Torch

/// What the loop needs from outside: files, clock, and whether to stop.
public struct TrainingEnvironment: Sendable {
    public var files: any FileSystem = LocalFileSystem()
    /// Seconds from an arbitrary start; decides when checkpoints are due, never what is computed.
    public var clock: @Sendable () -> Double = {
        Double(DispatchTime.now().uptimeNanoseconds) / 1e9
    }
    public var shouldStop: @Sendable () -> Bool = { false }
    public var observe: @Sendable (PhaseEvent) -> Void = { _ in }
    /// For the negative control of the resumption test only: continue with other random numbers
    /// than the interrupted run would have drawn.
    public var dropRandomState = false

    public init() {}
}

/// Trains one phase, from its beginning or from its newest checkpoint, to its `result.json`.
public final class PhaseTrainer {
    let spec: PhaseSpec
    let data: PreparedData
    let folder: String
    let environment: TrainingEnvironment

    private let student: any Classifier
    private let optimizer: any Optimizer
    private let average: WeightAverage?
    private let averaged: (any Classifier)?
    private let objective: any Objective
    private let plan: BatchPlan
    private let validation: EvaluationSet
    private let test: EvaluationSet
    private let store: CheckpointStore
    private let device: Device
    private let rowOfMember: [Int]
    private let pseudoLabelAccuracy: Double?
    private let teacherScores: PhaseResult.Scores?

    // Where training stands.
    private var step = 0
    private var epoch = 0
    private var stepInEpoch = 0
    private var sums = EpochSums()
    private var metricsBytes = 0
    private var selected: Selection?
    private var averageSelected: Selection?
    private var selectedState: [Tensor]
    private var averageSelectedState: [Tensor]
    private var lastCheckpoint: String?
    private var drawSeed: UInt64
    private var began = 0.0
    /// Spent on this phase by earlier processes, up to the checkpoint that was resumed from.
    public private(set) var earlierSeconds = 0.0

    /// - Parameter weights: the tensors of an earlier phase's network, by its key.
    public init(
        _ spec: PhaseSpec, data: PreparedData, folder: String, environment: TrainingEnvironment,
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws {
        self.spec = spec
        self.data = data
        self.folder = folder
        self.environment = environment
        device = Device(named: spec.compute.device)
        drawSeed = spec.derivedSeed
        store = CheckpointStore(folder: "\(folder)/checkpoints", files: environment.files)
        student = try ModelRegistry.make(
            spec.model, sampleShape: data.sampleShape, classes: data.classCount,
            seed: spec.derivedSeed)
        if let start = spec.start { try student.loadState(from: try weights(start).1) }
        student.move(to: device)
        if data.learning.isImages { student.toChannelsLast() }
        optimizer = spec.optimizer.make(over: student.parameters)
        if spec.training.average > 0 {
            average = WeightAverage(of: student.state, decay: spec.training.average)
            averaged = student.replica()
            averaged?.move(to: device)
            if data.learning.isImages { averaged?.toChannelsLast() }
        } else {
            average = nil
            averaged = nil
        }
        selectedState = student.state.map { $0.tensor.detached().cloned() }
        averageSelectedState = averaged?.state.map { $0.tensor.detached().cloned() } ?? []
        let train = data.split.train
        plan = try BatchPlan(
            data.learning, members: train, batchSize: spec.training.batch, seed: spec.derivedSeed,
            augmentation: spec.training.augmentation, normalisation: data.normalisation,
            layout: data.learning.isImages ? .channelsLast : .channelsFirst)
        var rows = [Int](repeating: -1, count: data.learning.count)
        for (row, member) in train.enumerated() { rows[member] = row }
        rowOfMember = rows
        validation = try EvaluationSet(
            data.learning, members: data.split.validation, normalisation: data.normalisation,
            device: device)
        test = try EvaluationSet(
            data.test, members: data.testMembers, normalisation: data.normalisation, device: device)
        let makers = ObjectiveMaker(spec: spec, data: data, validation: validation, test: test)
        let made = try makers.make(weights: weights)
        objective = made.objective
        teacherScores = made.teacher
        pseudoLabelAccuracy = made.pseudoLabelAccuracy
    }

    // MARK: The loop

    /// Trains to the end. Resumes from the newest checkpoint of the folder, if there is one.
    public func run() throws -> PhaseResult {
        began = environment.clock()
        let steps = plan.stepsPerEpoch * spec.training.epochs
        try environment.files.createDirectory(folder)
        try resume()
        environment.observe(.began(spec, resumedAt: step > 0 ? step : nil, steps: steps))
        if let teacherScores { environment.observe(.teacher(spec, teacherScores)) }
        var prefetcher = Prefetcher(
            samePlan(), epoch: epoch, step: stepInEpoch, epochs: spec.training.epochs)
        var lastSaved = environment.clock()
        while epoch < spec.training.epochs, !isOutOfPatience {
            while stepInEpoch < plan.stepsPerEpoch {
                guard let batch = prefetcher.next() else { break }
                try advance(batch, rate: learningRate())
                stepInEpoch += 1
                step += 1
                environment.observe(.step(spec, step: step, of: steps))
                if environment.shouldStop() {
                    throw Problem.interrupted(checkpoint: try saveCheckpoint())
                }
                let isDue =
                    spec.training.checkpointSteps.map { step % $0 == 0 } ?? false
                    || environment.clock() - lastSaved >= spec.training.checkpointSeconds
                if isDue {
                    try saveCheckpoint()
                    lastSaved = environment.clock()
                }
            }
            try endEpoch(rate: learningRate(at: step - 1))
        }
        prefetcher = Prefetcher(plan, epoch: 0, step: 0, epochs: 0)
        let result = try finish()
        let seconds = environment.clock() - began
        environment.observe(.finished(spec, result, seconds: seconds, reused: false))
        return result
    }

    /// Forward, backward, update: the whole of a training step.
    private func advance(_ batch: Batch, rate: Double) throws {
        let labels = batch.indices.map { data.learning.labels[$0] }
        var names: [String] = []
        var means: [Double] = []
        var weights: [Double] = []
        var predictions: [Int] = []
        do {
            try Engine.checked {
                let input = LabelledBatch(
                    inputs: batch.inputs.to(device),
                    labels: Tensor(labels, [labels.count]).to(device),
                    rows: Tensor(batch.indices.map { rowOfMember[$0] }, [labels.count]).to(device),
                    isPlain: !spec.training.augmentation.isOn)
                let mode = Mode.train(dropoutGenerator())
                let (losses, logits) = withPrecision(spec.compute.precision, on: device) {
                    let features = student.features(input.inputs, mode: mode)
                    let logits = Logits(student.logits(fromFeatures: features))
                    let output = StudentOutput(features: features, logits: logits)
                    return (objective.losses(output, input), logits)
                }
                let total = losses.total
                total.backward()
                names = losses.terms.map(\.name)
                weights = losses.terms.map(\.weight)
                means = losses.means()
                predictions = logits.detached.predictions.ints()
            }
        } catch let error as EngineError {
            throw Problem.engine(error, phase: spec.name)
        }
        // Before the update: weights that a bad step has spoilt are never saved.
        if let bad = means.firstIndex(where: { !$0.isFinite }) {
            throw Problem.notFinite(
                term: names[bad], phase: spec.name, epoch: epoch, step: step + 1,
                checkpoint: lastCheckpoint)
        }
        try Engine.checked {
            _ = optimizer.step(rate: rate)
            optimizer.clearGradients()
            average?.update()
        }
        let n = Double(labels.count)
        for (name, mean) in zip(names, means) { sums.terms[name, default: 0] += mean * n }
        sums.total += zip(weights, means).reduce(0) { $0 + $1.0 * $1.1 } * n
        sums.samples += labels.count
        for (index, (prediction, label)) in zip(batch.indices, zip(predictions, labels)) {
            if prediction == label { sums.hits += 1 }
            if prediction == data.learning.clean?[index] { sums.cleanHits += 1 }
        }
    }

    private func learningRate(at step: Int? = nil) -> Double {
        spec.optimizer.rate
            * spec.schedule.rate(
                step: step ?? self.step, stepsPerEpoch: plan.stepsPerEpoch,
                epochs: spec.training.epochs)
    }

    private func dropoutGenerator() -> Generator {
        var draw = Draw(seed: drawSeed, .dropout, epoch: epoch, step: stepInEpoch)
        return Generator(seed: draw.next(), device: device)
    }

    /// The plan that batches come from; another one where the negative control asks for it.
    private func samePlan() -> BatchPlan {
        guard environment.dropRandomState, step > 0 else { return plan }
        drawSeed = spec.derivedSeed ^ 0xdead_beef
        return
            (try? BatchPlan(
                data.learning, members: data.split.train, batchSize: spec.training.batch,
                seed: drawSeed, augmentation: spec.training.augmentation,
                normalisation: data.normalisation, layout: plan.layout)) ?? plan
    }

    // MARK: Epochs

    private var isOutOfPatience: Bool {
        guard let patience = spec.training.patience, let selected else { return false }
        return epoch - 1 - selected.epoch >= patience
    }

    private func endEpoch(rate: Double) throws {
        let own = try scores(of: student)
        var averageScores: PhaseResult.Scores?
        if isBetter(own.validation, than: selected?.validation) {
            selected = Selection(epoch: epoch, validation: own.validation)
            keep(student.state, in: selectedState)
        }
        if let averaged, let average {
            average.apply(to: averaged.state)
            let its = try scores(of: averaged)
            averageScores = its
            if isBetter(its.validation, than: averageSelected?.validation) {
                averageSelected = Selection(epoch: epoch, validation: its.validation)
                keep(averaged.state, in: averageSelectedState)
            }
        }
        let n = Double(max(1, sums.samples))
        let metrics = EpochMetrics(
            phase: spec.name, epoch: epoch + 1, step: step, rate: rate, loss: sums.total / n,
            terms: sums.terms.mapValues { $0 / n }, trainAccuracy: Double(sums.hits) / n,
            trainCleanAccuracy: data.knowsClean ? Double(sums.cleanHits) / n : nil,
            validation: .init(own.validation), test: .init(own.test),
            averageValidation: averageScores.map { .init($0.validation) },
            averageTest: averageScores.map { .init($0.test) })
        let line = jsonLine(metrics)
        try environment.files.append(line, to: metricsPath)
        metricsBytes += line.count
        sums = EpochSums()
        epoch += 1
        stepInEpoch = 0
        environment.observe(.epoch(spec, metrics))
    }

    private func isBetter(_ new: Evaluation, than old: Evaluation?) -> Bool {
        guard let old else { return true }
        return spec.training.selection == .accuracy
            ? new.accuracy > old.accuracy : new.nll < old.nll
    }

    private func keep(_ state: [(name: String, tensor: Tensor)], in copies: [Tensor]) {
        for (copy, (_, tensor)) in zip(copies, state) { copy.copy(from: tensor) }
    }

    private func scores(of network: any Classifier) throws -> PhaseResult.Scores {
        func evaluate(_ set: EvaluationSet) throws -> Evaluation {
            try set.evaluate({ network($0, mode: .eval) }, precision: spec.compute.precision)
        }
        return .init(validation: try evaluate(validation), test: try evaluate(test))
    }

    // MARK: Saving and continuing

    private var metricsPath: String { "\(folder)/metrics.jsonl" }

    /// Every tensor that training continues from, in a fixed order.
    private var tensors: [(name: String, tensor: Tensor)] {
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
    private func saveCheckpoint() throws -> String {
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

    private func resume() throws(Problem) {
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

    private func fill(
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
    private func finish() throws -> PhaseResult {
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

    private func write(_ state: [(name: String, tensor: Tensor)], _ name: String) throws(Problem) {
        try WeightsFile.write(
            state, to: "\(folder)/\(name).safetensors",
            metadata: ModelCard(spec: spec, data: data).metadata, using: environment.files)
    }
}
