import Diagnostics
import Distillation
import Foundation
import Randomness
import Report
import Torch

/// NCOD: Wani, Bucarelli, Silvestri, "Learning with Noisy Labels through Learnable Weighting and Centroid
/// Similarity", 2023, arXiv 2303.09470.
///
///     φ_i: the features of sample i, of length 1.   ν_c: the centroid of class c, of length 1
///     s_i = max(⟨φ_i, ν_{y_i}⟩, 0)                                        how much the label looks right
///     L1  = −s_i log clip(p_{i,y_i} + u_i, 1e-4, 1)                        u_i a constant here
///     L2  = ‖h_i + u_i e_{y_i} − e_{y_i}‖²                                 h_i: the predicted class, one-hot
///     L   = (1/N) Σ_i (L1 + L2)
///
/// u_i is a number per sample that grows where the network keeps predicting another class than the label. It is
/// learnt by SGD without momentum or decay, at a constant rate, in the rows of the batch only; from L2 alone, and
/// the network from L1 alone.
/// ν_c is, before each epoch e of E, the mean of the stored features of the given class c over the
/// ⌈100 − 50 e/E⌉ % of its samples with the smallest u, at least one: all of them at first, half in the end.
/// Enters: the given labels. Learnt: the student and u. Kept: u, the features of each sample when it was last
/// seen, and the centroids.
/// Deviations: s_i is 1 in the first epoch, in which no features are known yet; the authors' code has centroids of
/// random numbers there. E is the number of epochs of the phase, not 150. NCOD+, with two views, is not here.
public struct NCODOptions: Codable, Equatable, Sendable {
    /// Learning rate of u, at least 0. .1 is the paper's for all its data sets.
    public var rateOfU: Double
    /// Mean and ten times the standard deviation of u at first, at least 0. 1e-8 is the paper's.
    public var start: Double

    public init(rateOfU: Double = 0.1, start: Double = 1e-8) {
        self.rateOfU = rateOfU
        self.start = start
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case start
        case rateOfU = "learning-rate-u"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        rateOfU = try values.number(.rateOfU, or: rateOfU, "0 or more") { $0 >= 0 }
        start = try values.number(.start, or: start, "0 to 1") { (0...1).contains($0) }
    }

    /// Percent of a class whose features make its centroid.
    ///
    /// - Parameter epoch: from 0.
    static func percent(epoch: Int, of epochs: Int) -> Int {
        Int((100 - 50 * Double(epoch) / Double(max(1, epochs))).rounded(.up))
    }
}

/// Both terms, one value per sample [N].
///
/// - Parameters:
///   - labels: classes [N], int64.
///   - similarity: s [N], a constant.
///   - u: [N]; gradients flow to it from the second term only.
public func ncodLosses(
    _ logits: Logits, labels: Tensor, similarity: Tensor, u: Tensor
) -> (label: Tensor, squares: Tensor) {
    let p = logits.probabilities().tensor  // [N, C]
    let y = labels.oneHot(p.shape[1]).to(p.dtype)  // [N, C]
    let own = (p * y).sum(-1) + u.detached()  // [N]
    let h = p.argmax().oneHot(p.shape[1]).to(p.dtype)  // [N, C]
    let rest = h + y * u.unsqueezed(1) - y
    return (-(own.clamped(1e-4, 1).log() * similarity), (rest * rest).sum(-1))
}

/// max(⟨φ_i, ν_{y_i}⟩, 0) per sample [N], without gradient.
///
/// - Parameters:
///   - features: [N, D], of any length.
///   - centroids: [C, D], of length 1.
public func centroidSimilarity(_ features: Tensor, _ centroids: Tensor, labels: Tensor) -> Tensor {
    withoutGradient {
        let own = centroids.indexed(0, by: labels)  // [N, D]
        return (unitRows(features.to(own.dtype)) * own).sum(-1).clamped(0, nil)
    }
}

/// Rows of length 1; a row of zeros stays one.
func unitRows(_ x: Tensor) -> Tensor { x / x.norm(-1, keep: true).clamped(1e-12, nil) }

/// Which samples of each given class make its centroid: the `percent` percent with the smallest u, of equal ones
/// the first, at least one.
///
/// - Returns: rows by class; empty for a class without a sample.
func centroidMembers(u: [Double], labels: [Int], classes: Int, percent: Int) -> [[Int]] {
    var members = [[Int]](repeating: [], count: classes)
    for (row, label) in labels.enumerated() { members[label].append(row) }
    return members.map { rows in
        let count = rows.isEmpty ? 0 : max(1, rows.count * percent / 100)
        return rows.sorted { (u[$0], $0) < (u[$1], $1) }.prefix(count).sorted()
    }
}

/// Training on the given labels as far as features and predictions bear them out.
public struct NCOD: Method {
    public static let name = "ncod"
    public static let summary =
        "trains on the given labels as far as features of their class and a learnt number bear them out"

    public var options: NCODOptions

