import Diagnostics
import Foundation
import Torch

/// A loss against the given labels. Of them all, cross-entropy learns fastest and memorises wrong
/// labels; the others hold back where the network disagrees with a label, or correct for what is known
/// of how labels go wrong.
///
/// In the formulas y is the label's class, p = softmax(z), e the one-hot vector of a class, H the entropy
/// of p, and T[a][b] the probability that a sample of class a is given label b:
///
///     cross-entropy       −log p_y, or smoothed                   gradient  p − target
///     gce                 (1 − p_y^q)/q                           p_y^q (p − e_y)
///     sce                 −α log p_y − β A (1 − p_y)              (α − β A p_y)(p − e_y)
///     bootstrap-soft      −Σ (β e_y + (1 − β) p) log p            β (p − e_y) − (1 − β) p (log p + H)
///     bootstrap-hard      −Σ (β e_y + (1 − β) e_max) log p        p − target
///     forward             −log (pᵀT)_y                            p − r,  r_a = p_a T_ay / (pᵀT)_y
///     backward            −Σ_j (T⁻¹)_yj log p_j                   p Σ_j (T⁻¹)_yj − (T⁻¹)_y
///     confidence-penalty  −log p_y − w H                          p − e_y + w p (log p + H)
///
/// Generalised cross-entropy: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep
/// Neural Networks with Noisy Labels", 2018, arXiv 1805.07836, eq. 6; q → 0 is cross-entropy, 1 is
/// the mean absolute error (over 2). The paper's truncation is a method, `TruncatedLoss`: it keeps a
/// weight per sample.
/// Symmetric cross-entropy: Wang et al., "Symmetric Cross Entropy for Robust Learning with Noisy
/// Labels", 2019, arXiv 1908.06112, eq. 7: α CE(y, p) + β CE(p, y) with log 0 := A.
/// Bootstrapping: Reed, Lee, Anguelov, Szegedy, Erhan, Rabinovich, "Training Deep Neural Networks on
/// Noisy Labels with Bootstrapping", 2014, arXiv 1412.6596.
/// Correction: Patrini, Rozza, Menon, Nock, Qu, "Making Deep Neural Networks Robust to Label Noise: a Loss
/// Correction Approach", 2017, arXiv 1609.03683, theorems 1 and 2.
/// Confidence penalty: Pereyra, Tucker, Chorowski, Kaiser, Hinton, "Regularizing Neural Networks by
/// Penalizing Confident Output Distributions", 2017, arXiv 1701.06548.
public enum LabelLoss: Equatable, Sendable {
    /// Label smoothing ε, 0 ≤ ε < 1; 0 is plain.
    case crossEntropy(smoothing: Double = 0, over: Smoothing = .all)
    /// 0 < q ≤ 1. .7 is the paper's choice for all its data sets; lower learns faster, higher
    /// resists more noise.
    case generalised(q: Double = 0.7)
    /// α ≥ 0 weighs cross-entropy, which learns; β ≥ 0 the reverse, which resists; A < 0: `paperLogZero`,
    /// which is ours, or `codeLogZero`. The settings of paper and code for ten classes are α = .1,
    /// β = 1, for CIFAR-100 6 and .1.
    case symmetric(alpha: Double = 0.1, beta: Double = 1, logZero: Double = paperLogZero)
    /// 0 < β ≤ 1, the share of the given label in the target; .95 is the paper's. The gradient passes
    /// through the target; where it is stopped, what is left is β times that of cross-entropy.
    case bootstrapSoft(beta: Double = 0.95, stopsGradient: Bool = false)
    /// 0 < β ≤ 1; .8 is the paper's. The rest is the class that the network finds likeliest.
    case bootstrapHard(beta: Double = 0.8)
    /// The network learns the true classes, and T turns them into given ones.
    case forward(Transition)
    /// An unbiased estimate of the loss against true labels. It may be negative, and has no lower bound.
    case backward(Transition)
    /// w ≥ 0. .1 was usual in the paper; 1 in the warm-up of DivideMix.
    case confidencePenalty(weight: Double = 0.1)

