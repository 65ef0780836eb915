import Diagnostics
import Foundation

/// How finely averages over the effective training sample are taken.
public struct Resolution: Equatable, Hashable, Sendable {
    /// Factor on the number of points of every one-dimensional rule.
    public var factor: Double
    /// From the third stage on: 2 · 2^sampleLog2 quasi-random vectors; 6 to 20.
    public var sampleLog2: Int
    /// Scrambles the quasi-random vectors.
    public var seed: UInt64
    /// At which residual the equations count as solved.
    public var tolerance: Double
    /// Whether a stage without a solution is tried again from strong penalties down, which finds some
    /// more and costs ten times as much where there is none.
    public var perseveres = true

    public init(
        factor: Double = 1, sampleLog2: Int = 14, seed: UInt64 = 0, tolerance: Double = 1e-10
    ) {
        self.factor = factor
        self.sampleLog2 = min(max(sampleLog2, 6), 20)
        self.seed = seed
        self.tolerance = tolerance
    }

    public static let standard = Resolution()
}

/// Solves the state-evolution (replica) equations of multi-stage self-distillation in a noisy
/// Gaussian mixture, exact as N, M → ∞ at fixed α = M/N.
///
/// Equations of Takanami, Takahashi and Sakata (arXiv 2501.16226), in our own derivation: leave one
/// sample out, and its logit at stage t is h_t = s m_t + b_t + ζ_t with Gaussian ζ of covariance
/// ΔQ. Putting it back at all earlier stages shifts w^t by the linear response χ_rt to its force
/// g_r there, hence the memory terms Δχ_rt g_r, and at the stage itself the proximal map
/// u + Δχ_tt ℓ'(u) = h. The weights follow from the forces by the transposed argument. Every stage is
/// convex, so the solution is unique and replica symmetric.
///
/// For three or more stages the response is χ = (diag λ + Q̂ᵀ)⁻¹, not the shortcut of the authors'
/// public notebook, which disagrees with simulation.
///
/// Accuracy with the standard resolution: about 1e-7 for two stages, 1e-5 to 1e-4 beyond, rounding for
/// the squared loss. Results do not depend on `workers`.
public struct StateEvolution: Sendable {
    public var mixture: NoisyMixture
    public var resolution: Resolution
    /// Threads that the averages of later stages are split over.
    public var workers: Int
    var couplings = Couplings.all

    /// Stages at most; each costs memory for every point of integration.
    public static let mostStages = 64

    public init(
        _ mixture: NoisyMixture, resolution: Resolution = .standard,
        workers: Int = ProcessInfo.processInfo.activeProcessorCount
    ) {
        self.mixture = mixture
        self.resolution = resolution
        self.workers = workers
    }

