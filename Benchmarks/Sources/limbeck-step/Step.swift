import Datasets
import Distillation
import Models
import Neural
import Randomness
import Torch
import Training

/// A network to measure, with the samples it gets.
enum Model: String, Codable, CaseIterable {
    case leNet5 = "lenet5"
    case resNet20 = "resnet20"
    case wideResNet = "wrn-16-2"

    /// [channels, height, width]
    var sampleShape: [Int] { self == .leNet5 ? [1, 28, 28] : [3, 32, 32] }
}

/// How images and the weights of convolutions lie in memory. The trainer's own is nhwc.
enum Layout: String, Codable, CaseIterable { case nchw, nhwc }

/// The trainer's own step on one fixed batch in host memory, without an average of weights: what is measured
/// is what `limbeck train` does between two batches.
final class Step {
    static let batchSize = 128
    static let classes = 10

    private let trainer: PhaseTrainer
    private let batch: Batch

    /// - Parameters:
    ///   - peers: networks that learn side by side, at least 1.
    ///   - order: of the divergence through which several teach one another; nil: they do not.
    init(_ model: Model, precision: Precision, peers: Int, order: Double?) throws {
        let shape = model.sampleShape
        var draw = Draw(seed: 0, .synthesis)
        let count = 2 * Step.batchSize
        let bytes = (0..<count * shape.reduce(1, *)).map { _ in UInt8(draw.below(256)) }
        let data = try Dataset(
            name: "random", images: bytes, shape: shape,
            labels: (0..<count).map { $0 % Step.classes },
            classNames: (0..<Step.classes).map(String.init))
        var training = TrainingOptions()
        (training.epochs, training.batch, training.ema) = (1_000, Step.batchSize, 0)
        let method: any Method =
            peers == 1
            ? CrossEntropy()
            : MutualLearning(
                .init(divergence: .renyi(order: order ?? 1), weight: Ramp(order == nil ? 0 : 1)),
                peers: PeersOptions(peers))
        let recipe = Recipe(
            data: DataOptions(MemorySource(data), validation: 0.2),
            model: ModelSpec(name: model.rawValue), method: method,
            optimizer: .sgd(learningRate: 0.01, nesterov: true, weightDecay: 5e-4),
            schedule: Schedule(.constant), training: training)
        let prepared = try PreparedData(recipe.data, noise: recipe.noise, seed: 0)
        let compute = ComputeOptions(threads: Engine.threads, precision: precision)
        let spec = try recipe.phases(
            dataHash: "", compute: compute, fileHash: { _ in "" })[0]
        trainer = try PhaseTrainer(
            spec, data: prepared, folder: "", environment: TrainingEnvironment()
        ) { _ in preconditionFailure("no earlier phase") }
        batch = try trainer.context.plan().batch(epoch: 0, step: 0)
        precondition(batch.indices.count == Step.batchSize)
    }

    /// Forward, backward, update.
    ///
    /// - Returns: the first network's mean loss of the batch before the update.
    func advance() throws -> Double { try trainer.takeStep(batch)[0] }
}
