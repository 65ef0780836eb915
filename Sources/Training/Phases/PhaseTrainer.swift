import Datasets
import Diagnostics
import Distillation
import Files
import Foundation
import Models
import Neural
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
///
/// The loop knows no method: what is particular to one is behind the phase's `Objective`.
public final class PhaseTrainer {
    let spec: PhaseSpec
    let folder: String
    let environment: TrainingEnvironment
    let learners: [Learner]
    package let context: PhaseContext
    let objective: any Objective
    let batches: Batches
    var evaluator: any PhaseEvaluator
    let store: CheckpointStore
    let device: Device
    /// How each training sample is predicted from epoch to epoch, where that is recorded.
    let dynamics: SampleDynamics?
    /// What this phase has to gain on.
    let former: FormerPhase?

    // Where training stands.
    var epoch = 0
    var stepInEpoch = 0
    /// Samples that the steps of this epoch take, where the objective chose some.
    private(set) var members: [Int]?
    /// How many steps this epoch takes, where the objective makes its batches and said so.
    private var chosenSteps: Int?
    /// How many members there were in the epoch that a checkpoint lies in.
    var resumedMembers: Int?
    /// `metrics.jsonl`.
    var lines: LineLog
    /// SHA-256 of the weights kept after an epoch, by file name.
    var kept: [String: String] = [:]
    var lastCheckpoint: String?
    /// Steps and pieces of work done at it.
    var lastPosition: Int?
    var drawSeed: UInt64
    var began = 0.0
    private var lastSaved = 0.0
    /// Spent on this phase by earlier processes, up to the checkpoint that was resumed from.
    public var earlierSeconds = 0.0
    /// Spent on this phase when each epoch's last step was done.
    public var epochSeconds: [Double] = []

    /// - Parameter weights: the tensors of a network that the phase learns or starts from.
    public convenience init(
        _ spec: PhaseSpec, data: PreparedData, folder: String, environment: TrainingEnvironment,
        weights: @escaping (WeightSource) throws -> (ModelSpec, [String: Tensor])
    ) throws {
        try self.init(
            spec, data: data, folder: folder, environment: environment, former: nil,
            weights: weights)
    }

    /// - Parameter former: the phase that this one has to gain on.
    init(
        _ spec: PhaseSpec, data: PreparedData, folder: String, environment: TrainingEnvironment,
        former: FormerPhase?,
        weights: @escaping (WeightSource) throws -> (ModelSpec, [String: Tensor])
    ) throws {
        self.spec = spec
        self.former = former
        let data = try spec.target.base.prepared(data)
        self.folder = folder
        self.environment = environment
        lines = LineLog("\(folder)/metrics.jsonl")
        let device = Device(named: spec.compute.device)
        self.device = device
        drawSeed = spec.derivedSeed
        store = CheckpointStore(folder: "\(folder)/checkpoints", files: environment.files)
        let start = try spec.start.map { ($0, try weights($0.source).1) }
        learners = try spec.learners.enumerated().map { index, learner in
            let seed = PhaseSpec.seed(spec.derivedSeed, ofLearner: index)
            return try Learner(
                learner, index: index, of: spec.learners.count, seed: seed,
                ema: spec.training.ema, data: data,
                labels: try spec.drawsNoisePerLearner && index > 0
                    ? data.redrawnLabels(seed: seed) : data.learning.labels,
                start: start, device: device)
        }
        context = PhaseContext(
            spec, data: data, learners: learners, folder: folder, files: environment.files,
            weights: weights)
        dynamics =
            spec.recordsDynamics
            ? SampleDynamics(
                rows: context.rows, learners: learners.count, epochs: spec.training.epochs) : nil
        objective = try spec.target.base.objective(context)
        for learner in learners { learner.train(with: objective.parameters(of: learner.index)) }
        batches = try objective.batches(context)
        evaluator = try objective.evaluator(context)
        try checkBatchNorms()
    }

    var data: PreparedData { context.data }
    var rowOfMember: [Int] { context.rowOfMember }

    /// Steps of an epoch over all of its samples.
    var stepsPerEpoch: Int {
        switch batches {
        case .plan(let plan): plan.stepsPerEpoch
        case .own(let source): source.stepsPerEpoch
        }
    }

    /// Steps of the phase that are behind; an epoch counts as whole, also where it took fewer.
    var step: Int { epoch * stepsPerEpoch + stepInEpoch }

    /// The learning rate of the next step.
    func learningRate(of learner: Learner, step: Int? = nil) -> Double {
        learner.learningRate(
            step: step ?? self.step, stepsPerEpoch: stepsPerEpoch, epochs: spec.training.epochs)
    }