    /// What label smoothing spreads ε over.
    public enum Smoothing: String, Codable, Sendable, CaseIterable {
        /// All classes: target (1 − ε) e_y + ε/C.
        case all
        /// The others: 1 − ε for the label, ε/(C − 1) for each other class.
        case others

        /// The ε of `all` that gives the same target.
        func spreadOverAll(_ smoothing: Double, classes: Int) -> Double {
            self == .all ? smoothing : smoothing * Double(classes) / Double(max(1, classes - 1))
        }
    }

    /// The A of the paper of symmetric cross-entropy, and the default here.
    public static let paperLogZero = -4.0
    /// ln 1e-4: the published code clips one-hot labels at 1e-4. With it the reverse term weighs 2.3 times
    /// as much.
    public static let codeLogZero = -9.210340371976182

    /// Above this condition number of T, a loss is not corrected backwards.
    public static let largestCondition = 1e3

    /// - Parameter labels: classes [N], int64.
    public func callAsFunction(_ logits: Logits, labels: Tensor) -> LogitLoss {
        if case .crossEntropy(let smoothing, let over) = self {
            return .crossEntropy(
                logits, labels: labels,
                smoothing: over.spreadOverAll(smoothing, classes: logits.classes))
        }
        return withoutGradient {
            closedForm(logits.logProbabilities().tensor, labels: labels.unsqueezed(1))
        }
    }

    /// The same values as a function of `logits`, for training. Cross-entropy by the engine's own
    /// operator, which has its gradient in closed form itself.
    ///
    /// - Returns: [N]
    public func trainingLoss(_ logits: Logits, labels: Tensor) -> Tensor {
        if case .crossEntropy(let smoothing, let over) = self {
            return Distillation.crossEntropy(
                logits, labels: labels,
                smoothing: over.spreadOverAll(smoothing, classes: logits.classes))
        }
        return self(logits, labels: labels).attached(to: logits)
    }

    /// - Parameters:
    ///   - lp: log p [N, C].
    ///   - label: y [N, 1].
    private func closedForm(_ lp: Tensor, labels label: Tensor) -> LogitLoss {
        let hit = lp.gathered(1, label)  // log p_y, [N, 1]
        let p = lp.exp()  // [N, C]
        /// x − weight e_class
        func less(_ x: Tensor, _ weight: Double = 1, at classes: Tensor) -> Tensor {
            x.scatterAdding(1, classes, .full(label.shape, -weight, like: lp))
        }
        /// −H [N, 1], and its gradient p (log p + H) [N, C]
        func negativeEntropy() -> (values: Tensor, gradient: Tensor) {
            let values = (p * lp).sum(-1, keep: true)
            return (values, p * (lp - values))
        }
        let values: Tensor  // [N, 1]
        let gradient: Tensor  // [N, C]
        switch self {
        case .crossEntropy: preconditionFailure("has a function of its own")
        case .generalised(let q):
            // exp(q log p_y) − 1 without cancellation; below 1e-9 the first two terms of its series.
            values = q < 1e-9 ? -hit - hit.squared() * (q / 2) : (hit * q).expm1() / -q
            gradient = less(p, at: label) * (hit * q).exp()
        case .symmetric(let alpha, let beta, let logZero):
            values = hit * -alpha + hit.expm1() * (beta * logZero)
            gradient = less(p, at: label) * (hit.exp() * (-beta * logZero) + alpha)
        case .bootstrapSoft(let beta, let stopsGradient):
            let own = negativeEntropy()
            values = hit * -beta - own.values * (1 - beta)
            let fixed = less(p, at: label) * beta
            gradient = stopsGradient ? fixed : fixed - own.gradient * (1 - beta)
        case .bootstrapHard(let beta):
            let likeliest = lp.argmax(keep: true)  // [N, 1]
            values = hit * -beta - lp.gathered(1, likeliest) * (1 - beta)
            gradient = less(less(p, beta, at: label), 1 - beta, at: likeliest)
        case .forward(let transition):
            // log T_ay, column y of T for each sample; the logarithm of 0 may stand there.
            let columns = transition.matrix.tensor(like: lp).log().transposed()
                .indexed(0, by: label.squeezed(1))  // [N, C]
            let joint = lp + columns
            let total = joint.logSumExp(-1, keep: true)  // [N, 1]
            values = -total
            gradient = p - (joint - total).exp()
        case .backward(let transition):
            let rows = transition.matrix.inverseTensor(like: lp)
                .indexed(0, by: label.squeezed(1))  // [N, C]
            values = -(rows * lp).sum(-1, keep: true)
            gradient = p * rows.sum(-1, keep: true) - rows
        case .confidencePenalty(let weight):
            let own = negativeEntropy()
            values = own.values * weight - hit
            gradient = less(p, at: label) + own.gradient * weight
        }
        return LogitLoss(values: values.squeezed(1), gradient: gradient)
    }