    /// An entry for every stage. A stage that was not solved has no numbers, nor have those after it,
    /// which would learn from it: see `Solution.unsolved`.
    ///
    /// - Throws: `Problem` for more than 64 stages.
    public func solve(_ schedule: Schedule) throws(Problem) -> Solution {
        guard schedule.stages <= StateEvolution.mostStages else {
            throw .tooManyStages(schedule.stages, StateEvolution.mostStages)
        }
        let symmetric =
            mixture.positiveShare == 0.5
            && (schedule.bias == .learnt || schedule.bias == .carried
                || schedule.bias == .fixed(0))
        let categories = mixture.categories(symmetric: symmetric)
        let side: any SampleSide =
            schedule.loss == .squared && !schedule.betas.contains(.infinity)
            ? LinearSide(categories, schedule: schedule)
            : SampledSide(
                categories, schedule: schedule, resolution: resolution, workers: workers)
        var parameters = OrderParameters()
        var results: [StageResult] = []
        for t in 0..<schedule.stages {
            let lambda = schedule.lambdas[t]
            let beta = side.labelBeta
            let learns = !symmetric && schedule.bias.learns(stage: t)
            var stage = StageEquations(
                mixture: mixture, parameters: parameters, lambda: lambda, learnsBias: learns,
                couplings: couplings, side: side, start: guess(parameters, schedule.bias))
            side.begin(stage: t, spread: spread(parameters, lambda))
            var found = stage.solve(
                tolerance: resolution.tolerance, perseveres: resolution.perseveres)
            // The rule was chosen for a guess of how far ξ_t moves the field.
            if let root = found?.row.root[t], t == 1,
                Nodes.hermiteSize(root)
                    != Nodes.hermiteSize(spread(parameters, lambda))
            {
                side.begin(stage: t, spread: root)
                if let found { stage.start = found.column }
                found = stage.solve(
                    tolerance: resolution.tolerance, perseveres: resolution.perseveres)
            }
            guard let found, found.isSolved else {
                results.append(
                    .unsolved(
                        t, schedule, residual: found?.residual ?? .infinity,
                        iterations: found?.iterations ?? 0))
                break
            }
            parameters.append(found.column, found.row, lambda: lambda)
            side.finish(stage.field(found.row, found.column), norm: found.row.q[t])
            results.append(
                StageResult(
                    stage: t,
                    error: mixture.error(
                        overlap: found.row.m, norm: found.row.q[t], bias: found.column.bias),
                    m: found.row.m, q: found.row.q[t], bias: found.column.bias, lambda: lambda,
                    beta: beta, kappa: beta.map { $0 / (4 * schedule.lambdas[t - 1]) },
                    labelAccuracy: side.accuracy, iterations: found.iterations,
                    residual: found.residual, converged: found.converged))
        }
        for t in results.count..<schedule.stages {
            results.append(.unsolved(t, schedule, residual: .infinity, iterations: 0))
        }
        return Solution(mixture: mixture, stages: results, parameters: parameters)
    }

    private func spread(_ parameters: OrderParameters, _ lambda: Double) -> Double {
        // A stage's weights are about as long as those of the stage before, scaled by λ.
        guard let before = parameters.lambdas.last, let q = parameters.q.last?.last else {
            return 1
        }
        return 0.7 * (mixture.variance * q).squareRoot() * (before + 0.1) / (lambda + 0.1)
    }

    /// The values of the previous stage, or those of an average of the labelled inputs.
    private func guess(
        _ parameters: OrderParameters, _ rule: BiasRule
    ) -> OrderParameters.Column {
        let t = parameters.count
        var bias = parameters.bias.last ?? 0
        if case .fixed(let value) = rule { bias = value }
        if rule == .carried, t > 0 { bias = parameters.bias[0] }
        let (alpha, delta) = (mixture.sampleRatio, mixture.variance)
        guard t > 0 else {
            return OrderParameters.Column(
                qHat: [0.1], cHat: [0.25 * alpha * delta], mHat: 0.5 * alpha, bias: bias)
        }
        let before = parameters.cHat[t - 1][t - 1]
        return OrderParameters.Column(
            qHat: Array(repeating: 0, count: t) + [parameters.qHat[t - 1][t - 1]],
            cHat: (0..<t).map { 0.5 * (before * parameters.cHat[$0][$0]).squareRoot() } + [before],
            mHat: parameters.mHat[t - 1], bias: bias)
    }
}

extension StageResult {
    fileprivate static func unsolved(
        _ stage: Int, _ schedule: Schedule, residual: Double, iterations: Int
    ) -> StageResult {
        let beta = stage > 0 && !schedule.betas[stage - 1].isNaN ? schedule.betas[stage - 1] : nil
        return StageResult(
            stage: stage, error: .nan, m: .nan, q: .nan, bias: .nan,
            lambda: schedule.lambdas[stage], beta: beta,
            kappa: beta.map { $0 / (4 * schedule.lambdas[stage - 1]) }, labelAccuracy: .nan,
            iterations: iterations, residual: residual, converged: false)
    }
}
