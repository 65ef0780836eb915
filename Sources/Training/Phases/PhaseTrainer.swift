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

    let student: any Classifier
    let optimizer: any Optimizer
    let average: WeightAverage?
    let averaged: (any Classifier)?
    let objective: any Objective
    let plan: BatchPlan
    let validation: EvaluationSet
    let test: EvaluationSet
    let store: CheckpointStore
    let device: Device
    let rowOfMember: [Int]
    let pseudoLabelAccuracy: Double?
    let teacherScores: PhaseResult.Scores?

    // Where training stands.
    var step = 0
    var epoch = 0
    var stepInEpoch = 0
    var sums = EpochSums()
    var metricsBytes = 0
    var selected: Selection?
    var averageSelected: Selection?
    var selectedState: [Tensor]
    var averageSelectedState: [Tensor]
    var lastCheckpoint: String?
    var drawSeed: UInt64
    var began = 0.0
    /// Spent on this phase by earlier processes, up to the checkpoint that was resumed from.
    public var earlierSeconds = 0.0

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
    func advance(_ batch: Batch, rate: Double) throws {
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

    func learningRate(at step: Int? = nil) -> Double {
        spec.optimizer.rate
            * spec.schedule.rate(
                step: step ?? self.step, stepsPerEpoch: plan.stepsPerEpoch,
                epochs: spec.training.epochs)
    }

    func dropoutGenerator() -> Generator {
        var draw = Draw(seed: drawSeed, .dropout, epoch: epoch, step: stepInEpoch)
        return Generator(seed: draw.next(), device: device)
    }

    /// The plan that batches come from; another one where the negative control asks for it.
    func samePlan() -> BatchPlan {
        guard environment.dropRandomState, step > 0 else { return plan }
        drawSeed = spec.derivedSeed ^ 0xdead_beef
        return
            (try? BatchPlan(
                data.learning, members: data.split.train, batchSize: spec.training.batch,
                seed: drawSeed, augmentation: spec.training.augmentation,
                normalisation: data.normalisation, layout: plan.layout)) ?? plan
    }

    // MARK: Epochs

    var isOutOfPatience: Bool {
        guard let patience = spec.training.patience, let selected else { return false }
        return epoch - 1 - selected.epoch >= patience
    }

    func endEpoch(rate: Double) throws {
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

    func isBetter(_ new: Evaluation, than old: Evaluation?) -> Bool {
        guard let old else { return true }
        return spec.training.selection == .accuracy
            ? new.accuracy > old.accuracy : new.nll < old.nll
    }

    func keep(_ state: [(name: String, tensor: Tensor)], in copies: [Tensor]) {
        for (copy, (_, tensor)) in zip(copies, state) { copy.copy(from: tensor) }
    }

    func scores(of network: any Classifier) throws -> PhaseResult.Scores {
        func evaluate(_ set: EvaluationSet) throws -> Evaluation {
            try set.evaluate({ network($0, mode: .eval) }, precision: spec.compute.precision)
        }
        return .init(validation: try evaluate(validation), test: try evaluate(test))
    }
}
