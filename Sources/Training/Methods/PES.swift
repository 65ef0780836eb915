import Datasets
import Diagnostics
import Distillation
import Models
import Neural
import Randomness
import Report
import Torch

/// Progressive early stopping with confident samples, PES(cs): Bai, Yang, Han, Yang, Li, Mao, Niu, Liu,
/// "Understanding and Improving Early Stopping for Learning with Noisy Labels", 2021, arXiv 2106.15853.
///
///     start      T_1 epochs of cross-entropy on the given labels
///     refined-1  last block and classifier are drawn anew and trained for T_2 epochs, the rest is held fixed
///     refined-2  the classifier is drawn anew and trained for T_3 epochs, the rest is held fixed
///     student    before each epoch: C = the samples whose label the network predicts, by the mean over two
///                versions of each; then Σ_{i ∈ C} w_{y_i} ℓ_i / Σ_{i ∈ C} w_{y_i} in each batch,
///                w_k = mean(n) / n_k with n_k the samples of C of given class k
///
/// Later layers memorise first, so that they are stopped earlier: they are trained last, and shortly.
/// Enters: the given labels. Learnt: the student. Kept: which samples are confident.
/// Deviations: a block is the group of tensors that share the beginning of their names, such as `layer3.2`; the
/// last phase has the optimizer and schedule of the recipe anew. As in the authors' code, batch norms of layers
/// that are held fixed go on taking statistics. PES(semi), which goes on as MixMatch, is not here.
public struct PESOptions: Codable, Equatable, Sendable {
    /// T_1, at least 1: 25 is the paper's for ten classes, 30 for a hundred, of 200 epochs in all.
    public var warmUp: Int
    /// T_2, at least 0; 0 leaves that phase out. 7 is the paper's.
    public var blockEpochs: Int
    /// T_3, at least 0; 0 leaves that phase out. 5 is the paper's.
    public var classifierEpochs: Int
    /// Of Adam in these two phases, above 0. 1e-4 is the paper's.
    public var learningRate: Double
    /// The two versions of a sample by which it is confident or not.
    public var views: ViewOptions

    public init(
        warmUp: Int = 25, blockEpochs: Int = 7, classifierEpochs: Int = 5,
        learningRate: Double = 1e-4, views: ViewOptions = .init()
    ) {
        self.warmUp = warmUp
        self.blockEpochs = blockEpochs
        self.classifierEpochs = classifierEpochs
        self.learningRate = learningRate
        self.views = views
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case views
        case warmUp = "warm-up"
        case blockEpochs = "block-epochs"
        case classifierEpochs = "classifier-epochs"
        case learningRate = "refine-learning-rate"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        warmUp = try values.count(.warmUp, or: warmUp, in: 1...100_000)
        blockEpochs = try values.count(.blockEpochs, or: blockEpochs, in: 0...100_000)
        classifierEpochs = try values.count(
            .classifierEpochs, or: classifierEpochs, in: 0...100_000)
        learningRate = try values.number(.learningRate, or: learningRate, "above 0") { $0 > 0 }
        views = try values.decodeIfPresent(ViewOptions.self, forKey: .views) ?? views
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(warmUp, forKey: .warmUp)
        try values.encode(blockEpochs, forKey: .blockEpochs)
        try values.encode(classifierEpochs, forKey: .classifierEpochs)
        try values.encode(learningRate, forKey: .learningRate)
        if views != ViewOptions() { try values.encode(views, forKey: .views) }
    }
}

/// mean(n) / n_k for each class [classes], over the classes that there are; 0 for a class without a sample.
func inverseFrequencies(labels: [Int], classes: Int) -> [Double] {
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    let mean = Double(labels.count) / Double(max(1, classes))
    return counts.map { $0 == 0 ? 0 : mean / Double($0) }
}

/// ℓ_i w_i B / Σ_j w_j per sample [B]: values whose mean is the weighted mean of the losses.
func weightedLosses(_ losses: Tensor, weights: Tensor) -> Tensor {
    losses * (weights * (Double(losses.count) / max(weights.sum().item, 1e-12)))
}

