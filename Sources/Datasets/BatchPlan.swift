import Diagnostics
import Randomness
import Synchronization

/// One batch, ready for the engine.
public struct Batch: Sendable, Equatable {
    public var epoch: Int
    public var step: Int
    /// Where the samples are in the data set, in batch order.
    public var indices: [Int]
    /// Normalised float32 values (code points of text as they are), contiguous in the order of `shape`.
    public var features: [Float]
    /// `[N, H, W, C]` for images in ``BatchPlan/Layout/channelsLast``, `[N, C, H, W]` for images
    /// in ``BatchPlan/Layout/channelsFirst``, `[N, D]` for tables,
    /// `[N, 1, L]` for texts.
    public var shape: [Int]

    public init(epoch: Int, step: Int, indices: [Int], features: [Float], shape: [Int]) {
        self.epoch = epoch
        self.step = step
        self.indices = indices
        self.features = features
        self.shape = shape
    }
}

/// Which samples come in which batch of which epoch, and how their features are made.
///
/// Everything follows from the arguments: the order of epoch e from (seed, `.order`, e), a sample's
/// augmentation from (seed, `.augmentation`, e, view, index in the data set). A batch can be asked
/// for at any time, in any order, from any thread, and is the same bytes; a resumed run needs no
/// more than its epoch and step.
public final class BatchPlan: Sendable {
    /// How the values of an image lie in memory.
    public enum Layout: String, Codable, Sendable { case channelsFirst, channelsLast }

    public let dataset: Dataset
    /// The samples that take part.
    public let members: [Int]
    public let batchSize: Int
    public let seed: UInt64
    public let augmentation: Augmentation
    /// Where there are any, a batch holds all versions of its samples: N first versions, then N second ones, …
    public let versions: [SampleVersion]
    public let layout: Layout
    public let shuffled: Bool
    public let dropLast: Bool
    let writer: FeatureWriter
    let normalisation: Normalisation
    /// The order asked for last; making one takes longer than a batch.
    private let recent = Mutex<(epoch: Int, order: [Int])?>(nil)

    /// - Parameters:
    ///   - members: indices of `dataset`; without shuffling, batches follow this order.
    ///   - normalisation: nil for none; tables stay as they are, bytes become 0...1.
    ///   - views: instead of augmentation, several random views of each sample in every batch.
    ///   - versions: the same of any kind; not together with `views`.
    ///   - dropLast: leave out a last batch that is not full, so that all have one size.
    /// - Throws: `Problem` for no members, a member outside the data set, a batch size below 1, a
    ///   normalisation or augmentation that does not fit the samples, or no step at all.
    public init(
        _ dataset: Dataset, members: [Int], batchSize: Int, seed: UInt64,
        augmentation: Augmentation = .none, views: Views? = nil, versions: [SampleVersion] = [],
        normalisation: Normalisation? = nil, layout: Layout = .channelsFirst, shuffled: Bool = true,
        dropLast: Bool = false
    ) throws(Problem) {
        guard !members.isEmpty else { throw .noMembers(dataset.name) }
        if let bad = members.first(where: { $0 < 0 || $0 >= dataset.count }) {
            throw .member(dataset.name, bad, count: dataset.count)
        }
        guard batchSize > 0 else { throw .batchSize(batchSize) }
        guard !dropLast || members.count >= batchSize else {
            throw .noFullBatch(dataset.name, members: members.count, batchSize: batchSize)
        }
        try augmentation.check(sampleShape: dataset.sampleShape, name: dataset.name)
        let versions = views.map { Array(repeating: .view($0), count: $0.count) } ?? versions
        for version in versions {
            try version.check(sampleShape: dataset.sampleShape, name: dataset.name)
        }
        let normalisation = normalisation ?? .none(for: dataset)
        guard normalisation.mean.count == dataset.sampleShape[0] else {
            throw .normalisationCount(
                dataset.name, found: normalisation.mean.count, expected: dataset.sampleShape[0])
        }
        self.dataset = dataset
        self.members = members
        self.batchSize = batchSize
        self.seed = seed
        self.augmentation = augmentation
        self.versions = versions
        self.normalisation = normalisation
        self.layout = layout
        self.shuffled = shuffled
        self.dropLast = dropLast
        writer = FeatureWriter(dataset.sampleShape, normalisation, layout)
    }

