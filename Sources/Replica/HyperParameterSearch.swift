import Diagnostics
import Foundation
import Workers

/// Finds the λ of every stage, and the κ of soft labels, that make the last stage's error least.
///
/// All of them jointly in log space by Nelder and Mead's simplex from several starts, stage after
/// stage: the optimum of k stages is one start of k + 1. Adding a stage stops when it improves the
/// best error by less than `stop` (the rule of the authors' code), the practical form of early stopping:
/// a few stages are enough.
public struct HyperParameterSearch: Sendable {
    public enum Labels: String, Codable, CaseIterable, Sendable { case hard, soft }

    public var mixture: NoisyMixture
    public var loss: StageLoss
    public var bias: BiasRule
    /// Hard: β = ∞. Soft: κ is searched; the squared loss has nothing to search there. By default
    /// hard with cross-entropy, soft with the squared loss.
    public var labels: Labels
    /// Where λ is searched. The optimum often lies at λ → ∞, so the upper end counts as infinity:
    /// at 1e6 the error differs from the limit by less than 1e-5 of itself.
    public var lambdaBounds: ClosedRange<Double> = 1e-3...1e6
    /// Where κ = β/(4λ) is searched.
    public var kappaBounds: ClosedRange<Double> = 1e-3...1e3
    /// Smallest gain for which a stage is added.
    public var stop = 1e-7
    /// Resolution of the answer, and, for three stages and more, that of the search.
    public var resolution = Resolution.standard
    public var searchResolution = Resolution(sampleLog2: 11, tolerance: 1e-8)
    /// A start is given up after so many points at which the equations have no solution, each of which
    /// costs as much as hundreds of others. Nil: never.
    public var mostFailures: Int?
    /// Searches at a time. The result does not depend on it.
    public var workers = ProcessInfo.processInfo.activeProcessorCount

    public init(
        _ mixture: NoisyMixture, loss: StageLoss = .crossEntropy, bias: BiasRule = .learnt,
        labels: Labels? = nil
    ) {
        self.mixture = mixture
        self.loss = loss
        self.bias = bias
        self.labels = labels ?? (loss == .squared ? .soft : .hard)
    }

    /// A hyper-parameter that the search left at the end of its range.
    public struct Bound: Equatable, Sendable {
        /// `lambda` or `kappa`.
        public var name: String
        /// Of which stage: κ belongs to the stage that learns from the labels.
        public var stage: Int
        /// Whether it is the upper end.
        public var upper: Bool
    }

    /// The best that self-distillation with so many stages can do.
    public struct Optimum: Equatable, Sendable {
        public var schedule: Schedule
        /// What the theory says of every stage at this schedule.
        public var solution: Solution
        public var bounds: [Bound]
        public var evaluations: Int
        /// False where the stage was not added for lack of gain: schedule and solution are then
        /// those of fewer stages.
        public var isAdded: Bool

        public var error: Double { solution.error }
    }

    /// The optima of 0-SD, 1-SD, …, `last`-SD.
    ///
    /// - Throws: `Problem` for too many stages, and for one where the equations were solved nowhere.
    public func optima(last: Int) throws(Problem) -> [Optimum] {
        let found = try solvedOptima(last: last)
        guard found.count > max(0, last) else { throw .noOptimum(stages: found.count) }
        return found
    }

    /// The same up to the first number of stages with which the equations were solved nowhere.
    public func solvedOptima(last: Int) throws(Problem) -> [Optimum] {
        guard last < StateEvolution.mostStages else {
            throw .tooManyStages(last + 1, StateEvolution.mostStages)
        }
        let bayes = mixture.bayesError
        var found: [Optimum] = []
        for k in 0...max(0, last) {
            guard let before = found.last else {
                guard let first = try optimum(0, after: nil, bayes: bayes) else { break }
                found.append(first)
                continue
            }
            // Nothing is below Bayes' level: a stage that could not gain enough is not searched.
            let canGain = before.isAdded && before.error - bayes >= stop
            guard let next = canGain ? try optimum(k, after: before, bayes: bayes) : before
            else { break }
            if before.error - next.error >= stop {
                found.append(next)
            } else {
                var same = before
                same.isAdded = false
                same.evaluations = next.evaluations
                found.append(same)
            }
        }
        return found
    }