/// A network whose last parts are drawn anew after a short training, then one that learns from the samples of
/// which it is confident.
public struct PES: Method {
    public static let name = "pes"
    public static let summary =
        "trains early layers shortly and later ones more shortly, then on confident samples (PES)"

    public var options: PESOptions

    public init(_ options: PESOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try PESOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func check(_ recipe: Recipe) throws(Problem) {
        try recipe.check(warmUp: options.warmUp)
    }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let recipe = plan.recipe
        var first = plan.phase("start", 0, CrossEntropy.Target())
        first.training.epochs = options.warmUp
        var phases = [first]
        let parts = [(1, options.blockEpochs), (0, options.classifierEpochs)]
        for (number, (blocks, epochs)) in parts.enumerated() where epochs > 0 {
            var phase = plan.phase(
                "refined-\(number + 1)", number + 1, RefineTarget(blocks: blocks),
                learners: [
                    LearnerSpec(
                        model: recipe.model, optimizer: .adam(learningRate: options.learningRate),
                        schedule: Schedule(.constant))
                ],
                start: .phase(key: phases.last!.key, .last), isGuided: false)
            phase.training.epochs = epochs
            // An average would begin with the parts that are drawn anew.
            phase.training.ema = 0
            phases.append(phase)
        }
        var student = plan.phase(
            "student", 3, Target(options: options), start: .phase(key: phases.last!.key, .last))
        student.training.epochs = recipe.later.epochs ?? recipe.training.epochs - options.warmUp
        return phases + [student]
    }

    /// The given labels, with the last parts drawn anew and all others held fixed.
    struct RefineTarget: PhaseTarget {
        static let name = "pes-refined"
        /// Drawn anew beside the classifier.
        var blocks: Int
        var traits: PhaseTraits { PhaseTraits(keepsBest: false) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            refresh(phase.learners[0].network, blocks: blocks, seed: phase.seed, phase.device)
            return CrossEntropyObjective()
        }
    }

    /// The given labels of confident samples.
    struct Target: PhaseTarget {
        static let name = "pes"
        var options: PESOptions

        func objective(_ phase: PhaseContext) throws -> any Objective {
            try PESObjective(options, phase)
        }
    }
}

/// The names of the tensors of the classifier and of the last blocks before it.
func lastParts(of network: any Classifier, blocks count: Int) -> Set<String> {
    let head = network.head.state.map(\.tensor)
    var names: Set<String> = []
    var blocks: [String] = []
    func block(_ name: String) -> String {
        let parts = name.split(separator: ".")
        let isNumbered = parts.count > 2 && Int(parts[1]) != nil
        return parts.prefix(isNumbered ? 2 : 1).joined(separator: ".")
    }
    for (name, tensor) in network.state {
        if head.contains(where: { $0 === tensor }) {
            names.insert(name)
        } else if blocks.last != block(name) {
            blocks.append(block(name))
        }
    }
    let last = Set(blocks.suffix(count))
    return names.union(network.state.map(\.name).filter { last.contains(block($0)) })
}

/// Draws the last parts of a network anew, and holds all others fixed.
private func refresh(_ network: any Classifier, blocks: Int, seed: UInt64, _ device: Device) {
    let names = lastParts(of: network, blocks: blocks)
    var draw = Draw(seed: seed, .initialisation, step: 4)
    let fresh = network.fresh(generator: Generator(seed: draw.next()))
    withoutGradient {
        for (own, other) in zip(network.state, fresh.state) where names.contains(own.name) {
            own.tensor.copy(from: other.tensor.to(device))
        }
    }
    for (name, tensor) in network.parameters where !names.contains(name) {
        tensor.requiresGrad = false
    }
}

final class PESObjective: Objective {
    private let phase: PhaseContext
    private let given: [Int]
    /// 1 for the confident samples of the present epoch [samples], int64, by row of the training split.
    let confident: Rows
    private let twice: BatchPlan
    private var weights: Tensor
    private var isOtherSeed = false