    /// The same plan with other draws of order and augmentation.
    public func with(seed: UInt64) -> BatchPlan {
        BatchPlan(self, members: members, seed: seed)
    }

    /// The same plan over some of its members, at least one; with `dropLast` at least a batch.
    public func with(members: [Int]) -> BatchPlan {
        precondition(members.count >= (dropLast ? batchSize : 1), "too few members for a step")
        precondition(members.allSatisfy { 0..<dataset.count ~= $0 }, "a member outside the data")
        return BatchPlan(self, members: members, seed: seed)
    }

    private init(_ other: BatchPlan, members: [Int], seed: UInt64) {
        dataset = other.dataset
        self.members = members
        batchSize = other.batchSize
        self.seed = seed
        augmentation = other.augmentation
        versions = other.versions
        normalisation = other.normalisation
        layout = other.layout
        shuffled = other.shuffled
        dropLast = other.dropLast
        writer = other.writer
    }

    public var stepsPerEpoch: Int {
        dropLast ? members.count / batchSize : (members.count + batchSize - 1) / batchSize
    }

    /// All members in the order of `epoch`: a uniform permutation (Fisher–Yates), or as given.
    public func order(epoch: Int) -> [Int] {
        guard shuffled else { return members }
        if let order = recent.withLock({ $0?.epoch == epoch ? $0?.order : nil }) { return order }
        var order = members
        var draw = Draw(seed: seed, .order, epoch: epoch)
        order.permute(&draw)
        recent.withLock { $0 = (epoch, order) }
        return order
    }

    /// The indices of one batch. A step outside `0..<stepsPerEpoch` traps.
    public func indices(epoch: Int, step: Int) -> [Int] {
        precondition(0..<stepsPerEpoch ~= step, "step \(step) of \(stepsPerEpoch)")
        let start = step * batchSize
        return Array(order(epoch: epoch)[start..<min(start + batchSize, members.count)])
    }

    /// One batch. `view` numbers several augmented draws of the same samples.
    public func batch(epoch: Int, step: Int, view: Int = 0) -> Batch {
        let indices = indices(epoch: epoch, step: step)
        if !versions.isEmpty { return batch(of: versions, indices, epoch: epoch, step: step) }
        let features = [Float](unsafeUninitializedCapacity: indices.count * dataset.sampleSize) {
            buffer, count in
            count = indices.count * dataset.sampleSize
            write(
                indices, augmentation: augmentation, epoch: epoch, view: view,
                to: buffer.baseAddress!)
        }
        return Batch(
            epoch: epoch, step: step, indices: indices, features: features,
            shape: writer.shape(count: indices.count))
    }

    func write(
        _ indices: [Int], augmentation: Augmentation, epoch: Int, view: Int,
        to out: UnsafeMutablePointer<Float>
    ) {
        let size = dataset.sampleSize
        switch dataset.features {
        case .images(let bytes, _, _, _):
            bytes.withUnsafeBufferPointer { bytes in
                for (row, sample) in indices.enumerated() {
                    let source = bytes.baseAddress! + sample * size
                    let target = out + row * size
                    if augmentation.changesImages {
                        writer.image(
                            source, to: target,
                            augmentation.change(
                                seed: seed, epoch: epoch, sample: sample, view: view))
                    } else {
                        writer.image(source, to: target)
                    }
                }
            }
        case .table(let cells, _):
            cells.withUnsafeBufferPointer { cells in
                for (row, sample) in indices.enumerated() {
                    writer.row(cells.baseAddress! + sample * size, to: out + row * size)
                }
            }
        case .text(let texts, _):
            for (row, sample) in indices.enumerated() {
                texts.write(sample, to: out + row * size)
            }
        }
        guard augmentation.noise > 0 || augmentation.drop > 0 else { return }
        disturb(
            indices, augmentation.version(ofTexts: dataset.isText), number: view, epoch: epoch, out)
    }
}
