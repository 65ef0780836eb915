import Diagnostics
import Foundation

/// The loss of every stage, summed over the samples.
public enum StageLoss: String, Codable, CaseIterable, Sendable {
    /// −ỹ ln σ(u) − (1 − ỹ) ln(1 − σ(u)); the next stage's labels are σ(βu).
    case crossEntropy = "cross-entropy"
    /// ((u + 1)/2 − ỹ)²; the next stage's labels are (βu + 1)/2.
    case squared
}

/// What becomes of the bias b, which the L2 penalty leaves alone.
public enum BiasRule: Equatable, Hashable, Sendable {
    /// Every stage learns its own.
    case learnt
    /// The first stage learns it, the later ones keep it. Our reading of "bias fixing"; the
    /// paper's exact variant is unknown to us.
    case carried
    /// A given value in every stage, often 0.
    case fixed(Double)

    /// Whether stage `stage` (from 0) learns its bias.
    public func learns(stage: Int) -> Bool {
        switch self {
        case .learnt: true
        case .carried: stage == 0
        case .fixed: false
        }
    }
}

/// The hyper-parameters of self-distillation: what each stage is trained with.
///
/// Stage 0 learns from the given labels, stage k from the predictions of stage k − 1 on the same
/// inputs ("k-SD"). Stage k minimises Σ_μ ℓ(ỹ_μ, u_μ) + (λ_k/2)|w|², u = w·x/√N + b: the loss is
/// a sum, not a mean, and the penalty leaves b alone.
public struct Schedule: Equatable, Hashable, Sendable {
    /// λ of each stage, above 0; at least one.
    public var lambdas: [Double]
    /// β of the labels of stages 1, 2, …: one fewer than λ. `.infinity` makes hard labels
    /// 1[u > 0], 1 plain soft ones. With the squared loss a finite β changes no error (the problem is
    /// linear in the labels).
    public var betas: [Double]
    public var loss: StageLoss
    public var bias: BiasRule

    /// - Parameter betas: one for each stage after the first; `nil` makes hard labels with
    ///   cross-entropy, and with the squared loss the scale 1/√Q that keeps every stage of order 1.
    /// - Throws: `Problem` for a count that does not fit or a value out of range.
    public init(
        lambdas: [Double], betas: [Double]? = nil, loss: StageLoss = .crossEntropy,
        bias: BiasRule = .learnt
    ) throws(Problem) {
        guard !lambdas.isEmpty else { throw .noLambda() }
        for lambda in lambdas where !(1e-12...1e15).contains(lambda) {
            throw .wrong("lambda", lambda, "numbers from 1e-12 to 1e15")
        }
        let betas =
            betas
            ?? Array(
                repeating: loss == .squared ? Schedule.adaptive : .infinity,
                count: lambdas.count - 1)
        guard betas.count == lambdas.count - 1 else {
            throw .wrongCount("beta", betas.count, lambdas.count - 1)
        }
        for beta in betas where !(beta > 0) && !beta.isNaN {
            throw .wrong("beta", beta, "positive numbers or inf")
        }
        if loss == .crossEntropy, betas.contains(where: \.isNaN) {
            throw .wrong("beta", .nan, "positive numbers or inf")
        }
        if case .fixed(let value) = bias, !(abs(value) <= 1e6) {
            throw .wrong("bias", value, "a number from -1e6 to 1e6")
        }
        self.lambdas = lambdas
        self.betas = betas
        self.loss = loss
        self.bias = bias
    }

    /// In `betas` of the squared loss: 1/√Q of the stage that gives the labels.
    public static let adaptive = Double.nan

    /// Compares bit patterns, as `adaptive` is not a number.
    public static func == (a: Schedule, b: Schedule) -> Bool {
        a.lambdas == b.lambdas && a.betas.map(\.bitPattern) == b.betas.map(\.bitPattern)
            && a.loss == b.loss && a.bias == b.bias
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(lambdas)
        hasher.combine(betas.map(\.bitPattern))
    }

    public var stages: Int { lambdas.count }

    /// κ = β/(4λ) of the labels that stage `stage` (from 1) learns from: what optimal soft labels
    /// keep when λ grows. Quote κ, not β.
    public func kappa(stage: Int) -> Double { betas[stage - 1] / (4 * lambdas[stage - 1]) }
}

/// The label that a stage with logit u gives to the next: σ(βu) with cross-entropy, (βu + 1)/2 with the
/// squared loss, 1[u > 0] for infinite β.
public func pseudoLabel(_ u: Double, _ beta: Double, _ loss: StageLoss) -> Double {
    if beta == .infinity { return u > 0 ? 1 : 0 }
    return loss == .squared ? 0.5 * (beta * u + 1) : 1 / (1 + exp(-beta * u))
}
