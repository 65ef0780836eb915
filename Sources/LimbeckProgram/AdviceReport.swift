import Diagnostics
import Experiments
import Foundation
import Replica
import Report
import Training

/// The words, tables, charts and JSON of `advise` for one problem of two classes.
struct AdviceReport {
    var problem: TwoClasses
    var advice: Advice
    var samples: Int
    var dimension: Int

    struct JSON: Encodable {
        struct Estimate: Encodable {
            var alpha, delta, theta, rho: Double
            var thetaGiven: Bool
            var converged: Bool
            enum CodingKeys: String, CodingKey {
                case alpha, delta, theta, rho, converged
                case thetaGiven = "theta_given"
            }
        }
        struct Recommendation: Encodable {
            var stages: Int
            var labels: String
            var bias: String
            /// In the theory's units, and for the features as they were analysed.
            var lambda: [Double]
            var featureLambda: [Double]
            var beta: [Double]
            var kappa: [Double]
            var predictedError: [Double]
            var helps: Bool
            enum CodingKeys: String, CodingKey {
                case stages, labels, bias, lambda, beta, kappa, helps
                case featureLambda = "feature_lambda"
                case predictedError = "predicted_error"
            }
        }
        struct Point: Encodable {
            var stage: Int
            /// Predictions are null where the theory's equations were not solved.
            var lambda: Double
            @OrNull var predicted: Double?
            var measured: Double
            var standardError: Double?
            @OrNull var predictedClean: Double?
            var measuredClean: Double?
            enum CodingKeys: String, CodingKey {
                case stage, lambda, predicted, measured
                case standardError = "standard_error"
                case predictedClean = "predicted_clean"
                case measuredClean = "measured_clean"
            }

            init(_ own: Advice.Point) {
                (stage, lambda, predicted) = (own.stage, own.lambda, known(own.predicted))
                measured = own.measured.mean
                standardError = own.measured.error.isFinite ? own.measured.error : nil
                predictedClean = known(own.predictedClean)
                measuredClean = own.measuredClean?.mean
            }
        }
        struct Fit: Encodable {
            var ok: Bool
            var marginDistance, miss, anisotropy: Double
            var whitened: Bool
            var shrinkage: Double?
            enum CodingKeys: String, CodingKey {
                case ok, miss, anisotropy, whitened, shrinkage
                case marginDistance = "margin_distance"
            }
        }
        var classes: [String]
        var samples: Int
        var features: Int
        var estimate: Estimate
        var bayesError: Double
        var recommendation: Recommendation
        var lambdaCurve: [Point]
        var stageCurve: [Point]
        var fit: Fit
        enum CodingKeys: String, CodingKey {
            case classes, samples, features, estimate, recommendation, fit
            case bayesError = "bayes_error"
            case lambdaCurve = "lambda_curve"
            case stageCurve = "stage_curve"
        }
    }

    private var mixture: NoisyMixture { advice.estimate.mixture }
    private var schedule: Schedule { advice.optimum.schedule }
    private var first: Double { advice.option.optima[0].error }

    private var biasWord: String {
        switch advice.option.bias {
        case .carried: "carry"
        case .learnt: "learn"
        case .fixed: "fixed:0"
        }
    }

    var json: JSON {
        JSON(
            classes: [problem.negative, problem.positive], samples: samples, features: dimension,
            estimate: .init(
                alpha: mixture.sampleRatio, delta: mixture.variance, theta: mixture.noiseRate,
                rho: mixture.positiveShare, thetaGiven: advice.estimate.givenNoise,
                converged: advice.estimate.converged),
            bayesError: mixture.bayesError,
            recommendation: .init(
                stages: advice.option.stages, labels: advice.option.labels.rawValue,
                bias: biasWord, lambda: schedule.lambdas,
                featureLambda: schedule.lambdas.map { $0 * advice.penaltyScale },
                beta: schedule.betas,
                kappa: (1..<max(1, schedule.stages)).map { schedule.kappa(stage: $0) },
                predictedError: advice.option.optima.map(\.error), helps: helps),
            lambdaCurve: advice.lambdaCurve.map(JSON.Point.init),
            stageCurve: advice.stageCurve.map(JSON.Point.init),
            fit: .init(
                ok: advice.fits, marginDistance: advice.marginDistance, miss: advice.miss,
                anisotropy: advice.anisotropy, whitened: advice.shrinkage != nil,
                shrinkage: advice.shrinkage))
    }

    private var helps: Bool { advice.option.stages > 0 }

    private var biasPhrase: String {
        switch advice.option.bias {
        case .carried: "carried from the first stage"
        case .learnt: "learnt by each stage"
        case .fixed: "held at 0 on centred features, as the classes are balanced"
        }
    }

    private func error(_ value: Double) -> String {
        value.isNaN ? "–" : Numbers.fixed(value, 4)
    }

    /// The end of the search's range stands for infinity.
    private func lambda(_ value: Double, _ scale: Double = 1) -> String {
        value > 9e5 ? "as large as you like" : Numbers.compact(value * scale, 3)
    }

