import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import Models
import Neural
import Randomness
import Torch

/// What takes a phase to its `result.json`.
protocol PhaseRunner {
    /// Spent on the phase by earlier processes.
    var earlierSeconds: Double { get }
    /// Spent on it at the end of each epoch; empty where epochs are not measured.
    var epochSeconds: [Double] { get }
    /// Makes the folder, and goes on from its newest checkpoint if there is one.
    func prepare() throws
    func run() throws -> PhaseResult
}

extension PhaseTrainer: PhaseRunner {}

/// Trains an encoder on the training samples without their labels, from its beginning or from its newest
/// checkpoint.
final class EncoderTrainer: PhaseRunner {
    let spec: PhaseSpec
    let options: RelationModelling
    let data: PreparedData
    let folder: String
    let environment: TrainingEnvironment

    let network: any Classifier
    let head: SelfSupervisionHead
    let optimizer: any Optimizer
    let plan: BatchPlan
    let store: CheckpointStore
    let device: Device
    let evaluation: EncoderEvaluation

    var step = 0
    var epoch = 0
    var stepInEpoch = 0
    var sums = EpochSums()
    /// Of the latest whole epoch.
    var lastSpread = Double.nan
    private var lines: LineLog
    var lastCheckpoint: String?
    private var drawSeed: UInt64
    private var began = 0.0
    var earlierSeconds = 0.0
    let epochSeconds: [Double] = []

    init(
        _ spec: PhaseSpec, data: PreparedData, folder: String, environment: TrainingEnvironment
    ) throws {
        guard case .relations(let options) = spec.target else {
            preconditionFailure("not a phase that learns relations")
        }
        self.spec = spec
        self.options = options
        self.data = data
        self.folder = folder
        self.environment = environment
        lines = LineLog("\(folder)/metrics.jsonl")
        device = Device(named: spec.compute.device)
        drawSeed = spec.derivedSeed
        store = CheckpointStore(folder: "\(folder)/checkpoints", files: environment.files)
        network = try ModelRegistry.make(
            spec.model, sampleShape: data.sampleShape, classes: data.classCount,
            seed: spec.derivedSeed)
        var draw = Draw(seed: spec.derivedSeed, .initialisation, step: 1)
        head = SelfSupervisionHead(
            options.kind, inputs: network.head.inputs, dimension: options.dimension,
            hidden: options.hidden, generator: Generator(seed: draw.next()))
        network.move(to: device)
        head.move(to: device)
        network.toChannelsLast()
        optimizer = spec.optimizer.make(
            over: network.parameters + head.parameters.map { ("heads.\($0.name)", $0.tensor) })
        plan = try EncoderTrainer.plan(spec, options, data, seed: spec.derivedSeed)
        evaluation = try EncoderEvaluation(spec, options, data, order: plan.order(epoch: 0))
    }

    private static func plan(
        _ spec: PhaseSpec, _ options: RelationModelling, _ data: PreparedData, seed: UInt64
    ) throws(Problem) -> BatchPlan {
        let members = data.split.train
        // A batch norm needs two samples; a rest of one would have none of it.
        return try BatchPlan(
            data.learning, members: members, batchSize: min(spec.training.batch, members.count),
            seed: seed, views: options.views, normalisation: data.normalisation,
            layout: .channelsLast, dropLast: true)
    }

    // MARK: The loop

    func prepare() throws {
        began = environment.clock()
        try environment.files.createDirectory(folder)
        try Engine.checked { try resume() }
    }

