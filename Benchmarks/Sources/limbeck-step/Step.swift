import Distillation
import Models
import Neural
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

/// How images and the weights of convolutions lie in memory.
enum Layout: String, Codable, CaseIterable { case nchw, nhwc }

/// A training step on one fixed batch in host memory, as the trainer of a phase takes it, without
/// a weight average: `advance` follows that of `PhaseTrainer` line by line. What the trainer does
/// besides the arithmetic is measured with it: copying the batch into a tensor, the rows and the
/// generator that other objectives need, reading the loss and the predictions back every step.
final class Step {
    static let batchSize = 128
    static let classes = 10

    private let students: [any Classifier]
    private let optimizers: [any Optimizer]
    private let objective: any Objective
    private let precision: Precision
    private let device = Device.cpu

    // What the data pipeline hands over.
    private let features: [Float]
    private let shape: [Int]
    private let isChannelsLast: Bool
    private let indices = Array(0..<Step.batchSize)
    private let labels: [Int]

    private var step: UInt64 = 0
    private(set) var hits = 0

    /// - Parameters:
    ///   - peers: networks that learn side by side, at least 1.
    ///   - order: of the divergence through which several teach one another; nil: they do not.
    init(
        _ model: Model, precision: Precision, layout: Layout, peers: Int, order: Double?
    ) throws {
        self.precision = precision
        isChannelsLast = layout == .nhwc
        let (c, h, w) = (model.sampleShape[0], model.sampleShape[1], model.sampleShape[2])
        let isChannelsLast = isChannelsLast
        students = try (0..<peers).map { peer in
            let student = try ModelRegistry.make(
                ModelSpec(name: model.rawValue), sampleShape: model.sampleShape,
                classes: Step.classes, seed: UInt64(peer))
            if isChannelsLast { student.toChannelsLast() }
            return student
        }
        optimizers = students.map {
            OptimizerOptions(
                kind: .sgd, rate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 5e-4
            ).make(over: $0.parameters)
        }
        objective =
            peers == 1
            ? CrossEntropyObjective()
            : MutualObjective(
                .init(divergence: .renyi(order: order ?? 1), weight: Ramp(order == nil ? 0 : 1)))
        shape = [Step.batchSize] + (isChannelsLast ? [h, w, c] : [c, h, w])
        let generator = Generator(seed: 0)
        let pixels = Tensor.empty(shape)
        pixels.fillNormal(generator)
        features = pixels.floats()
        let classes = Tensor.empty([Step.batchSize])
        classes.fillUniform(0, Double(Step.classes), generator)
        labels = classes.floats().map { min(Step.classes - 1, Int($0)) }
    }

    /// The batch as [N, C, H, W].
    private var inputs: Tensor {
        let tensor = Tensor(features, shape)
        return isChannelsLast ? tensor.permuted([0, 3, 1, 2]) : tensor
    }

    /// Forward, backward, update.
    /// - Returns: the first network's mean cross-entropy of the batch before the update.
    func advance() throws -> Double {
        let labels = indices.map { self.labels[$0] }
        var means: [[Double]] = []
        var predictions: [[Int]] = []
        try Engine.checked {
            let inputs = inputs.to(device)
            let rows = Tensor(indices.map { $0 }, [labels.count]).to(device)
            let outputs = withPrecision(precision, on: device) {
                students.map { student in
                    let mode = Mode.train(Generator(seed: step, device: device))
                    let features = student.features(inputs, mode: mode)
                    return StudentOutput(
                        features: features, logits: Logits(student.logits(fromFeatures: features)))
                }
            }
            for index in students.indices {
                let batch = TrainingBatch(
                    inputs: inputs, labels: Tensor(labels, [labels.count]).to(device), rows: rows,
                    isPlain: true)
                let (losses, total) = withPrecision(precision, on: device) {
                    let losses = objective.losses(of: index, outputs, batch)
                    return (losses, losses.total)
                }
                total.backward()
                means.append(losses.means())
                predictions.append(outputs[index].logits.detached.predictions.ints())
            }
        }
        try Engine.checked {
            for optimizer in optimizers {
                _ = optimizer.step(rate: optimizer.options.rate)
                optimizer.clearGradients()
            }
        }
        for own in predictions {
            for (prediction, label) in zip(own, labels) where prediction == label { hits += 1 }
        }
        step += 1
        return means[0][0]
    }
}
