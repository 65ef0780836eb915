import Diagnostics
import Distillation
import Report
import Torch

// Label losses that are corrected by a transition matrix, as every method takes them: what has to be
// trained first, the matrix, and what there is to show of it.

/// What the losses of a phase need of earlier ones.
public struct LossEstimation: Sendable {
    /// Phases to train first.
    public var phases: [PhaseSpec]
    /// The networks that a transition matrix is estimated from; nil where none has to be.
    public var networks: [WeightSource]?

    /// The index of the phase that comes after, however many were needed.
    public var index: Int { phases.isEmpty ? 0 : 1 }

    /// Without the phases that a chain has already.
    public func phases(besides chain: [PhaseSpec]) -> [PhaseSpec] {
        let keys = chain.map(\.key)
        return phases.filter { !keys.contains($0.key) }
    }
}

extension PhasePlanner {
    /// The phases in which the networks learn that the transition matrices of `losses` are estimated from;
    /// losses of one method are estimated alike (`checkEstimates`).
    ///
    /// Anchors want one network that learns from the given labels by cross-entropy, with the weights of its
    /// best epoch: later ones have memorised the labels. The confident joint wants folds.
    public func estimation(for losses: [LabelLoss]) -> LossEstimation {
        let estimates = losses.compactMap(\.estimate)
        guard let estimate = estimates.first else {
            return LossEstimation(phases: [], networks: nil)
        }
        if case .confidentJoint(let count) = estimate { return folds(count) }
        let network = phase("transition", 0, CrossEntropy.Target(), isGuided: false)
        return LossEstimation(
            phases: [network], networks: [.phase(key: network.key, .selected)])
    }
}

/// Refuses losses of one method whose transition matrices want different networks.
///
/// - Parameter key: of the recipe, where the later ones are.
func checkEstimates(of losses: [LabelLoss], at key: String) throws(Problem) {
    let folds = losses.compactMap(\.estimate).map { estimate -> Int in
        if case .confidentJoint(let folds) = estimate { folds } else { 0 }
    }
    guard Set(folds).count > 1 else { return }
    let names = folds.map { $0 == 0 ? "anchors" : "confident-joint with \($0) folds" }
    throw .outOfRange(
        key, found: names.joined(separator: " and "),
        expected: "one way to estimate transition matrices, the same for all losses")
}

extension PhaseContext {
    /// A loss as the phase trains with it. A transition matrix that is still to be estimated is made here;
    /// the phase then shows it beside the true one.
    ///
    /// - Parameter networks: what `estimation` named.
    public func ready(_ loss: LabelLoss, from networks: [WeightSource]?) throws -> LabelLoss {
        var loss = loss
        let estimate = loss.estimate
        if let estimate {
            loss = loss.corrected(by: try transition(estimate, networks ?? []))
            try loss.checkTransition(at: "phase \(spec.name), estimated transition matrix")
        }
        if let matrix = loss.transition {
            show(
                TransitionSections(
                    matrix: matrix, isEstimated: estimate != nil, realised: realisedTransition,
                    isInverted: loss.isBackward, classNames: data.learning.classNames,
                    phase: spec.name
                ).section)
        }
        return loss
    }

    private func transition(
        _ estimate: TransitionEstimate, _ networks: [WeightSource]
    ) throws -> TransitionMatrix {
        switch estimate {
        case .anchors(let options):
            guard let source = networks.first else {
                preconditionFailure("anchors without a network")
            }
            let logits = try trainingLogits(frozen(source)).to(.float64)
            return try anchorTransition(Logits(logits).probabilities(), options)
        case .confidentJoint:
            let estimate = try noiseEstimate(from: networks, for: "method.loss.transition")
            return try TransitionMatrix(estimate.transition, at: "confident-joint")
        }
    }

    /// The true matrix of the training split: shares of the given labels of each true class; not-a-number
    /// for a class without samples. Nil where true labels are not known.
    var realisedTransition: [[Double]]? {
        guard let clean = cleanLabels else { return nil }
        var counts = Array(repeating: [Double](repeating: 0, count: classes), count: classes)
        for (a, b) in zip(clean, givenLabels) { counts[a][b] += 1 }
        return counts.map { row in
            let sum = row.reduce(0, +)
            return row.map { $0 / sum }
        }
    }
}

extension LabelLoss {
    fileprivate var isBackward: Bool { if case .backward = self { true } else { false } }
}

/// What there is to show of the matrix that a loss is corrected by.
private struct TransitionSections {
    let matrix: TransitionMatrix
    let isEstimated: Bool
    let realised: [[Double]]?
    let isInverted: Bool
    let classNames: [String]
    let phase: String

    var section: Section {
        let kept = mean(of: matrix.rows)
        var section = Section(
            title: "Transition matrix", warnings: warnings,
            findings: [
                "\(phase) was corrected by \(isEstimated ? "an estimated" : "a given") transition matrix "
                    + "that keeps \(percent(kept)) of the labels, mean over classes\(truth)."
            ],
            heatMaps: heatMaps,
            values: [.init("labels-kept", "labels kept", kept, .percent(1))])
        if let difference {
            section.values.append(
                .init(
                    "transition-error", "mean error of an entry", difference.mean, .decimal(3),
                    largerIsBetter: false))
        }
        if isInverted {
            section.values.append(
                .init(
                    "condition", "condition number", matrix.condition, .decimal(1),
                    largerIsBetter: false))
        }
        return section
    }

    /// A network that has learnt too little says nearly the same of every class, and so does its matrix.
    private var warnings: [String] {
        guard isEstimated else { return [] }
        let lost = matrix.rows.enumerated().count { a, row in
            row.indices.contains { $0 != a && row[$0] >= row[a] }
        }
        var warnings: [String] = []
        if lost > 0 {
            warnings.append(
                "by the estimated transition matrix, \(lost) of \(matrix.classes) classes are given "
                    + "another label at least as often as their own: train longer, or the noise is "
                    + "beyond correction")
        }
        if matrix.condition > LabelLoss.largestCondition {
            warnings.append(
                "the estimated transition matrix is close to singular: it tells classes hardly apart"
            )
        }
        return warnings
    }

    private var truth: String {
        guard let realised, let difference else { return "" }
        return
            "; in truth \(percent(mean(of: realised))) of them were kept, and its entries are off by "
            + "\(Numbers.fixed(difference.mean, 3)) on the mean, "
            + "\(Numbers.fixed(difference.largest, 3)) at most"
    }

    /// Of the classes that have samples.
    private var difference: (mean: Double, largest: Double)? {
        realised.flatMap { matrix.difference(from: $0) }
    }

    private func mean(of rows: [[Double]]) -> Double {
        let kept = rows.indices.map { rows[$0][$0] }.filter(\.isFinite)
        return kept.reduce(0, +) / Double(max(1, kept.count))
    }

    private var heatMaps: [HeatMap] {
        // More classes than a page draws.
        guard matrix.classes <= 100 else { return [] }
        func map(_ title: String, _ rows: [[Double]]) -> HeatMap {
            HeatMap(
                title: title, rowLabels: classNames, columnLabels: classNames, values: rows,
                format: .percent(0), rowAxis: "true class", columnAxis: "given label", maximum: 1)
        }
        let own = map(
            "\(isEstimated ? "Estimated" : "Given") transition matrix (\(phase))", matrix.rows)
        return [own]
            + (realised.map { [map("True transition matrix, training split (\(phase))", $0)] } ?? [])
    }
}
