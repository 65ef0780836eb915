import Distillation
import Models
import Neural
import Torch

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
/// a weight average: `advance` follows `PhaseTrainer.advance` line by line. What the trainer does
/// besides the arithmetic is measured with it: copying the batch into a tensor, the rows and the
/// generator that other objectives need, reading the loss and the predictions back every step.
final class Step {
    static let batchSize = 128
    static let classes = 10

    private let student: any Classifier
    private let optimizer: any Optimizer
    private let objective: any Objective = CrossEntropy()
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

    init(_ model: Model, precision: Precision, layout: Layout) throws {
        self.precision = precision
        isChannelsLast = layout == .nhwc
        let (c, h, w) = (model.sampleShape[0], model.sampleShape[1], model.sampleShape[2])
        student = try ModelRegistry.make(
            ModelSpec(name: model.rawValue), sampleShape: model.sampleShape, classes: Step.classes,
            seed: 0)
        student.move(to: device)
        if isChannelsLast { student.toChannelsLast() }
        optimizer = OptimizerOptions(
            kind: .sgd, rate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 5e-4
        ).make(over: student.parameters)
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
    /// - Returns: the mean cross-entropy of the batch before the update.
    func advance() throws -> Double {
        let labels = indices.map { self.labels[$0] }
        var means: [Double] = []
        var predictions: [Int] = []
        try Engine.checked {
            let input = LabelledBatch(
                inputs: inputs.to(device), labels: Tensor(labels, [labels.count]).to(device),
                rows: Tensor(indices.map { $0 }, [labels.count]).to(device), isPlain: true)
            let mode = Mode.train(Generator(seed: step, device: device))
            let (losses, logits) = withPrecision(precision, on: device) {
                let features = student.features(input.inputs, mode: mode)
                let logits = Logits(student.logits(fromFeatures: features))
                let output = StudentOutput(features: features, logits: logits)
                return (objective.losses(output, input), logits)
            }
            losses.total.backward()
            means = losses.means()
            predictions = logits.detached.predictions.ints()
        }
        try Engine.checked {
            _ = optimizer.step(rate: optimizer.options.rate)
            optimizer.clearGradients()
        }
        for (prediction, label) in zip(predictions, labels) where prediction == label { hits += 1 }
        step += 1
        return means[0]
    }
}
