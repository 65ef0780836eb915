import Diagnostics
import Distillation
import Models
import Report
import Torch

/// Deep mutual learning with any divergence: Huang, Tao, Cao, Wu, "Rényi Divergence Deep Mutual
/// Learning", 2022, arXiv 2209.05732; with KL, Zhang, Xiang, Hospedales, Lu, "Deep Mutual Learning",
/// 2017, arXiv 1706.00384.
///
///     L_i = label loss(z_i, y) + w/(K−1) Σ_{j≠i} T² D( softmax(z_j/T) ‖ softmax(z_i/T) )
///
/// for each of K peers with logits z; no gradient passes from L_i into another peer. With Rényi's
/// divergence of order 1 this is deep mutual learning, with w = 0 the peers train independently on
/// the same batches. Enters: the given labels. Learnt: all peers.
///
/// The update is simultaneous, as in the authors' code, or recomputed, as in the original's. The
/// divergence is exact: the code's clamp of probabilities at 1e-8 is not copied. The paper's tables
/// could not be had; what is known of it comes from its abstract and code.
public struct MutualLearningOptions: Codable, Equatable, Sendable {
    public var loss: LabelLoss
    /// Rényi's of order 2 if not given, as in the authors' code; .5 to 2 are the orders of its scripts, and 1 is deep
    /// mutual learning.
    public var divergence: Divergence
    /// Order of a Rényi divergence over the epochs; then `divergence` gives none.
    public var order: Ramp?
    /// w ≥ 0 over the epochs.
    public var weight: Ramp
    public var update: UpdateOrder
    /// T > 0; 1 in the papers.
    public var temperature: Double

    public init(
        loss: LabelLoss = .crossEntropy(), divergence: Divergence = .renyi(order: 2),
        order: Ramp? = nil, weight: Ramp = Ramp(1), update: UpdateOrder = .simultaneous,
        temperature: Double = 1
    ) {
        self.loss = loss
        self.divergence = divergence
        self.order = order
        self.weight = weight
        self.update = update
        self.temperature = temperature
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        loss = try values.decodeIfPresent(LabelLoss.self, forKey: .loss) ?? loss
        order = try values.decodeIfPresent(Ramp.self, forKey: .order)
        let named = try values.decodeIfPresent(Divergence.self, forKey: .divergence)
        if let order {
            try order.check("method.order", "0 or more (.inf too)") { $0 >= 0 }
            if let named {
                throw Problem.outOfRange(
                    "method.order", found: "order beside divergence \(named.label)",
                    expected: "one of the two: order is that of divergence renyi")
            }
        }
        divergence = named ?? divergence
        weight = try values.decodeIfPresent(Ramp.self, forKey: .weight) ?? weight
        try weight.check("method.weight", "weight >= 0") { $0 >= 0 && $0.isFinite }
        update = try values.decodeIfPresent(UpdateOrder.self, forKey: .update) ?? update
        temperature = try values.decodeIfPresent(Double.self, forKey: .temperature) ?? temperature
        guard temperature > 0, temperature.isFinite else {
            throw Problem.outOfRange(
                "method.temperature", found: "\(temperature)", expected: "temperature > 0")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case loss, divergence, order, weight, update, temperature
    }

    /// Without the divergence where `order` replaces it.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(loss, forKey: .loss)
        if let order {
            try values.encode(order, forKey: .order)
        } else {
            try values.encode(divergence, forKey: .divergence)
        }
        try values.encode(weight, forKey: .weight)
        try values.encode(update, forKey: .update)
        try values.encode(temperature, forKey: .temperature)
    }
}

/// Several networks that learn from the given labels and from one another.
public struct MutualLearning: Method {
    public static let name = "mutual"
    public static let summary = "trains several networks that also learn from one another"

    public var options: MutualLearningOptions
    public var peers: PeersOptions
    /// One more that the peers learn from and that does not learn; not in the paper.
    public var teacher: TeacherOptions?

    public init(
        _ options: MutualLearningOptions = .init(), peers: PeersOptions = .init(),
        teacher: TeacherOptions? = nil
    ) {
        self.options = options
        self.peers = peers
        self.teacher = teacher
    }

    private enum Keys: String, CodingKey { case teacher }

    public init(from decoder: any Decoder) throws {
        options = try MutualLearningOptions(from: decoder)
        peers = try PeersOptions(from: decoder)
        teacher = try decoder.container(keyedBy: Keys.self)
            .decodeIfPresent(TeacherOptions.self, forKey: .teacher)
    }

    public func encode(to encoder: any Encoder) throws {
        try options.encode(to: encoder)
        try peers.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encodeIfPresent(teacher, forKey: .teacher)
    }

    public var asksFor: [TeacherWeights] { teacher?.asksFor ?? [] }
    public var files: [String] { teacher?.files ?? [] }
    public func resolve(_ recipe: inout Recipe) { teacher?.method?.base.resolve(&recipe) }

    public func students(_ recipe: Recipe) -> [ModelSpec] {
        peers.models(in: recipe)
    }