    // MARK: The loop

    /// Resumes from the newest checkpoint of the folder, if there is one.
    func prepare() throws {
        began = environment.clock()
        try environment.files.createDirectory(folder)
        try Engine.checked { try resume() }
    }

    /// Trains to the end, once it is prepared.
    func run() throws -> PhaseResult {
        if standsAside {
            let result = try Engine.checked { try passOn() }
            try complete(result)
            return result
        }
        let steps = stepsPerEpoch * spec.training.epochs
        environment.observe(.began(spec, resumedAt: step > 0 ? step : nil, steps: steps))
        lastSaved = environment.clock()
        if environment.dropRandomState, step > 0 || objective.pieces > 0 { dropRandomState() }
        let epochContext = EpochContext(trainer: self)
        try working { try objective.begin(epochContext) }
        var prefetcher = prefetched()
        while epoch < spec.training.epochs, !isOutOfPatience {
            try working { try objective.beginEpoch(epochContext) }
            if members != nil { prefetcher = prefetched() }
            let last = stepsOfEpoch
            while stepInEpoch < last {
                guard try advance(prefetcher) else { break }
                stepInEpoch += 1
                environment.observe(.step(spec, step: step, of: steps))
                if environment.shouldStop() {
                    throw Problem.interrupted(checkpoint: try saveCheckpoint())
                }
                try saveIfDue(step)
            }
            try Engine.checked { try endEpoch() }
            resumedMembers = nil
            chosenSteps = nil
            if members != nil {
                members = nil
                prefetcher = prefetched()
            }
        }
        prefetcher = nil
        let result = try Engine.checked { try finish() }
        try complete(result)
        return result
    }

    /// Writes the record that makes the phase complete.
    private func complete(_ result: PhaseResult) throws {
        try environment.files.replace("\(folder)/phase.json", with: JSON.file(spec))
        try PhaseFolder.finish(folder, result, using: environment.files)
        try store.removeAll()
        let seconds = environment.clock() - began
        environment.observe(.finished(spec, result, seconds: seconds, reused: false))
    }

    /// The work before the first epoch, and nothing else, once it is prepared.
    func runBeginning() throws {
        environment.observe(.began(spec, resumedAt: nil, steps: 0))
        lastSaved = environment.clock()
        try working { try objective.begin(EpochContext(trainer: self)) }
    }

    /// Engine errors in an objective's own work name the phase and where it stands.
    private func working(_ body: () throws -> Void) throws {
        do { try body() } catch let error as EngineError { throw problem(error) }
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

    var isOutOfPatience: Bool {
        guard let patience = spec.training.patience else { return false }
        let best = learners.compactMap(\.record.selected?.epoch).max()
        return best.map { epoch - 1 - $0 >= patience } ?? false
    }

    // MARK: Batches

    /// - Throws: for no sample, one that is not of the training split or twice there, and, where a run
    ///   resumes inside an epoch, for another number than the epoch began with.
    func use(members: [Int]) throws {
        let isOfSplit = { (member: Int) in
            self.rowOfMember.indices.contains(member) && self.rowOfMember[member] >= 0
        }
        guard isOfPlan, !members.isEmpty, Set(members).count == members.count,
            members.allSatisfy(isOfSplit),
            stepInEpoch == 0 || resumedMembers == nil || resumedMembers == members.count
        else { throw Problem.membersOfEpoch(phase: spec.name, epoch: epoch, members.count) }
        self.members = members
    }

    func use(steps: Int) {
        precondition(!isOfPlan && (1...stepsPerEpoch).contains(steps), "steps of an epoch")
        chosenSteps = steps
    }

    private var stepsOfEpoch: Int {
        if let chosenSteps { return chosenSteps }
        guard let members else { return stepsPerEpoch }
        let batch = spec.training.batch
        return min(stepsPerEpoch, (members.count + batch - 1) / batch)
    }

    /// Batches from here on, made ahead; nil where the objective makes its own.
    private func prefetched() -> Prefetcher? {
        guard case .plan(let plan) = batches else { return nil }
        let seeded = drawSeed == spec.derivedSeed ? plan : plan.with(seed: drawSeed)
        let own = members.map { seeded.with(members: $0) } ?? seeded
        return Prefetcher(
            own, epoch: epoch, step: stepInEpoch,
            epochs: members == nil ? spec.training.epochs : epoch + 1)
    }

    /// Goes on with other random numbers, for the negative control of resuming.
    private func dropRandomState() {
        drawSeed = spec.derivedSeed ^ 0xdead_beef
        objective.dropRandomState()
    }
}
