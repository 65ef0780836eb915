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
    /// Whether phases that are damaged are made again instead of being refused.
    public var remake = false
    /// For the negative control of the resumption test only: continue with other random numbers
    /// than the interrupted run would have drawn.
    public var dropRandomState = false

    public init() {}
}

/// Trains one phase, from its beginning or from its newest checkpoint, to its `result.json`.
public final class PhaseTrainer {
    let spec: PhaseSpec
    private(set) var data: PreparedData
    let folder: String
    let environment: TrainingEnvironment

    let learners: [Learner]
    let objective: any PeerObjective
    let work: any PhaseWork
    let plan: BatchPlan
    var validation: EvaluationSet
    var test: EvaluationSet
    let store: CheckpointStore
    let device: Device
    let rowOfMember: [Int]
    let pseudoLabelAccuracy: Double?
    let teacherScores: PhaseResult.Scores?

    // Where training stands.
    var step = 0
    var epoch = 0
    var stepInEpoch = 0
    /// `metrics.jsonl`.
    var lines: LineLog
    /// SHA-256 of the weights kept after an epoch, by file name.
    var kept: [String: String] = [:]
    var lastCheckpoint: String?
    /// Pieces of work done at it.
    var lastPosition: Int?
    var drawSeed: UInt64
    var began = 0.0
    private var lastSaved = 0.0
    /// Spent on this phase by earlier processes, up to the checkpoint that was resumed from.
    public var earlierSeconds = 0.0
    /// Spent on this phase when each epoch's last step was done.
    public var epochSeconds: [Double] = []

    /// - Parameter weights: the tensors of an earlier phase's network, by its key.
    public init(
        _ spec: PhaseSpec, data: PreparedData, folder: String, environment: TrainingEnvironment,
        weights: (PhaseSpec.TeacherSource) throws -> (ModelSpec, [String: Tensor])
    ) throws {
        self.spec = spec
        let data = try ObjectiveMaker.prepared(data, for: spec)
        self.data = data
        self.folder = folder
        self.environment = environment
        lines = LineLog("\(folder)/metrics.jsonl")
        let device = Device(named: spec.compute.device)
        self.device = device
        drawSeed = spec.derivedSeed
        store = CheckpointStore(folder: "\(folder)/checkpoints", files: environment.files)
        let start = try spec.start.map { try weights($0).1 }
        let encoder = try spec.relation.flatMap {
            $0.start == .encoder ? try weights($0.encoder).1 : nil
        }
        learners = try spec.learners.enumerated().map { index, learner in
            let seed = PhaseSpec.seed(spec.derivedSeed, ofLearner: index)
            return try Learner(
                learner, index: index, of: spec.learners.count, seed: seed,
                average: spec.training.average, data: data,
                labels: try spec.drawsNoisePerPeer && index > 0
                    ? data.redrawnLabels(seed: seed) : data.learning.labels,
                start: start, encoder: encoder, device: device)
        }
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
        for learner in learners { learner.train(with: objective.parameters(of: learner.index)) }
        teacherScores = made.teacher
        pseudoLabelAccuracy = made.pseudoLabelAccuracy
        work = try makers.work(
            for: made, learners: learners, folder: folder, files: environment.files)
        try checkBatchNorms()
    }

    var stepsPerEpoch: Int { work.samples?.stepsPerEpoch ?? plan.stepsPerEpoch }

    // MARK: The loop

    /// Resumes from the newest checkpoint of the folder, if there is one.
    ///
    /// - Parameter firstEpoch: −1 where only the work before the first epoch is done.
    func prepare(firstEpoch: Int) throws {
        began = environment.clock()
        try environment.files.createDirectory(folder)
        try Engine.checked { try resume(firstEpoch: firstEpoch) }
    }

    func prepare() throws { try prepare(firstEpoch: 0) }

    /// Trains to the end, once it is prepared.
    func run() throws -> PhaseResult {
        let steps = stepsPerEpoch * spec.training.epochs
        environment.observe(.began(spec, resumedAt: step > 0 ? step : nil, steps: steps))
        if let teacherScores { environment.observe(.teacher(spec, teacherScores)) }
        let own = samePlan()
        var prefetcher =
            work.samples == nil
            ? Prefetcher(own, epoch: epoch, step: stepInEpoch, epochs: spec.training.epochs) : nil
        lastSaved = environment.clock()
        while epoch < spec.training.epochs, !isOutOfPatience {
            objective.begin(epoch: epoch, of: spec.training.epochs)
            try work.prepareEpoch(self)
            while stepInEpoch < stepsPerEpoch {
                guard
                    let batch = work.samples?.batch(epoch: epoch, step: stepInEpoch)
                        ?? prefetcher?.next()
                else { break }
                try advance(batch)
                stepInEpoch += 1
                step += 1
                environment.observe(.step(spec, step: step, of: steps))
                if environment.shouldStop() {
                    throw Problem.interrupted(checkpoint: try saveCheckpoint())
                }
                try saveIfDue(step)
            }
            try Engine.checked { try endEpoch() }
        }
        prefetcher = nil
        let result = try Engine.checked { try finish() }
        let seconds = environment.clock() - began
        environment.observe(.finished(spec, result, seconds: seconds, reused: false))
        return result
    }

    /// Saves every so many steps (or other pieces of work) and every so many seconds.
    func saveIfDue(_ count: Int) throws {
        let isDue =
            spec.training.checkpointSteps.map { count % $0 == 0 } ?? false
            || environment.clock() - lastSaved >= spec.training.checkpointSeconds
        guard isDue else { return }
        try saveCheckpoint()
        lastSaved = environment.clock()
    }

    /// Constants that were learnt in this phase count from here on.
    func use(_ normalisation: Normalisation) { data.normalisation = normalisation }

    /// The plan that batches come from; another one where the negative control asks for it.
    func samePlan() -> BatchPlan {
        guard environment.dropRandomState, step > 0 || work.pieces > 0 else {
            return plan
        }
        drawSeed = spec.derivedSeed ^ 0xdead_beef
        work.dropRandomState()
        return
            (try? BatchPlan(
                data.learning, members: data.split.train, batchSize: spec.training.batch,
                seed: drawSeed, augmentation: spec.training.augmentation,
                normalisation: data.normalisation, layout: plan.layout)) ?? plan
    }

    var isOutOfPatience: Bool {
        guard let patience = spec.training.patience else { return false }
        let best = learners.compactMap(\.record.selected?.epoch).max()
        return best.map { epoch - 1 - $0 >= patience } ?? false
    }
}
