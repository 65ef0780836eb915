import Diagnostics
import Distillation
import Randomness
import Report
import Torch

/// Latent class-conditional noise model (LCCN): Yao, Han, Zhou, Zhang, Tsang, "Latent
/// Class-Conditional Noise Model", 2023, arXiv 2302.09595.
///
///     T_ky = (n_ky + α) / Σ_y' (n_ky' + α)              n_ky: samples of latent class k and given label y
///     P(k | x_i, y_i) ∝ p_k(x_i) T_{k y_i}              draw the latent class z_i from it
///     n_{old z_i, y_i} −= 1,   n_{new z_i, y_i} += 1
///     L = (1/N) Σ_i −log p_{z_i}(x_i)
///
/// The network learns the latent classes, which explain the given labels by way of T. They begin as the
/// predictions of a network that was trained with cross-entropy on the given labels, which is then trained on.
/// T is renewed from the counts every `refresh` steps. In the first steps, while the counts settle, a T is used
/// that is estimated beforehand: T_ky ∝ Σ_{i: y_i = y} p_k(x_i).
/// Enters: the given labels. Learnt: the student, and T. Kept: the latent class of each sample, the counts and T.
/// Deviations: classes are drawn by the inverse of the cumulated probabilities and one uniform number for each
/// sample and epoch; `warm-up` is in epochs, as the paper's 20,000 steps are 51 epochs of CIFAR in batches of 128
/// and more than most runs have.
public struct LCCNOptions: Codable, Equatable, Sendable {
    /// α > 0, added to every count. 1 is the paper's.
    public var alpha: Double
    /// Steps after which T is renewed, at least 1. 200 is the paper's.
    public var refresh: Int
    /// Epochs with the T that was estimated beforehand, at least 0. 20 is at most the paper's 20,000 steps where
    /// an epoch has a thousand of them.
    public var warmUp: Int
    /// Which weights of the network that is trained first.
    public var weights: TeacherWeights

    public init(
        alpha: Double = 1, refresh: Int = 200, warmUp: Int = 20, weights: TeacherWeights = .selected
    ) {
        self.alpha = alpha
        self.refresh = refresh
        self.warmUp = warmUp
        self.weights = weights
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case alpha, refresh, weights
        case warmUp = "warm-up"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        alpha = try values.number(.alpha, or: alpha, "above 0") { $0 > 0 }
        refresh = try values.count(.refresh, or: refresh, in: 1...1_000_000_000)
        warmUp = try values.count(.warmUp, or: warmUp, in: 0...100_000)
        weights = try values.decodeIfPresent(TeacherWeights.self, forKey: .weights) ?? weights
    }
}

/// T [C, C] from counts [C, C]: rows that sum to 1.
public func latentTransition(counts: Tensor, alpha: Double) -> Tensor {
    let raised = counts + alpha
    return raised / raised.sum(-1, keep: true)
}

/// P(k | x_i, y_i) [N, C], without gradient.
///
/// - Parameters:
///   - transition: T [C, C], T[k][y].
///   - labels: given classes [N], int64.
public func latentPosterior(_ logits: Logits, transition: Tensor, labels: Tensor) -> Tensor {
    withoutGradient {
        let p = logits.detached.probabilities().tensor  // [N, C]
        let own = transition.to(p.dtype).transposed().indexed(0, by: labels)  // T[·][y_i], [N, C]
        let product = p * own
        return product / product.sum(-1, keep: true).clamped(1e-30, nil)
    }
}

/// The first class whose cumulated probability is above the uniform number of its row.
///
/// - Parameters:
///   - posterior: [N, C] on the CPU, rows that sum to 1.
///   - uniforms: [N], each in [0, 1).
public func latentClasses(_ posterior: Tensor, uniforms: [Double]) -> [Int] {
    let (values, classes) = (posterior.doubles(), posterior.shape[1])
    return uniforms.enumerated().map { i, uniform in
        var sum = 0.0
        var last = 0
        for k in 0..<classes {
            let p = values[i * classes + k]
            sum += p
            if sum > uniform { return k }
            // Rounding may leave the sum below the number: then the last class that is possible.
            if p > 0 { last = k }
        }
        return last
    }
}

/// A network that is trained with cross-entropy, then on latent classes that explain the given labels.
public struct LCCN: Method {
    public static let name = "lccn"
    public static let summary =
        "trains on classes that are drawn anew, given labels being their noisy copies (LCCN)"

    public var options: LCCNOptions

    public init(_ options: LCCNOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try LCCNOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public var asksFor: [TeacherWeights] { [options.weights] }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        let first = plan.phase("start", 0, CrossEntropy.Target())
        return [
            first,
            plan.phase(
                "student", 1, Target(options: options),
                start: .phase(key: first.key, options.weights)),
        ]
    }

    /// Classes that are drawn by what the network predicts and by which label was given.
    struct Target: PhaseTarget {
        static let name = "lccn"
        var options: LCCNOptions
        var traits: PhaseTraits { PhaseTraits(weighsSamples: true) }

        func objective(_ phase: PhaseContext) throws -> any Objective {
            LCCNObjective(
                options, labels: phase.givenLabels, classes: phase.classes, seed: phase.seed,
                device: phase.device)
        }
    }
}

public final class LCCNObjective: Objective {
    public let options: LCCNOptions
    /// z of each sample [samples], int64, by row of the training split.
    public let latent: Rows
    /// n [C, C], float64.
    public let counts: Tensor
    /// T that is used, and the one of the beginning [C, C], float64.
    public let transition: Tensor
    private let firstTransition: Tensor
    /// 1 once the latent classes have their first values.
    private let isReady = Tensor([0], [1])
    private let labels: [Int]
    private let classes: Int
    private var seed: UInt64
    private var stepsPerEpoch = 1