    private var sentences: [String] {
        let name = "\(problem.positive) against \(problem.negative)"
        let theta = advice.estimate.givenNoise ? "given" : "estimated"
        var lines = [
            "\(name): α = \(Numbers.compact(mixture.sampleRatio, 3)), Δ = "
                + "\(Numbers.compact(mixture.variance, 3)), θ = \(Numbers.compact(mixture.noiseRate, 3)) "
                + "(\(theta)), ρ = \(Numbers.compact(mixture.positiveShare, 3)); no method can get below "
                + "error \(error(mixture.bayesError)) in this picture."
        ]
        if advice.fits {
            lines.append(
                "The Gaussian picture fits: margins \(error(advice.marginDistance)) apart, errors "
                    + "within noise or \(error(advice.miss)).")
        } else {
            lines.append(
                "The Gaussian picture does not fit (margins \(error(advice.marginDistance)) apart, bar "
                    + "\(error(advice.distanceBar)); errors off by up to \(error(advice.miss)), bar "
                    + error(advice.missBar)
                    + (advice.estimate.converged ? "" : "; the estimate did not converge")
                    + "): do not trust the advice below, measure with limbeck selfdistil.")
        }
        let last = advice.option.stages
        if helps {
            lines.append(
                "Self-distillation will help: \(last) \(last == 1 ? "stage" : "stages") after the "
                    + "first, \(advice.option.labels.rawValue) labels, bias "
                    + "\(biasPhrase): "
                    + "error \(error(first)) → \(error(advice.option.error)).")
            if last < advice.option.optima.count - 1 {
                lines.append("A further stage would gain less than \(Advice.worthwhile).")
            }
        } else {
            lines.append(
                "Self-distillation will not help: less than \(Advice.worthwhile) to gain. Tune λ alone "
                    + "(error \(error(first))).")
        }
        for k in schedule.lambdas.indices {
            let value = schedule.lambdas[k]
            var line =
                "Stage \(k): λ \(lambda(value)) in the theory's units, "
                + "\(lambda(value, advice.penaltyScale)) on these features"
            if k > 0 {
                let kappa = schedule.kappa(stage: k)
                line += kappa.isInfinite ? ", hard labels" : ", κ \(Numbers.compact(kappa, 3))"
            }
            lines.append(line + ".")
        }
        return lines
    }

    private func table(_ points: [Advice.Point], _ title: String) -> TableModel {
        TableModel(
            title: title,
            columns: ["stage", "λ", "predicted", "measured", "clean, predicted", "clean, measured"]
                .map { .init($0, .trailing) },
            rows: points.map { point in
                [
                    "\(point.stage)", Numbers.compact(point.lambda, 3), error(point.predicted),
                    error(point.measured.mean)
                        + (point.measured.error.isFinite
                            ? " ± \(error(point.measured.error))" : ""),
                    error(point.predictedClean),
                    point.measuredClean.map { error($0.mean) } ?? "–",
                ]
            },
            note:
                "Errors on given labels, and on clean ones where known. Measured: cross-validation, "
                + "mean ± standard error over folds; predicted for as many samples as a fold trains on."
        )
    }

    private func chart(_ points: [Advice.Point], _ title: String, overLambda: Bool) -> CurveChart {
        let x = points.map { overLambda ? $0.lambda : Double($0.stage) }
        return CurveChart(
            title: title, xLabel: overLambda ? "λ" : "stage", yLabel: "error on given labels",
            curves: [
                Curve(name: "predicted", x: x, mean: points.map(\.predicted), series: 0),
                Curve(
                    name: "measured", x: x, mean: points.map(\.measured.mean),
                    sd: points.map(\.measured.error), marks: true, series: 1),
            ], xScale: overLambda ? .log : .linear)
    }

    static func page(_ reports: [AdviceReport], source: String) -> TheoryPage {
        TheoryPage(
            title: "Advice on self-distillation",
            facts: [
                Fact("features", source), Fact("samples", "\(reports.first?.samples ?? 0)"),
                Fact("limbeck", limbeckVersion),
            ],
            warnings: reports.filter { !$0.advice.fits }.map {
                "\($0.problem.positive): the Gaussian picture does not fit"
            }
                + reports.filter {
                    $0.advice.shrinkage != nil && $0.samples < 2 * $0.dimension
                }.map {
                    "\($0.problem.positive): whitened with fewer than two samples per feature, which "
                        + "bends the picture"
                },
            findings: reports.flatMap(\.sentences),
            tables: reports.flatMap {
                [
                    $0.table($0.advice.lambdaCurve, "\($0.problem.positive): stage 0 over λ"),
                    $0.table($0.advice.stageCurve, "\($0.problem.positive): the advised stages"),
                ]
            },
            charts: reports.flatMap {
                [
                    $0.chart(
                        $0.advice.lambdaCurve, "\($0.problem.positive): stage 0", overLambda: true),
                    $0.chart(
                        $0.advice.stageCurve, "\($0.problem.positive): advised stages",
                        overLambda: false),
                ]
            })
    }
}