    public func check(_ recipe: Recipe) throws(Problem) {
        try recipe.check(peers)
        try teacher?.check(recipe, at: "method.teacher")
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let estimation = plan.estimation(for: [options.loss])
        let (teachers, source) = try teacher.map { try plan.teacher($0) } ?? ([], nil)
        let target = Target(
            options: options, estimators: estimation.networks, teacher: source)
        let before = teachers + estimation.phases(besides: teachers)
        return before + [plan.peers(peers, target, index: before.count)]
    }

    /// The given labels, and the other peers.
    struct Target: PhaseTarget {
        static let name = "peers"
        var options: MutualLearningOptions
        /// What the label loss's transition matrix is estimated from, if it has to be.
        var estimators: [WeightSource]?
        var teacher: WeightSource?
        var sources: [WeightSource] { [teacher].compactMap(\.self) + (estimators ?? []) }
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func check(_ data: PreparedData) throws(Problem) {
            try options.loss.check(classes: data.classCount)
        }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            var options = options
            options.loss = try phase.ready(options.loss, from: estimators)
            guard let teacher else { return MutualObjective(options) }
            let frozen = try phase.frozen(teacher)
            let table = phase.isPlain ? try phase.trainingLogits(frozen) : nil
            return MutualObjective(
                options, teacher: TeacherOutputs(frozen, table: table),
                scores: try phase.scores(frozen))
        }
    }
}

public final class MutualObjective: TeacherLed {
    public let options: MutualLearningOptions
    private let teacher: TeacherOutputs?
    public let teacherScores: PhaseResult.Scores?
    private var divergence: Divergence
    private var weight: Double

    /// - Parameters:
    ///   - teacher: one more that the peers learn from.
    ///   - scores: the teacher's, for the record.
    public init(
        _ options: MutualLearningOptions = .init(), teacher: TeacherOutputs? = nil,
        scores: PhaseResult.Scores? = nil
    ) {
        self.options = options
        self.teacher = teacher
        teacherScores = scores
        divergence = options.divergence
        weight = options.weight.from
        move(to: 0, of: 1)
    }

    public var updateOrder: UpdateOrder { weight == 0 ? .simultaneous : options.update }

    public func beginEpoch(_ epoch: EpochContext) throws {
        move(to: epoch.epoch, of: epoch.epochs)
    }

    /// Sets weight and order to those of an epoch.
    public func move(to epoch: Int, of epochs: Int) {
        weight = options.weight.value(epoch: epoch, of: epochs)
        if let order = options.order {
            divergence = .renyi(order: order.value(epoch: epoch, of: epochs))
        }
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let own = outputs[learner].logits
        let label = Losses.Term(
            options.loss.name, options.loss.trainingLoss(own, labels: batch.labels))
        let others = pull(of: learner, outputs, batch)
        return Losses([label] + others.terms, metrics: others.metrics)
    }

    /// The other peers' part alone; nothing where there are none or it has no weight.
    func pull(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> (terms: [Losses.Term], metrics: [Losses.Term]) {
        guard weight != 0, outputs.count > 1 else { return ([], []) }
        let mean = withoutGradient { meanDivergence(of: learner, outputs, batch) }
        // ‖q − r‖ of §2 of the paper's convergence statement: bounded, and 0 where the peers agree.
        let pull = withoutGradient { (mean.gradient * mean.gradient).sum(-1).sqrt() }
        let term = Losses.Term(
            "divergence", weight: weight, mean.attached(to: outputs[learner].logits))
        return ([term], [.init(Self.pullName, pull)])
    }

    private static let pullName = "divergence-gradient"

    /// How strongly the other peers pull, over the epochs.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let history = try epoch.history
        let curves = epoch.learners.compactMap { learner -> Curve? in
            let values = history.map {
                $0.learners?[learner.index].metrics?[Self.pullName] ?? .nan
            }
            guard values.contains(where: \.isFinite) else { return nil }
            return Curve(name: learner.name, x: history.map { Double($0.epoch) }, mean: values)
        }
        let teachers = Section.teacher(teacherScores, of: result.name)
        guard !curves.isEmpty else { return teachers }
        let chart = CurveChart(
            title: "Pull of the other peers", xLabel: "epoch", yLabel: "length of the gradient",
            curves: curves,
            note: "Mean length of the divergence's gradient with respect to a peer's logits.")
        return teachers + [Section(title: "Mutual learning", charts: [chart])]
    }

    /// Mean over the other peers, and the teacher where there is one.
    private func meanDivergence(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> LogitLoss {
        let own = outputs[learner].logits.logProbabilities(temperature: options.temperature)
        let others =
            outputs.indices.filter { $0 != learner }.map { outputs[$0].logits }
            + [teacher?.logits(for: batch)].compactMap(\.self)
        var sum: LogitLoss?
        for logits in others {
            let peer = logits.logProbabilities(temperature: options.temperature)
            let loss = divergence(peer: peer, own: own)
            sum = sum.map { $0 + loss } ?? loss
        }
        let mean = others.count == 1 ? sum! : sum! * (1 / Double(others.count))
        return mean.rescaled(options.temperature)
    }
}

extension MutualLearning {
    /// Its gain where samples are few was not shown beyond chance, nor that it does not help elsewhere.
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let perClass = facts.samples / max(1, facts.classes)
        return MethodAdvice(
            .open,
            because: "\(perClass) training samples per class; \(facts.gapPhrase)",
            changes: ["method={name: mutual, peers: 2}"])
    }
}
