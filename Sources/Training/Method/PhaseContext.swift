import Datasets
import Diagnostics
import Distillation
import Files
import Models
import Neural
import Report
import Torch

/// What a target finds when it makes its objective, and an objective for as long as its phase trains: the
/// phase, its data, its networks, and the networks that it learns from.
public final class PhaseContext {
    public let spec: PhaseSpec
    /// As the target sees it.
    public internal(set) var data: PreparedData
    public let learners: [Learner]
    /// Of the phase: where files of its own go.
    public let folder: String
    public let files: any FileSystem
    public let device: Device
    /// What is shown beside the objective's sections: of what the phase learns from.
    private(set) var shown: [Section] = []
    /// By index in the data set; −1 outside the training split.
    let rowOfMember: [Int]
    /// How much the loss of each row counts [rows], float32, with mean 1; nil: all alike.
    let sampleWeights: Tensor?
    private let weights: (WeightSource) throws -> (ModelSpec, [String: Tensor])

    init(
        _ spec: PhaseSpec, data: PreparedData, learners: [Learner], folder: String,
        files: any FileSystem,
        weights: @escaping (WeightSource) throws -> (ModelSpec, [String: Tensor])
    ) {
        self.spec = spec
        self.data = data
        self.learners = learners
        self.folder = folder
        self.files = files
        device = Device(named: spec.compute.device)
        var rows = [Int](repeating: -1, count: data.learning.count)
        for (row, member) in data.split.train.enumerated() { rows[member] = row }
        rowOfMember = rows
        // No training sample counts where a part of the split has none that does: all are alike then.
        sampleWeights = data.weights?.normalised(of: data.split.train).map {
            Tensor($0, [$0.count]).to(.float32).to(Device(named: spec.compute.device))
        }
        self.weights = weights
    }

    /// The seed of everything random in the phase.
    public var seed: UInt64 { spec.derivedSeed }
    public var classes: Int { data.classCount }
    /// Samples of the training split: rows of per-sample tables.
    public var rows: Int { data.split.train.count }
    /// The first learner's given label of each row.
    public var givenLabels: [Int] { data.split.train.map { data.learning.labels[$0] } }
    /// The clean label of each row, where it is known.
    public var cleanLabels: [Int]? {
        guard data.knowsClean, let clean = data.learning.clean else { return nil }
        return data.split.train.map { clean[$0] }
    }
    /// Whether a sample's inputs are the same in every epoch.
    public var isPlain: Bool { !spec.training.augmentation.isOn }

    /// Shows a section beside those of the objective; once, however many losses it is of.
    func show(_ section: Section) {
        if !shown.contains(section) { shown.append(section) }
    }

    // MARK: Batches

    /// The batches of the training split.
    ///
    /// - Parameters:
    ///   - seed: of order and augmentation; the phase's own if nil.
    ///   - members: of the training split; all of it if nil.
    ///   - views: several random views of each sample instead of augmentation.
    ///   - versions: the same of any kind.
    ///   - dropLast: whether the rest of an epoch that does not fill a batch is left out.
    public func plan(
        seed: UInt64? = nil, members: [Int]? = nil, views: Views? = nil,
        versions: [SampleVersion] = [], dropLast: Bool = false
    ) throws(Problem) -> BatchPlan {
        let members = members ?? data.split.train
        let batch = spec.training.batch
        return try BatchPlan(
            data.learning, members: members,
            batchSize: dropLast ? min(batch, members.count) : batch, seed: seed ?? self.seed,
            augmentation: views == nil ? spec.training.augmentation : .none, views: views,
            versions: versions,
            normalisation: data.normalisation,
            layout: data.learning.isImages ? .channelsLast : .channelsFirst, dropLast: dropLast)
    }

    /// A batch of a plan of the training split as objectives see it.
    ///
    /// - Parameter labels: given ones, by index in the data set.
    func batch(_ batch: Batch, labels: [Int]) -> TrainingBatch {
        let inputs = batch.inputs.to(device)
        let count = batch.indices.count
        let views = inputs.shape[0] / count
        func tensor(of list: [Int]) -> Tensor {
            Tensor(batch.indices.map { list[$0] }, [count]).to(device)
        }
        return TrainingBatch(
            views: views == 1
                ? [inputs]
                : (0..<views).map { inputs.narrowed(0, from: $0 * count, count: count) },
            labels: tensor(of: labels), rows: tensor(of: rowOfMember),
            isPlain: views == 1 && isPlain, epoch: batch.epoch, step: batch.step)
    }

