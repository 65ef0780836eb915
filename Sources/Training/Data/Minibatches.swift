import Datasets
import Diagnostics
import Files
import Models
import Neural
import Randomness
import Torch

/// One mini-batch of a loop that a program writes itself.
public struct Minibatch {
    /// [N, …], normalised and augmented.
    public let inputs: Tensor
    /// Given labels [N], int64.
    public let labels: Tensor
    /// Where the samples are in the data set.
    public let indices: [Int]
    /// From 0.
    public let epoch: Int
    /// Of the epoch, from 0.
    public let step: Int
    /// Of this step's random numbers, dropout for example; another one for every step.
    public let seed: UInt64
}

/// The mini-batches of some epochs, made ahead on a thread of their own.
public final class Minibatches: Sequence, IteratorProtocol {
    /// Steps of an epoch.
    public let stepsPerEpoch: Int
    /// What was fitted on the samples, for measuring and saving.
    public let normalisation: Normalisation
    private let labels: [Int]
    private let seed: UInt64
    private let device: Device
    private let prefetcher: Prefetcher

    init(_ plan: BatchPlan, _ normalisation: Normalisation, epochs: Int, device: Device) {
        stepsPerEpoch = plan.stepsPerEpoch
        self.normalisation = normalisation
        labels = plan.dataset.labels
        seed = plan.seed
        self.device = device
        prefetcher = Prefetcher(plan, epochs: epochs)
    }

    public func next() -> Minibatch? {
        guard let batch = prefetcher.next() else { return nil }
        var draw = Draw(seed: seed, .dropout, epoch: batch.epoch, step: batch.step)
        return Minibatch(
            inputs: batch.inputs.to(device),
            labels: Tensor(batch.indices.map { labels[$0] }, [batch.indices.count]).to(device),
            indices: batch.indices, epoch: batch.epoch, step: batch.step, seed: draw.next())
    }
}

extension Dataset {
    /// Mini-batches of all samples, shuffled anew in every epoch. The same arguments give the same batches.
    ///
    /// - Parameters:
    ///   - size: samples of a batch, at least 1; the last one of an epoch may be smaller.
    ///   - seed: of order and augmentation.
    ///   - augmentation: for images.
    ///   - normalisation: fitted on the samples if nil.
    public func batches(
        of size: Int, epochs: Int, seed: UInt64, augmentation: Augmentation = .none,
        normalisation: Normalisation? = nil, device: Device = .cpu
    ) -> Minibatches {
        precondition(size > 0 && epochs >= 0, "at least one sample in a batch")
        let all = Array(0..<count)
        do {
            let normalisation = try normalisation ?? .fit(self, members: all)
            let plan = try BatchPlan(
                self, members: all, batchSize: size, seed: seed, augmentation: augmentation,
                normalisation: normalisation, layout: isImages ? .channelsLast : .channelsFirst)
            return Minibatches(plan, normalisation, epochs: epochs, device: device)
        } catch {
            // A data set has samples; what is left is an argument that does not fit them.
            preconditionFailure("\(error)")
        }
    }
}

extension Classifier {
    /// How the network does on labelled samples.
    ///
    /// - Parameter normalisation: what it was trained with: that of its `Minibatches`.
    /// - Throws: an engine error, or a `Problem` where an output is not finite.
    public func evaluate(
        on data: Dataset, normalisation: Normalisation, device: Device = .cpu
    ) throws -> Evaluation {
        let set = try EvaluationSet(
            data, members: Array(0..<data.count), normalisation: normalisation, device: device)
        do {
            return try set.evaluate({ self($0, mode: .eval) }, precision: .float32)
        } catch let error as OutputsNotFinite {
            throw Problem.notFinite(sample: error.sample, of: data.name, file: "the network")
        }
    }

    /// Writes the network as a file that `SavedModel`, `limbeck predict` and PyTorch's safetensors read.
    ///
    /// - Parameters:
    ///   - model: what the network is: another process makes it by this.
    ///   - data: shape and classes of its samples.
    ///   - normalisation: what it was trained with.
    public func save(
        to path: String, as model: ModelSpec, trainedOn data: Dataset, normalisation: Normalisation,
        using files: any FileSystem = LocalFileSystem()
    ) throws(Problem) {
        var card = ModelCard(
            model: model, sampleShape: data.sampleShape, classNames: data.classNames,
            normalisation: normalisation)
        card.columns = data.columns
        card.table = data.layout
        try WeightsFile.write(state, to: path, metadata: card.metadata, using: files)
    }
}
