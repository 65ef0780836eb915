import Diagnostics
import Experiments
import Replica

/// The JSON of `limbeck theory`; other programs build on its shape.
struct TheoryJSON: Encodable {
    var stages: [Stage]
    var bayesError: Double
    var noiselessError: Double
    var mixture: NoisyMixture
    /// Of the solver or the search alone, without start and output.
    var seconds: Double?
    /// Only of `check` and of `curve --simulate`.
    var simulation: [Simulated]?
    /// Only of `check`.
    var passed: Bool?

    enum CodingKeys: String, CodingKey {
        case stages, mixture, seconds, simulation, passed
        case bayesError = "bayes_error"
        case noiselessError = "noiseless_error"
    }

    /// Those of the best k-SD, k up to `last`, whose equations were solved or not.
    init(
        _ mixture: NoisyMixture, _ optima: [HyperParameterSearch.Optimum], last: Int,
        seconds: Double? = nil
    ) {
        self.init(
            mixture,
            optima.enumerated().map { Stage($0.offset, $0.element) }
                + (optima.count..<max(optima.count, last + 1)).map(Stage.init(unsolved:)),
            seconds: seconds)
    }

    /// The first stage whose equations were not solved.
    var unsolved: Int? { stages.first { !$0.converged }?.stage }

    init(_ mixture: NoisyMixture, _ stages: [Stage], seconds: Double? = nil) {
        self.stages = stages
        self.mixture = mixture
        self.seconds = seconds
        bayesError = mixture.bayesError
        noiselessError = mixture.noiselessError
    }

    struct Stage: Encodable {
        /// k of k-SD.
        var stage: Int
        /// Null where the equations were not solved; so is λ where a search found none.
        @OrNull var error: Double?
        @OrNull var m: Double?
        @OrNull var q: Double?
        @OrNull var bias: Double?
        @OrNull var lambda: Double?
        /// β of the labels it learnt from; null for stage 0, "inf" for hard ones. Present also where it
        /// is null: a reader need not ask whether the key is there.
        @OrNull var beta: Double?
        @OrNull var labelAccuracy: Double?
        var kappa: Double?
        var iterations: Int
        @OrNull var residual: Double?
        var converged: Bool
        /// Only of `optimize`: of every stage up to this one.
        var lambdas: [Double]?
        var kappas: [Double]?
        var atBounds: [String]?
        var added: Bool?

        enum CodingKeys: String, CodingKey {
            case stage, error, m, q, bias, lambda, beta, kappa, iterations, residual, converged
            case lambdas, kappas, added
            case labelAccuracy = "label_accuracy"
            case atBounds = "at_bounds"
        }

        init(_ own: StageResult) {
            stage = own.stage
            (error, m, q, bias) = (known(own.error), known(own.m), known(own.q), known(own.bias))
            (lambda, beta, kappa) = (own.lambda, own.beta, own.kappa)
            labelAccuracy = known(own.labelAccuracy)
            (iterations, residual) = (own.iterations, known(own.residual))
            converged = own.converged
        }

        /// k-SD for which a search found no solution.
        init(unsolved k: Int) {
            stage = k
            (iterations, converged) = (0, false)
        }

        /// The last stage of the best k-SD.
        init(_ k: Int, _ best: HyperParameterSearch.Optimum) {
            self.init(best.solution.stages[best.solution.stages.count - 1])
            stage = k
            lambdas = best.schedule.lambdas
            let all = best.solution.stages.dropFirst().compactMap(\.kappa)
            kappas = best.schedule.loss == .squared ? nil : all
            atBounds = best.bounds.map(\.name)
            added = best.isAdded
        }
    }

    /// Means over trials, and their standard errors (null for one trial).
    struct Simulated: Encodable {
        var stage: Int
        var error, m, q, bias, labelAccuracy: MeanNumber

        enum CodingKeys: String, CodingKey {
            case stage, error, m, q, bias
            case labelAccuracy = "label_accuracy"
        }

        init(_ own: FiniteSimulation.Stage) {
            stage = own.stage
            (error, m, q) = (MeanNumber(own.error), MeanNumber(own.m), MeanNumber(own.q))
            (bias, labelAccuracy) = (MeanNumber(own.bias), MeanNumber(own.labelAccuracy))
        }
    }
}

/// Nil in place of what is no number.
func known(_ value: Double) -> Double? { value.isFinite ? value : nil }

/// A mean over trials as JSON: its standard error is left out for one trial.
struct MeanNumber: Encodable {
    var mean: Double
    var standardError: Double?
    enum CodingKeys: String, CodingKey {
        case mean
        case standardError = "standard_error"
    }

    init(_ own: FiniteSimulation.Mean) {
        mean = own.mean
        standardError = own.error.isFinite ? own.error : nil
    }
}