    /// All training samples without augmentation, in the order of their rows.
    public func trainingSet() throws(Problem) -> EvaluationSet {
        try EvaluationSet(
            data.learning, members: data.split.train, normalisation: data.normalisation,
            device: device)
    }

    /// Losses of a batch's samples, each counted by its weight.
    func weighted(_ losses: Losses, _ batch: TrainingBatch) -> Losses {
        guard let sampleWeights, spec.traits.weighsSamples else { return losses }
        return losses.weighted(by: sampleWeights.indexed(0, by: batch.rows))
    }

    // MARK: Measuring

    /// The validation and the test split.
    public func splitEvaluator() throws -> SplitEvaluator {
        try SplitEvaluator(
            validation: EvaluationSet(
                data.learning, members: data.split.validation, normalisation: data.normalisation,
                device: device),
            test: testSet(), precision: spec.compute.precision)
    }

    public func testSet() throws(Problem) -> EvaluationSet {
        try EvaluationSet(
            data.test, members: data.testMembers, normalisation: data.normalisation, device: device)
    }

    /// Scores of a frozen network on the validation and the test split.
    public func scores(_ teacher: Frozen) throws -> PhaseResult.Scores {
        let evaluator = try evaluatorOfTeachers()
        return .init(
            validation: try evaluator.validation.evaluate(
                { teacher($0) }, precision: spec.compute.precision),
            test: try evaluator.test.evaluate({ teacher($0) }, precision: spec.compute.precision))
    }

    private var shared: SplitEvaluator?

    /// Several teachers see the same tensors.
    private func evaluatorOfTeachers() throws -> SplitEvaluator {
        if let shared { return shared }
        let made = try splitEvaluator()
        shared = made
        return made
    }

    /// Share of the rows whose largest logit is that of the clean label; nil where none is known.
    ///
    /// - Parameter logits: [rows, C].
    public func cleanAgreement(_ logits: Tensor) -> Double? {
        guard let clean = cleanLabels else { return nil }
        let hits = zip(logits.argmax().ints(), clean).count { $0 == $1 }
        return Double(hits) / Double(clean.count)
    }

    // MARK: Networks to learn from

    /// The weights of a source, by their names in its network.
    public func tensors(of source: WeightSource) throws -> (ModelSpec, [String: Tensor]) {
        try weights(source)
    }

    /// A network that does not learn.
    ///
    /// A teacher from a file sees inputs as it was trained on, and its classes are brought into the order
    /// of the data's.
    ///
    /// - Parameter folding: whether batch norms are folded into the layers before them; false where they
    ///   are probed.
    public func frozen(_ source: WeightSource, folding: Bool = true) throws -> Frozen {
        let (model, tensors) = try weights(source)
        var path: String?
        var card: ModelCard?
        if case .file(let file, _, _) = source {
            (path, card) = (file, try ModelCard(ifIn: file))
            // Before a network is made: its shape and classes may be others.
            try card?.checkFits(data, file: file)
        }
        let network = try ModelRegistry.make(
            model, sampleShape: data.sampleShape, classes: data.classCount, weights: tensors,
            source: path)
        let adapter = try card?.adapt(network, to: data, file: path ?? "")
        if data.learning.isImages { network.toChannelsLast() }
        let teacher = Frozen(network, folding: folding, adapter: adapter)
        teacher.move(to: device)
        return teacher
    }

    /// What `network` makes of the plain training samples [rows, …], float32.
    public func trainingOutputs(_ network: (Tensor) -> Tensor) throws -> Tensor {
        let set = try trainingSet()
        return try Engine.checked {
            try set.finite(set.logits(network, precision: spec.compute.precision)).to(device)
        }
    }

    /// A teacher's logits of the plain training samples [rows, C], float32.
    public func trainingLogits(_ teacher: Frozen) throws -> Tensor {
        try trainingOutputs { teacher($0) }
    }
}