    func run() throws -> PhaseResult {
        let epochs = spec.training.epochs
        let steps = plan.stepsPerEpoch * epochs
        environment.observe(.began(spec, resumedAt: step > 0 ? step : nil, steps: steps))
        let prefetcher = Prefetcher(samePlan(), epoch: epoch, step: stepInEpoch, epochs: epochs)
        var lastSaved = environment.clock()
        while epoch < epochs {
            while stepInEpoch < plan.stepsPerEpoch {
                guard let batch = prefetcher.next() else { break }
                try advance(batch)
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
            try Engine.checked { try endEpoch() }
        }
        let result = try Engine.checked { try finish() }
        environment.observe(
            .finished(spec, result, seconds: environment.clock() - began, reused: false))
        return result
    }

    /// Other views and another order where the negative control of resuming asks for them.
    private func samePlan() -> BatchPlan {
        guard environment.dropRandomState, step > 0 else { return plan }
        drawSeed = spec.derivedSeed ^ 0xdead_beef
        return (try? EncoderTrainer.plan(spec, options, data, seed: drawSeed)) ?? plan
    }

    private func advance(_ batch: Batch) throws {
        do {
            try Engine.checked {
                let n = batch.indices.count
                let views = batch.inputs.to(device)  // [2 N, C, H, W]
                var draw = Draw(seed: drawSeed, .dropout, epoch: epoch, step: stepInEpoch)
                let mode = Mode.train(Generator(seed: draw.next(), device: device))
                // One pass per view, so that batch statistics are those of one view.
                let (values, projections) = withPrecision(spec.compute.precision, on: device) {
                    head.loss(
                        (
                            network.features(views.narrowed(0, from: 0, count: n), mode: mode),
                            network.features(views.narrowed(0, from: n, count: n), mode: mode)
                        ), temperature: options.temperature, mode: mode)
                }
                let loss = values.mean()
                loss.backward()
                let mean = loss.item
                let evenness = withoutGradient { spread(projections.0).item }
                guard mean.isFinite else {
                    throw Problem.notFinite(
                        term: options.kind.rawValue, phase: spec.name, epoch: epoch, step: step + 1,
                        checkpoint: lastCheckpoint)
                }
                optimizer.step(
                    rate: spec.optimizer.rate
                        * spec.schedule.rate(
                            step: step, stepsPerEpoch: plan.stepsPerEpoch,
                            epochs: spec.training.epochs))
                optimizer.clearGradients()
                sums.samples += n
                sums.total += mean * Double(n)
                sums.terms[options.kind.rawValue, default: 0] += mean * Double(n)
                sums.measures["spread", default: 0] += evenness * Double(n)
            }
        } catch let error as EngineError {
            throw Problem.engine(error, phase: spec.name, epoch: epoch, step: step + 1)
        }
    }

    // MARK: Measuring

    private func endEpoch() throws {
        try checkFinite()
        let scores = try measured { try evaluation.quick(network) }
        lastSpread = sums.measures["spread", default: .nan] / Double(max(1, sums.samples))
        var learner = EpochMetrics.Learner(sums, scores, average: nil, knowsClean: false)
        // There is nothing that could agree with a label.
        learner.trainAccuracy = .nan
        let metrics = EpochMetrics(
            phase: spec.name, epoch: epoch + 1, step: step,
            rate: spec.optimizer.rate
                * spec.schedule.rate(
                    step: step - 1, stepsPerEpoch: plan.stepsPerEpoch, epochs: spec.training.epochs),
            learners: [learner], together: nil)
        try lines.append(jsonLine(metrics), using: environment.files)
        sums = EpochSums()
        epoch += 1
        stepInEpoch = 0
        environment.observe(.epoch(spec, metrics))
    }

    private func finish() throws -> PhaseResult {
        try checkFinite()
        let relations = try measured {
            try evaluation.result(
                network, options: options, headParameters: head.parameterCount, spread: lastSpread)
        }
        try WeightsFile.write(
            network.state, to: "\(folder)/last.safetensors",
            metadata: ModelCard(model: spec.model, data: data).metadata, using: environment.files)
        let readout = PhaseResult.Readout(
            last: relations.nearest, selected: relations.nearest, selectedEpoch: epoch)
        var result = PhaseResult(
            key: spec.key, name: spec.name, epochs: epoch, steps: step, student: readout)
        result.relations = relations
        try lines.sync(using: environment.files)
        try environment.files.replace("\(folder)/phase.json", with: json(spec))
        try PhaseFolder.finish(folder, result, using: environment.files)
        try store.removeAll()
        return result
    }

    // MARK: Saving

    private var parts: [(prefix: String, tensors: [(name: String, tensor: Tensor)])] {
        [("encoder", network.state), ("heads", head.state), ("optimizer", optimizer.state)]
    }

    private func checkFinite() throws {
        try Engine.checked {
            for (prefix, tensors) in parts.prefix(2) {
                for (name, tensor) in tensors
                where tensor.dtype.isFloatingPoint && tensor.isFinite().all().item != 1 {
                    throw Problem.notFinite(
                        weights: "\(prefix)/\(name)", phase: spec.name,
                        epoch: max(0, step - 1) / plan.stepsPerEpoch, step: step,
                        checkpoint: lastCheckpoint)
                }
            }
        }
    }

    /// Outputs that are not finite become a problem that says where.
    private func measured<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try Engine.checked(body)
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(
                sample: error.sample, split: "measured", phase: spec.name,
                epoch: max(0, step - 1) / plan.stepsPerEpoch, step: step,
                checkpoint: lastCheckpoint)
        }
    }

    @discardableResult
    private func saveCheckpoint() throws -> String {
        try checkFinite()
        try lines.sync(using: environment.files)
        var record = LearnerRecord()
        record.sums = sums
        // The spread of the last whole epoch, for a result whose phase resumes at its very end.
        record.sums.measures["last-spread"] = lastSpread
        let path = try store.save(
            CheckpointRecord(
                key: spec.key, step: step, epoch: epoch, stepInEpoch: stepInEpoch,
                learners: [record], metricsBytes: lines.bytes, metrics: lines.digest,
                seconds: earlierSeconds + environment.clock() - began, tensors: ""),
            parts.flatMap { part in
                part.tensors.map { ("\(part.prefix)/\($0.name)", $0.tensor) }
            })
        lastCheckpoint = path
        return path
    }

    private func resume() throws(Problem) {
        guard let (record, saved, path) = try store.load() else {
            try environment.files.remove(lines.path)
            return
        }
        try record.check(
            .init(
                spec: spec, stepsPerEpoch: plan.stepsPerEpoch, learners: 1,
                samples: data.split.train.count), path)
        guard let own = record.learners.first else { return }
        func part(_ prefix: String) -> [String: Tensor] {
            var part: [String: Tensor] = [:]
            for (name, tensor) in saved where name.hasPrefix(prefix + "/") {
                part[String(name.dropFirst(prefix.count + 1))] = tensor
            }
            return part
        }
        try network.loadState(from: part("encoder"), source: path)
        try head.loadState(from: part("heads"), source: path)
        try optimizer.load(state: part("optimizer"), source: path)
        sums = own.sums
        lastSpread = sums.measures.removeValue(forKey: "last-spread") ?? .nan
        (step, epoch, stepInEpoch) = (record.step, record.epoch, record.stepInEpoch)
        lastCheckpoint = path
        earlierSeconds = record.seconds
        try lines.resume(
            bytes: record.metricsBytes, digest: record.metrics, using: environment.files)
    }
}
