import Diagnostics

/// What the theory says of one stage. Where its equations were not solved, its numbers are not numbers.
public struct StageResult: Equatable, Sendable {
    /// k of k-SD: 0 learnt from the given labels.
    public var stage: Int
    /// Generalisation error on clean labels.
    public var error: Double
    /// m = w·v/N
    public var m: Double
    /// Q = |w|²/N
    public var q: Double
    public var bias: Double
    public var lambda: Double
    /// β of the labels that the stage learnt from; `nil` for stage 0, infinite for hard labels.
    public var beta: Double?
    /// κ = β/(4λ of the stage that gave the labels).
    public var kappa: Double?
    /// The share of training samples that the stage's prediction on them gets right: how clean the
    /// labels are that it hands on. Compare with 1 − θ.
    public var labelAccuracy: Double
    /// Evaluations of the stage's equations until they held.
    public var iterations: Int
    /// Largest change that one more iteration would make, relative to natural sizes.
    public var residual: Double
    /// Whether the residual fell below the tolerance.
    public var converged: Bool
}

/// The solution of the equations of all stages.
public struct Solution: Equatable, Sendable {
    public let mixture: NoisyMixture
    public let stages: [StageResult]
    public let parameters: OrderParameters

    /// Generalisation error of the last stage.
    public var error: Double { stages[stages.count - 1].error }
    public var converged: Bool { stages.allSatisfy(\.converged) }

    /// The first stage whose equations were not solved: no later one is, since each learns from the one
    /// before it.
    public var unsolved: StageResult? { stages.first { !$0.converged } }

    /// - Throws: `Problem` that names the first stage whose equations were not solved.
    public func check() throws(Problem) {
        if let unsolved { throw .unsolved(unsolved) }
    }

    /// Whether the numbers can be right: every stage is solved, and none is below what any method can
    /// reach. Searches leave other points out.
    ///
    /// - Parameter bayes: the Bayes-optimal error of the mixture.
    public func isPossible(bayes: Double) -> Bool {
        stages.allSatisfy { $0.converged && $0.error >= bayes - 1e-6 }
    }
}
