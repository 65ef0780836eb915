import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Randomness
import Report
import Torch

/// Any objective, with the relation terms of an encoder added to its losses.
///
/// The base objective is unchanged. The terms are added for the whole batch, before whatever selection
/// of samples the base makes, for each learner from its own features. The encoder's features are
/// those of the very inputs that the student sees.
public final class RelationGuided: Objective {
    public let base: any Objective
    public let options: RelationGuidance
    private let encoder: EncoderFeatures
    /// φ of each learner; nil where it is the identity.
    private let projections: [Linear?]
    private let queue: FeatureQueue?
    private let wrongLabels: [WrongLabelProbability]
    private var weight: Double

    /// - Parameters:
    ///   - features: D_S of each learner, in order.
    ///   - rows: samples of the training split.
    ///   - seed: of φ's first weights.
    public init(
        _ base: any Objective, _ options: RelationGuidance, encoder: EncoderFeatures,
        features: [Int], rows: Int, seed: UInt64, device: Device = .cpu
    ) {
        self.base = base
        self.options = options
        self.encoder = encoder
        projections = features.enumerated().map { learner, dimension in
            guard options.needsProjection, dimension != encoder.dimension else { return nil }
            var draw = Draw(seed: seed, .initialisation, step: 1, sample: learner)
            let linear = Linear(
                dimension, encoder.dimension, generator: Generator(seed: draw.next()))
            linear.move(to: device)
            return linear
        }
        if case .queue(let size, _, _)? = options.edge {
            queue = FeatureQueue(size: size, dimension: encoder.dimension, device: device)
        } else {
            queue = nil
        }
        wrongLabels =
            options.rows == .likelyWrong
            ? features.map { _ in WrongLabelProbability(rows: rows, device) } : []
        weight = options.weight(epoch: 0)
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let own = base.losses(of: learner, outputs, batch)
        // Cosines over a temperature of .1 need more digits than bfloat16 has.
        let terms = withPrecision(.float32, on: batch.inputs.device) {
            relationTerms(of: learner, outputs, batch)
        }
        return Losses(own.terms + terms, metrics: own.metrics)
    }

    private func relationTerms(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> [Losses.Term] {
        let output = outputs[learner]
        let projection = projections[learner]
        let input = RelationInput(
            output, encoder: encoder.features(for: batch),
            projection: projection.map { p in { p($0) } })
        let compared = options.centre ? input.centred : input
        let share = wrongLabels.isEmpty ? nil : wrongLabels[learner].shares(of: batch.rows)
        if !wrongLabels.isEmpty { wrongLabels[learner].note(output.logits, batch) }
        func weighted(_ values: Tensor) -> Tensor { share.map { values * $0 } ?? values }
        var terms: [Losses.Term] = []
        if let edge = options.edge {
            let values = edge(compared, queue: queue?.content)
            terms.append(.init("edge", weight: weight, weighted(values)))
        }
        if let node = options.node {
            terms.append(
                .init("node", weight: weight * options.nodeWeight, weighted(node(input))))
        }
        // Once a step: every learner compares with the same queue.
        if learner == outputs.count - 1 { queue?.append(compared.encoder.normalisedRows()) }
        return terms
    }

    public func batches(_ phase: PhaseContext) throws -> Batches { try base.batches(phase) }
    public func evaluator(_ phase: PhaseContext) throws -> any PhaseEvaluator {
        try base.evaluator(phase)
    }
    public func begin(_ epoch: EpochContext) throws { try base.begin(epoch) }

    public func beginEpoch(_ epoch: EpochContext) throws {
        try base.beginEpoch(epoch)
        move(to: epoch.epoch)
    }

    /// Sets κ and the weights of rows to those of an epoch.
    public func move(to epoch: Int) {
        weight = options.weight(epoch: epoch)
        for each in wrongLabels { each.begin(epoch: epoch) }
    }

    public func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        try base.endEpoch(epoch)
    }
    public func finish(_ epoch: EpochContext) throws { try base.finish(epoch) }
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        try base.sections(of: result, epoch)
    }
    public var pieces: Int { base.pieces }
    public func record() throws -> JSON? { try base.record() }
    public func restore(_ record: JSON?, from checkpoint: String?) throws(Problem) {
        try base.restore(record, from: checkpoint)
    }
    public func didSave() throws(Problem) { try base.didSave() }
    public func dropRandomState() { base.dropRandomState() }

    public var updateOrder: UpdateOrder { base.updateOrder }

    /// φ: trained with the learner's own optimizer.
    public func parameters(of learner: Int) -> [(name: String, tensor: Tensor)] {
        base.parameters(of: learner)
            + (projections[learner]?.parameters.map { ("relation.\($0.name)", $0.tensor) } ?? [])
    }

    public var state: [(name: String, tensor: Tensor)] {
        var state = base.state + (queue?.state ?? [])
        for (learner, projection) in projections.enumerated() {
            state +=
                projection?.state.map { ("relation.\(learner).projection.\($0.name)", $0.tensor) }
                ?? []
        }
        for (learner, each) in wrongLabels.enumerated() {
            state += each.state.map { ("relation.\(learner).\($0.name)", $0.tensor) }
        }
        return state
    }

    /// The probability that the label is wrong, for each row of the training split: the present weights of
    /// the rows; nil where rows are not weighted.
    public func wrongLabelProbabilities(of learner: Int) -> [Float]? {
        wrongLabels.isEmpty ? nil : wrongLabels[learner].current
    }
}