    public init(_ options: NCODOptions = .init()) { self.options = options }

    public init(from decoder: any Decoder) throws { options = try NCODOptions(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try options.encode(to: encoder) }

    public func phases(_ plan: PhasePlanner) throws -> [PhaseSpec] {
        [plan.phase("student", 0, Target(options: options))]
    }

    /// The given labels, weighed.
    struct Target: PhaseTarget {
        static let name = "ncod"
        var options: NCODOptions

        func objective(_ phase: PhaseContext) throws -> any Objective {
            NCODObjective(
                options, labels: phase.givenLabels, classes: phase.classes,
                features: phase.learners[0].network.head.inputs, seed: phase.seed,
                device: phase.device)
        }
    }
}

public final class NCODObjective: Objective {
    public let options: NCODOptions
    /// u [samples], float32, by row of the training split.
    public let u: Rows
    /// φ of each sample when it was last seen [samples, D], float32.
    public let features: Rows
    /// ν [C, D]
    public let centroids: Tensor
    private let labels: [Int]
    /// Whether φ is known.
    private var hasCentroids = false

    /// - Parameters:
    ///   - labels: given ones, by row.
    ///   - width: D.
    ///   - seed: of the first u.
    public init(
        _ options: NCODOptions = .init(), labels: [Int], classes: Int, features width: Int,
        seed: UInt64, device: Device = .cpu
    ) {
        self.options = options
        self.labels = labels
        var draw = Draw(seed: seed, .initialisation, step: 3)
        let values = Tensor.zeros([labels.count])
        values.fillNormal(
            mean: options.start, std: options.start / 10, Generator(seed: draw.next()))
        u = Rows("u", values.to(device))
        features = Rows("features", count: labels.count, width: width, device: device)
        centroids = .zeros([classes, width], device: device)
    }

    public var state: [NamedTensor] {
        u.state + features.state + [("centroids", centroids)]
    }

    public func beginEpoch(_ epoch: EpochContext) throws {
        hasCentroids = epoch.epoch > 0
        // Where a run resumes inside the epoch, they are in the checkpoint.
        guard hasCentroids, epoch.stepInEpoch == 0 else { return }
        updateCentroids(percent: NCODOptions.percent(epoch: epoch.epoch, of: epoch.epochs))
    }

    /// Takes the centroids from the stored features.
    func updateCentroids(percent: Int) {
        hasCentroids = true
        let members = centroidMembers(
            u: u.all.doubles(), labels: labels, classes: centroids.shape[0], percent: percent)
        withoutGradient {
            let means = members.map { rows in
                rows.isEmpty
                    ? centroids.narrowed(0, from: 0, count: 1) * 0
                    : features.all.indexed(
                        0, by: Tensor(rows, [rows.count]).to(features.device)
                    ).mean(0, keep: true)
            }
            centroids.copy(from: unitRows(.concatenated(means)))
        }
    }

    public func losses(
        of learner: Int, _ outputs: [StudentOutput], _ batch: TrainingBatch
    ) -> Losses {
        precondition(outputs.count == 1, "NCOD is of one network")
        let output = outputs[learner]
        let u = u.read(batch.rows)
        let similarity =
            hasCentroids
            ? centroidSimilarity(output.features, centroids, labels: batch.labels)
            : Tensor.ones([batch.labels.count], device: u.device)
        u.requiresGrad = true
        let parts = ncodLosses(
            output.logits, labels: batch.labels, similarity: similarity, u: u)
        let losses = Losses(
            [.init("cross-entropy", parts.label), .init("squares", parts.squares)],
            metrics: [.init("similarity", similarity)])
        let gradient = Tensor.gradients(
            of: parts.squares.mean(), with: [u], retainGraph: true)[0]
        withoutGradient {
            self.u.write(batch.rows, u - gradient * options.rateOfU)
            features.write(batch.rows, unitRows(output.features.detached().to(.float32)))
        }
        return losses
    }

    /// How far each label was given up.
    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        let values = u.all.doubles()
        let wrong = epoch.phase.cleanLabels.map { zip(labels, $0).map { $0 != $1 } }
        let auc = wrong.flatMap { rankAUC(values, $0) }
        let doubted = Double(values.count { $0 > 0.5 }) / Double(max(1, values.count))
        return [
            Section(
                title: "NCOD",
                findings: ["u is above one half for \(percent(doubted)) of the training samples."],
                values: [
                    .init("doubted", "u above 0.5", doubted, .percent(1)),
                    .init(
                        "wrong-label-auc", "AUC, given label wrong", auc, .percent(1),
                        largerIsBetter: true),
                ],
                note:
                    "u grows where the network keeps predicting another class than the label. AUC: how well "
                    + "it tells wrong labels.",
                columns: [.init(name: "label-noise", numbers: values)])
        ]
    }
}

extension NCOD {
    public static func advice(_ facts: DataFacts) -> MethodAdvice? {
        .notMeasured(facts, changes: ["method={name: ncod}"])
    }
}