    /// - Parameters:
    ///   - labels: given ones, by row.
    ///   - seed: of the draws.
    public init(
        _ options: LCCNOptions = .init(), labels: [Int], classes: Int, seed: UInt64,
        device: Device = .cpu
    ) {
        self.options = options
        self.labels = labels
        self.classes = classes
        self.seed = seed
        latent = Rows("latent", Tensor(labels, [labels.count]).to(device))
        counts = .zeros([classes, classes], dtype: .float64)
        transition = .full([classes, classes], 1 / Double(classes), dtype: .float64)
        firstTransition = .full([classes, classes], 1 / Double(classes), dtype: .float64)
    }

    public var state: [NamedTensor] {
        latent.state + [
            ("counts", counts), ("transition", transition), ("first-transition", firstTransition),
            ("ready", isReady),
        ]
    }

    public func dropRandomState() { seed ^= 0xdead_beef }

    /// The predictions of the network that was trained first.
    public func begin(_ epoch: EpochContext) throws {
        guard isReady.item == 0 else { return }
        let learner = epoch.learners[0]
        try start(from: epoch.phase.trainingOutputs { learner.network($0, mode: .eval) })
        let agree = Double(zip(latent.all.ints(), labels).count { $0 == $1 })
        epoch.note(
            "\(percent(agree / Double(labels.count))) of the latent classes are the given labels")
    }

    /// - Parameter logits: of all training samples, by row [samples, C].
    func start(from logits: Tensor) {
        let p = Logits(logits.to(.cpu)).probabilities().tensor.to(.float64)  // [N, C]
        let first = p.argmax().ints()
        latent.all.copy(from: Tensor(first, [first.count]))
        var n = [Double](repeating: 0, count: classes * classes)
        for (k, y) in zip(first, labels) { n[k * classes + y] += 1 }
        counts.copy(from: Tensor(n, [classes, classes]))
        let given = Tensor(labels, [labels.count]).oneHot(classes).to(.float64)
        let sums = p.transposed().matmul(given) + 1e-12  // [C, C]: Σ p_k over samples of label y
        firstTransition.copy(from: sums / sums.sum(-1, keep: true))
        isReady.fill(1)
        transition.copy(from: current(step: 0, epoch: 0))
    }

    private func current(step: Int, epoch: Int) -> Tensor {
        epoch < options.warmUp
            ? firstTransition : latentTransition(counts: counts, alpha: options.alpha)
    }

    public func beginEpoch(_ epoch: EpochContext) throws { stepsPerEpoch = epoch.stepsPerEpoch }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        let logits = outputs[learner].logits
        let step = batch.epoch * stepsPerEpoch + batch.step
        // At the end of the warm-up, too: the counts take over at once.
        let isDue =
            step % options.refresh == 0 || (batch.epoch == options.warmUp && batch.step == 0)
        if isDue { transition.copy(from: current(step: step, epoch: batch.epoch)) }
        let posterior = latentPosterior(
            logits, transition: transition.to(logits.tensor.device), labels: batch.labels)
        let rows = batch.rows.ints()
        let uniforms = rows.map { row in
            var draw = Draw(seed: seed, .latentClasses, epoch: batch.epoch, sample: row)
            return draw.uniform()
        }
        let drawn = latentClasses(posterior.to(.cpu), uniforms: uniforms)
        move(rows, from: latent.read(batch.rows).ints(), to: drawn)
        let targets = Tensor(drawn, [drawn.count]).to(batch.labels.device)
        latent.write(batch.rows, targets)
        let isGiven = targets.equal(batch.labels).to(.float64)
        return Losses(
            [.init("cross-entropy", crossEntropy(logits, labels: targets))],
            metrics: [.init("given-classes", isGiven)])
    }

    func move(_ rows: [Int], from old: [Int], to new: [Int]) {
        var n = counts.doubles()
        for (i, row) in rows.enumerated() {
            n[old[i] * classes + labels[row]] -= 1
            n[new[i] * classes + labels[row]] += 1
        }
        counts.copy(from: Tensor(n, [classes, classes]))
    }

    /// The latent classes, and T.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let own = latent.all.ints()
        let right = epoch.phase.cleanLabels
        let others = Double(zip(own, labels).count { $0 != $1 }) / Double(max(1, labels.count))
        let hits = right.map { right in
            Double(zip(own, right).count { $0 == $1 }) / Double(max(1, right.count))
        }
        let values = latentTransition(counts: counts, alpha: options.alpha).doubles()
        let names = epoch.phase.data.learning.classNames
        return [
            Section(
                title: "Latent classes",
                findings: [
                    "\(percent(others)) of the latent classes are others than the given labels"
                        + (hits.map { "; \(percent($0)) of all are right" } ?? "") + "."
                ],
                heatMaps: [
                    HeatMap(
                        title: "P(given label | latent class)", rowLabels: names,
                        columnLabels: names,
                        values: (0..<classes).map { k in
                            Array(values[k * classes..<(k + 1) * classes])
                        }, format: .percent(1), rowAxis: "latent class", columnAxis: "given label",
                        maximum: 1)
                ],
                values: [
                    .init("other-labels", "other classes", others, .percent(1)),
                    .init(
                        "right-suggestions", "right classes", hits, .percent(1),
                        largerIsBetter: true),
                ],
                columns: [.init(name: "suggested", cells: own.map(String.init))])
        ]
    }
}

extension LCCN {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .notMeasured(facts, changes: ["method={name: lccn, warm-up: \(min(20, facts.epochs / 3))}"])
    }
}
