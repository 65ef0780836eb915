import Diagnostics
import Distillation
import Models
import Neural
import Torch

/// A network that learns in a phase, with everything that belongs to it alone: optimizer, average
/// of weights, the weights of its best epoch, and the sums of the epoch under way.
public final class Learner {
    /// `student`, or `peer-1`, `peer-2`, …; begins the names of its tensors in a checkpoint.
    public let name: String
    public let index: Int
    public let spec: LearnerSpec
    public let network: any Classifier
    public private(set) var optimizer: any Optimizer
    let ema: ExponentialMovingAverage?
    let emaNetwork: (any Classifier)?
    /// Given labels, by index in the data set.
    public let labels: [Int]
    let isImages: Bool

    /// Where its training stands.
    var record = LearnerRecord()
    let selectedState: [Tensor]
    let emaSelectedState: [Tensor]

    /// - Parameters:
    ///   - ema: decay of the exponential moving average of the weights, 0 for none.
    ///   - start: weights to begin from, instead of freshly drawn ones.
    init(
        _ spec: LearnerSpec, index: Int, of count: Int, seed: UInt64, ema decay: Double,
        data: PreparedData, labels: [Int], start: (PhaseSpec.Start, [String: Tensor])?,
        device: Device
    ) throws {
        self.spec = spec
        self.index = index
        self.labels = labels
        name = count == 1 ? "student" : "peer-\(index + 1)"
        isImages = data.learning.isImages
        network = try ModelRegistry.make(
            spec.model, sampleShape: data.sampleShape, classes: data.classCount, seed: seed)
        if let (start, tensors) = start {
            if start.isFeaturesOnly {
                try network.loadFeatures(from: tensors)
            } else {
                try network.loadState(from: tensors)
            }
        }
        network.move(to: device)
        if isImages { network.toChannelsLast() }
        optimizer = spec.optimizer.make(over: network.parameters)
        if decay > 0 {
            ema = ExponentialMovingAverage(of: network.state, decay: decay)
            emaNetwork = network.replica()
            emaNetwork?.move(to: device)
            if isImages { emaNetwork?.toChannelsLast() }
        } else {
            ema = nil
            emaNetwork = nil
        }
        selectedState = network.state.map { $0.tensor.detached().cloned() }
        emaSelectedState = emaNetwork?.state.map { $0.tensor.detached().cloned() } ?? []
    }

    /// Hands further tensors, which an objective trains beside the network, to the optimizer. Before the
    /// first step.
    func train(with others: [(name: String, tensor: Tensor)]) {
        guard !others.isEmpty else { return }
        optimizer = spec.optimizer.make(over: network.parameters + others)
    }

    /// One forward pass.
    public func output(_ inputs: Tensor, _ mode: Mode) -> StudentOutput {
        let features = network.features(inputs, mode: mode)
        return StudentOutput(
            features: features, logits: Logits(network.logits(fromFeatures: features)))
    }

    /// Applies the gradients of this step and forgets them.
    func update(learningRate: Double) {
        _ = optimizer.step(learningRate: learningRate)
        optimizer.clearGradients()
        ema?.update()
    }

    /// - Parameter step: of the phase.
    func learningRate(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
        spec.optimizer.learningRate
            * spec.schedule.rate(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs)
    }

    /// The network with the weights of its best epoch.
    func best(ema: Bool) -> any Classifier {
        let network = ema ? emaNetwork! : self.network
        let best = network.replica()
        best.move(to: network.state[0].tensor.device)
        fill(best.state, from: ema ? emaSelectedState : selectedState)
        if isImages { best.toChannelsLast() }
        return best
    }

    private func fill(_ state: [(name: String, tensor: Tensor)], from copies: [Tensor]) {
        for ((_, tensor), copy) in zip(state, copies) { tensor.copy(from: copy) }
    }

    /// Remembers the present weights if `evaluation` is the best one so far.
    func select(_ evaluation: Evaluation, epoch: Int, by criterion: TrainingOptions.Selection) {
        guard Learner.isBetter(evaluation, than: record.selected?.validation, criterion) else {
            return
        }
        record.selected = Selection(epoch: epoch, validation: evaluation)
        keep(network.state, in: selectedState)
    }

    /// The same for the moving average.
    func selectEMA(
        _ evaluation: Evaluation, epoch: Int, by criterion: TrainingOptions.Selection
    ) {
        guard let emaNetwork,
            Learner.isBetter(evaluation, than: record.emaSelected?.validation, criterion)
        else { return }
        record.emaSelected = Selection(epoch: epoch, validation: evaluation)
        keep(emaNetwork.state, in: emaSelectedState)
    }

    private func keep(_ state: [(name: String, tensor: Tensor)], in copies: [Tensor]) {
        for (copy, (_, tensor)) in zip(copies, state) { copy.copy(from: tensor) }
    }

    static func isBetter(
        _ new: Evaluation, than old: Evaluation?, _ criterion: TrainingOptions.Selection
    ) -> Bool {
        guard let old else { return true }
        return criterion == .accuracy ? new.accuracy > old.accuracy : new.nll < old.nll
    }

    /// Every tensor that its training continues from, in a fixed order, by part.
    var parts: [(prefix: String, tensors: [(name: String, tensor: Tensor)])] {
        let names = network.state.map(\.name)
        let prefix = name == "student" ? "" : "\(name)/"
        return [
            (name == "student" ? name : "\(name)/network", network.state),
            ("\(prefix)optimizer", optimizer.state),
            ("\(prefix)ema", ema?.state ?? []),
            ("\(prefix)selected", zip(names, selectedState).map { ($0, $1) }),
            ("\(prefix)ema-selected", zip(names, emaSelectedState).map { ($0, $1) }),
        ]
    }
}

extension Classifier {
    /// Takes over the weights and buffers of a network of the same architecture, but for the head, which
    /// stays as it is.
    func loadFeatures(from others: [String: Tensor]) throws(Problem) {
        let own = head.state.map(\.tensor)
        var tensors = others
        for (name, tensor) in state where own.contains(where: { $0 === tensor }) {
            tensors[name] = tensor.detached().cloned()
        }
        try loadState(from: tensors)
    }
}