    /// Nil where the equations were solved nowhere.
    private func optimum(
        _ k: Int, after before: Optimum?, bayes: Double
    ) throws(Problem) -> Optimum? {
        let lambdaRange = log10(lambdaBounds.lowerBound)...log10(lambdaBounds.upperBound)
        let kappaRange = log10(kappaBounds.lowerBound)...log10(kappaBounds.upperBound)
        let kappas = searchesKappa ? k : 0
        var simplex = NelderMead(
            bounds: Array(repeating: lambdaRange, count: k + 1)
                + Array(repeating: kappaRange, count: kappas))
        simplex.mostEvaluations = 200 * (k + 1 + kappas)
        let rough = k < 2 || loss == .squared ? resolution : searchResolution
        let runs = starts(k, after: before)
        let tries = Parallel.map(runs.count, workers: workers) { [simplex] i in
            var failures = 0
            return simplex.minimise(from: runs[i]) { x in
                if let mostFailures, failures >= mostFailures { return .infinity }
                guard let schedule = try? made(x, stages: k),
                    let solution = try? StateEvolution(mixture, resolution: rough, workers: 1)
                        .solve(schedule),
                    solution.isPossible(bayes: bayes)
                else {
                    failures += 1
                    return .infinity
                }
                return solution.error
            }
        }
        guard let best = tries.min(by: { $0.value < $1.value }), best.value.isFinite else {
            return nil
        }
        let schedule = try made(best.x, stages: k)
        let solution = try StateEvolution(mixture, resolution: resolution, workers: workers)
            .solve(schedule)
        guard solution.isPossible(bayes: bayes) else { return nil }
        let bounds = zip(best.x, simplex.bounds).enumerated().compactMap { i, pair -> Bound? in
            let (x, range) = pair
            guard x - range.lowerBound < 0.01 || range.upperBound - x < 0.01 else { return nil }
            return Bound(
                name: i > k ? "kappa" : "lambda", stage: i > k ? i - k : i,
                upper: range.upperBound - x < 0.01)
        }
        return Optimum(
            schedule: schedule, solution: solution, bounds: bounds,
            evaluations: tries.reduce(0) { $0 + $1.evaluations }, isAdded: true)
    }

    private var searchesKappa: Bool { labels == .soft && loss == .crossEntropy }

    /// Log10 of the λ, then of the κ.
    private func starts(_ k: Int, after before: Optimum?) -> [[Double]] {
        let kappas = searchesKappa ? k : 0
        guard let before, k > 0 else { return [[0], [-1.5], [1.5], [3.5]] }
        let lambdas = before.schedule.lambdas.map { log10($0) }
        let old = (1..<max(k, 1)).map { log10(before.schedule.kappa(stage: $0)) }
        let next = kappas > 0 ? old + [old.last ?? 0] : []
        let plain = Array(repeating: -0.2, count: kappas)
        var list = [
            lambdas + [lambdas[k - 1]] + next,
            Array(repeating: 3, count: k + 1) + plain,
            lambdas + [3] + next,
        ]
        if k == 1 || loss == .squared {
            list += [
                Array(repeating: 0, count: k + 1) + plain,
                [0.5] + Array(repeating: 3, count: k) + plain,
            ]
        }
        if k == 1, kappas == 1 { list.append([1.5, 3, 0.7]) }
        return list
    }

    private func made(_ x: [Double], stages k: Int) throws(Problem) -> Schedule {
        let lambdas = x[...k].map { pow(10, $0) }
        let betas =
            searchesKappa
            ? (0..<k).map { 4 * lambdas[$0] * pow(10, x[k + 1 + $0]) }
            : labels == .hard ? Array(repeating: .infinity, count: k) : nil
        return try Schedule(lambdas: lambdas, betas: betas, loss: loss, bias: bias)
    }
}