    init(_ options: PESOptions, _ phase: PhaseContext) throws {
        self.phase = phase
        given = phase.givenLabels
        confident = Rows("confident", .ones([phase.rows], dtype: .int64))
        let version = phase.version(options.views)
        twice = try phase.plan(versions: [version, version])
        weights = .ones([phase.classes], device: phase.device)
    }

    var state: [NamedTensor] { confident.state }

    func dropRandomState() { isOtherSeed = true }

    func beginEpoch(_ epoch: EpochContext) throws {
        // Where a run resumes inside the epoch, its samples are in the checkpoint.
        if epoch.stepInEpoch == 0 { try choose(epoch) }
        let rows = confident.all.ints()
        let members = rows.indices.filter { rows[$0] == 1 }
        weights = Tensor(
            inverseFrequencies(labels: members.map { given[$0] }, classes: phase.classes),
            [phase.classes]
        ).to(.float32).to(phase.device)
        try epoch.use(members: members.map { phase.data.split.train[$0] })
    }

    private func choose(_ epoch: EpochContext) throws {
        let network = epoch.learners[0].network
        let plan = isOtherSeed ? twice.with(seed: twice.seed ^ 0xdead_beef) : twice
        var chosen = [Int](repeating: 0, count: given.count)
        for step in 0..<plan.stepsPerEpoch {
            let own = plan.batch(epoch: epoch.epoch, step: step)
            let batch = phase.batch(own, labels: epoch.learners[0].labels)
            let predictions = try Engine.checked {
                withoutGradient {
                    withPrecision(phase.spec.compute.precision, on: phase.device) {
                        meanPrediction(
                            batch.views.map {
                                Logits(network($0, mode: .eval)).probabilities().tensor
                            }
                        ).argmax().ints()
                    }
                }
            }
            for (row, prediction) in zip(batch.rows.ints(), predictions)
            where prediction == given[row] { chosen[row] = 1 }
        }
        let count = chosen.reduce(0, +)
        guard count > 1 else {
            epoch.note("\(count) samples are confident: those of the epoch before are taken")
            return
        }
        let lost =
            Set(given).count
            - Set(chosen.indices.filter { chosen[$0] == 1 }.map { given[$0] }).count
        if lost > 0 { epoch.note("no sample is confident of \(lost) given classes") }
        confident.all.copy(from: Tensor(chosen, [chosen.count]))
    }

    func losses(of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch) -> Losses {
        let values = crossEntropy(outputs[learner].logits, labels: batch.labels)
        let own = weights.indexed(0, by: batch.labels)
        return Losses(.init("cross-entropy", weightedLosses(values, weights: own)))
    }

    func endEpoch(_ epoch: EpochContext) throws -> [String: Double] {
        let rows = confident.all.ints()
        let count = rows.reduce(0, +)
        var metrics = ["confident": Double(count) / Double(max(1, rows.count))]
        if let clean = phase.cleanLabels {
            let right = rows.indices.count { rows[$0] == 1 && given[$0] == clean[$0] }
            metrics["label-precision"] = Double(right) / Double(max(1, count))
        }
        return metrics
    }

    func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let rows = confident.all.ints()
        let history = try epoch.history
        let shares = history.compactMap { $0.metrics?["confident"] }
        let precision = history.compactMap { $0.metrics?["label-precision"] }
        return [
            Section(
                title: "Confident samples",
                findings: [
                    "In the last epoch \(percent(shares.last ?? 1)) of the training samples were confident"
                        + (precision.last.map { "; \(percent($0)) of their labels are right" } ?? "")
                        + "."
                ],
                values: [
                    .init("confident", "confident", shares.last, .percent(1)),
                    .init(
                        "label-precision", "right labels", precision.last, .percent(1),
                        largerIsBetter: true),
                ], columns: [.init(name: "confident", cells: rows.map(String.init))])
        ]
    }
}

extension PES {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        let warmUp = max(1, facts.epochs / 4)
        guard facts.epochs > warmUp else {
            return MethodAdvice(.doesNot, because: "there is no epoch left after its warm-up")
        }
        return .notMeasured(
            facts,
            changes: [
                "method={name: pes, warm-up: \(warmUp), block-epochs: 2, classifier-epochs: 2}"
            ])
    }
}