extension RelationGuided {
    /// Whatever another target learns towards, guided by the relations of an encoder.
    struct Target: PhaseTarget {
        static let name = "guided-by-relations"
        var base: AnyTarget
        var guidance: RelationGuidance
        var encoder: WeightSource

        var sources: [WeightSource] { base.base.sources + [encoder] }
        var traits: PhaseTraits {
            var traits = base.base.traits
            traits.isBaseline = false
            // Terms of an edge compare samples with one another.
            traits.weighsSamples = false
            return traits
        }
        var mustGainOn: WeightSource? { base.base.mustGainOn }
        func check(_ data: PreparedData) throws(Problem) {
            guard !traits.hasOwnStep else { throw .relationsNeedLosses(type(of: base.base).name) }
            try base.base.check(data)
        }
        func prepared(_ data: PreparedData) throws(Problem) -> PreparedData {
            try base.base.prepared(data)
        }
        func stepsPerEpoch(samples: Int, batch: Int) -> Int {
            base.base.stepsPerEpoch(samples: samples, batch: batch)
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            let own = try base.base.objective(phase)
            let frozen = try phase.frozen(encoder)
            // Without augmentation the encoder sees the same inputs every epoch: once is enough.
            let table = phase.isPlain ? try phase.trainingOutputs { frozen.features($0) } : nil
            return RelationGuided(
                own, guidance, encoder: EncoderFeatures(frozen, table: table),
                features: phase.learners.map(\.network.head.inputs), rows: phase.rows,
                seed: phase.seed, device: phase.device)
        }
    }
}

/// The encoder's features [N, D_R] of whatever batch the student sees, float32, without gradient.
public final class EncoderFeatures {
    /// D_R
    public let dimension: Int
    private let encoder: Frozen
    private let table: Tensor?
    /// Of the batch asked for last: several learners see the same.
    private var latest: (inputs: Tensor, features: Tensor)?

    /// - Parameter table: features [rows of the training split, D_R] of plain inputs; nil to ask the
    ///   encoder for every batch.
    public init(_ encoder: Frozen, table: Tensor? = nil) {
        self.encoder = encoder
        self.table = table
        dimension = encoder.featureCount
    }

    public func features(for batch: TrainingBatch) -> Tensor {
        if let table, batch.isPlain { return table.indexed(0, by: batch.rows) }
        if let latest, latest.inputs === batch.inputs { return latest.features }
        let features = encoder.features(batch.inputs).to(.float32)
        latest = (batch.inputs, features)
        return features
    }
}

/// The probability that each sample's given label is wrong, for one learner.
private final class WrongLabelProbability {
    /// Cross-entropy of each row when it was last seen; not-a-number before.
    private let losses: Rows
    /// The probability that the label is wrong.
    private let shares: Rows
    /// The epoch that `shares` was made for, int64 [1].
    private let epoch = Tensor([0], [1])

    init(rows: Int, _ device: Device) {
        losses = Rows("losses", count: rows, value: .nan, device: device)
        shares = Rows("wrong-probability", count: rows, value: 1, device: device)
    }

    func shares(of rows: Tensor) -> Tensor { shares.read(rows) }

    var current: [Float] { shares.all.floats() }

    func note(_ logits: Logits, _ batch: TrainingBatch) {
        withoutGradient {
            losses.write(batch.rows, crossEntropy(logits, labels: batch.labels).to(.float32))
        }
    }

    /// Once an epoch, also where a run resumes inside one: its shares are then in the checkpoint.
    func begin(epoch: Int) {
        guard epoch > 0, self.epoch.ints() != [epoch] else { return }
        let values = losses.all.doubles()
        let known = values.indices.filter { values[$0].isFinite }
        let mixture = TwoGaussians(known.map { values[$0] })
        var shares = [Float](repeating: 1, count: values.count)
        for (i, row) in known.enumerated() { shares[row] = Float(1 - mixture.lower[i]) }
        self.shares.all.copy(from: Tensor(shares, [shares.count]))
        self.epoch.copy(from: Tensor([epoch], [1]))
    }

    var state: [(name: String, tensor: Tensor)] {
        losses.state + shares.state + [("wrong-probability-epoch", epoch)]
    }
}
