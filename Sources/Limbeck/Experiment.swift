import Datasets
import Foundation
import Models
import Neural
import Torch
import Training

/// One training, described by values: what is learnt from, what learns, how, and from which seed.
///
///     let data = try Dataset(
///         name: "mine", images: bytes, shape: [1, 28, 28], labels: labels, classNames: names)
///     let experiment = Experiment(
///         data: data, noise: .symmetric(rate: 0.4), model: .resNet20,
///         method: SelfDistillation(stages: 2), epochs: 30, seed: 0)
///     let result = try experiment.train(in: "runs/mine") { print($0) }
///     print(result.selected.test.accuracy)
///     try result.report.write(to: "runs/mine/report.html")
///
/// It is what `limbeck train` does with a recipe: the same folder, the same checkpoints, the same bytes for
/// the same values. Killed at any moment, the same call goes on where it was.
public struct Experiment: Sendable {
    /// What reports call it; the method's name if nil.
    public var name: String?
    /// The samples to learn from. Their given labels may be wrong.
    public var data: Dataset
    /// Samples for the test; nil: a fifth of `data` is held out.
    public var test: Dataset?
    /// Label noise that is added to training and validation labels.
    public var noise: LabelNoise
    /// The network; `ModelSpec.custom` for one of the caller's own.
    public var model: ModelSpec
    /// How it is trained: a built-in method, a type of the caller's own that conforms to `Method`, or
    /// `OwnMethod` around an `Objective`.
    public var method: any Method
    /// Relations between images, learnt without labels, that guide the students.
    public var relation: RelationOptions?
    public var optimizer: OptimizerOptions
    public var schedule: Schedule
    /// Batch, augmentation, checkpoints, selection and the rest.
    public var training: TrainingOptions
    /// Share of the samples held out to select an epoch, above 0 and below 1.
    public var validation: Double
    /// Splits, label noise, initial weights, order and augmentation all derive from it.
    public var seed: UInt64
    /// What it trains on; nil: this processor, all of its cores, float32. Results are byte-identical only at
    /// equal engine, threads, device and precision.
    public var compute: ComputeOptions?

    /// - Parameters:
    ///   - epochs: passes over the training split, 1 to 100,000.
    ///   - batch: samples of a step, 1 to 65,536.
    public init(
        name: String? = nil, data: Dataset, test: Dataset? = nil, noise: LabelNoise = .none,
        model: ModelSpec, method: any Method = CrossEntropy(), relation: RelationOptions? = nil,
        optimizer: OptimizerOptions = .sgd(), schedule: Schedule = .init(), epochs: Int = 30,
        batch: Int = 128, augmentation: Augmentation = .none, validation: Double = 0.15,
        seed: UInt64 = 0, compute: ComputeOptions? = nil
    ) {
        self.name = name
        self.data = data
        self.test = test
        self.noise = noise
        self.model = model
        self.method = method
        self.relation = relation
        self.optimizer = optimizer
        self.schedule = schedule
        training = TrainingOptions()
        training.epochs = epochs
        training.batch = batch
        training.augmentation = augmentation
        self.validation = validation
        self.seed = seed
        self.compute = compute
    }

    /// The recipe that this is.
    public var recipe: Recipe {
        var options = DataOptions(MemorySource(data, test: test))
        options.validation = validation
        return Recipe(
            name: name, seed: seed, data: options, noise: noise, model: model, method: method,
            optimizer: optimizer, schedule: schedule, training: training, relation: relation)
    }

    /// Trains, or goes on with a training that the folder holds.
    ///
    /// - Parameters:
    ///   - folder: made if it is not there. One that holds another training is refused.
    ///   - progress: called for what is worth a line of a log: epochs, notes, ends of phases.
    ///   - shouldStop: asked after every step; true leaves a checkpoint and throws a `Problem` of kind
    ///     `.interrupted`.
    /// - Throws: a `Problem` for values out of range, samples that do not fit, numbers that are not
    ///   finite, files that cannot be written.
    public func train(
        in folder: String, progress: @escaping @Sendable (PhaseEvent) -> Void = { _ in },
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) throws -> ExperimentResult {
        Engine.keepMemory()
        var environment = TrainingEnvironment()
        environment.shouldStop = shouldStop
        environment.observe = { if $0.isWorthALine { progress($0) } }
        let compute =
            compute ?? ComputeOptions(threads: ProcessInfo.processInfo.activeProcessorCount)
        Engine.threads = compute.threads
        let run = try Run(
            recipe.checked(as: "the experiment"), folder: folder, compute: compute,
            environment: environment)
        return ExperimentResult(result: try run.train(), folder: folder)
    }
}