    /// What its transition matrix is to be estimated by; nil where it has none or is given it.
    public var estimate: TransitionEstimate? {
        switch self {
        case .forward(.estimated(let estimate)), .backward(.estimated(let estimate)): estimate
        default: nil
        }
    }

    /// The given transition matrix of a corrected loss.
    public var transition: TransitionMatrix? {
        switch self {
        case .forward(.given(let matrix)), .backward(.given(let matrix)): matrix
        default: nil
        }
    }

    /// The same correction by this matrix. Other losses stay as they are.
    public func corrected(by matrix: TransitionMatrix) -> LabelLoss {
        switch self {
        case .forward: .forward(.given(matrix))
        case .backward: .backward(.given(matrix))
        default: self
        }
    }

    /// Refuses what does not fit so many classes.
    ///
    /// - Parameter path: of the loss in a recipe.
    public func check(classes: Int, at path: String = "method.loss") throws(Problem) {
        if case .crossEntropy(let smoothing, .others) = self,
            smoothing > Double(classes - 1) / Double(classes)
        {
            throw .outOfRange(
                "\(path).smoothing", found: "\(smoothing) over the others",
                expected: "at most \(classes - 1)/\(classes), which is uniform")
        }
        guard let transition, transition.classes != classes else { return }
        throw .outOfRange(
            "\(path).transition", found: "\(transition.classes) rows",
            expected: "\(classes), one per class")
    }

    /// Refuses a transition matrix that this loss cannot be corrected by.
    public func checkTransition(at path: String = "method.loss.transition") throws(Problem) {
        switch self {
        case .forward(.given(let matrix)):
            if let label = matrix.emptyColumn { throw .labelNeverGiven(label, path) }
        case .backward(.given(let matrix)):
            let condition = matrix.condition
            guard condition <= LabelLoss.largestCondition else {
                throw .transitionNotInvertible(condition, path)
            }
        default: break
        }
    }

    /// What the run's metrics call it.
    public var name: String { code.rawValue }
}

extension Logits {
    /// C
    fileprivate var classes: Int { tensor.shape.last ?? 1 }
}

extension Problem {
    fileprivate static func labelNeverGiven(_ label: Int, _ path: String) -> Problem {
        Problem(
            .data, "a label would have an infinite loss", at: Place(detail: [path]),
            found: "column \(label) of zeros", expected: "a number above 0 in every column")
    }

    fileprivate static func transitionNotInvertible(_ condition: Double, _ path: String) -> Problem
    {
        let number = condition.isFinite ? String(format: "%.3g", condition) : "infinite"
        return Problem(
            .data, "the transition matrix is too close to singular", at: Place(detail: [path]),
            found: "condition number \(number)", expected: "at most 1000",
            hint: "loss forward does not invert it")
    }
}
