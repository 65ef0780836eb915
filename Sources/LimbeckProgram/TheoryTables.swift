import Foundation
import Replica
import Report
import RunReports

/// What `limbeck theory` shows: tables, charts and sentences.
enum TheoryTables {
    static func setting(_ schedule: Schedule) -> String {
        let bias: String
        switch schedule.bias {
        case .learnt: bias = "bias learnt"
        case .carried: bias = "bias carried"
        case .fixed(let value): bias = "bias \(Numbers.compact(value))"
        }
        return "\(schedule.loss.rawValue), \(bias)"
    }

    static func levels(_ mixture: NoisyMixture) -> [String] {
        [
            "Bayes-optimal error with these labels \(error(mixture.bayesError)), with clean ones "
                + "\(error(mixture.noiselessError)), with endless samples "
                + "\(error(mixture.asymptoticError))."
        ]
    }

    static func warnings(_ solution: Solution, _ mixture: NoisyMixture) -> [String] {
        solution.unsolved != nil || solution.isPossible(bayes: mixture.bayesError)
            ? [] : ["these numbers cannot be right: an error is below the Bayes-optimal one"]
    }

    static func error(_ value: Double) -> String { fixed(value, 5) }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        value.isNaN ? "–" : Numbers.fixed(value, digits)
    }

    private static func compact(_ value: Double) -> String {
        value.isNaN ? "–" : Numbers.compact(value, 5)
    }

    private static func beta(_ value: Double?) -> String {
        value.map { $0 == .infinity ? "hard" : Numbers.compact($0, 4) } ?? "–"
    }

    static func stages(_ list: [StageResult]) -> TableModel {
        TableModel(
            columns: [
                .init("stage"), .init("error", .trailing), .init("m", .trailing),
                .init("Q", .trailing), .init("b", .trailing), .init("λ", .trailing),
                .init("β", .trailing), .init("κ", .trailing), .init("right labels", .trailing),
                .init("iterations", .trailing),
            ],
            rows: list.map { own in
                [
                    "\(own.stage)-SD", error(own.error), compact(own.m), compact(own.q),
                    fixed(own.bias, 4), Numbers.compact(own.lambda, 4), beta(own.beta),
                    beta(own.kappa), own.converged ? percent(own.labelAccuracy) : "–",
                    "\(own.iterations)",
                ]
            },
            note: "Error: on clean labels. Right labels: share of the training samples whose class "
                + "the stage predicts. β, κ: of the labels it learnt from.")
    }

    static func optima(_ list: [HyperParameterSearch.Optimum]) -> TableModel {
        TableModel(
            columns: [
                .init("stages"), .init("error", .trailing), .init("gain", .trailing), .init("λ"),
                .init("κ"), .init("at bounds"),
            ],
            rows: list.enumerated().map { k, own in
                let gain = k == 0 ? "–" : error(list[k - 1].error - own.error)
                let kappas = own.solution.stages.dropFirst().compactMap(\.kappa)
                return [
                    "\(k)-SD" + (own.isAdded ? "" : " (no gain)"), error(own.error), gain,
                    own.schedule.lambdas.map { Numbers.compact($0) }.joined(separator: ", "),
                    own.schedule.loss == .squared && !kappas.contains(.infinity)
                        ? "any" : kappas.map { beta($0) }.joined(separator: ", "),
                    own.bounds.map { "\($0.name) \($0.stage)" }.joined(separator: ", "),
                ]
            })
    }

    static func findings(_ list: [HyperParameterSearch.Optimum], _ mixture: NoisyMixture)
        -> [String]
    {
        var lines = levels(mixture)
        guard let first = list.first, let last = list.last, list.count > 1 else { return lines }
        let reached = (first.error - last.error) / max(first.error - mixture.bayesError, 1e-12)
        lines.append(
            "\(list.count - 1)-SD closes \(percent(min(max(reached, 0), 1))) of the gap between 0-SD "
                + "and the Bayes-optimal error.")
        if let stop = list.firstIndex(where: { !$0.isAdded }) {
            lines.append("Stage \(stop) no longer gains: stop at \(stop - 1)-SD.")
        }
        if list.contains(where: { !$0.bounds.isEmpty }) {
            lines.append(
                "A search that ends at a bound of λ says: the larger (or smaller), the better.")
        }
        return lines
    }

    static func chart(_ solution: Solution, _ mixture: NoisyMixture) -> CurveChart {
        chart(solution.stages.map(\.error), mixture, title: "Error of k-SD")
    }

    static func chart(_ errors: [Double], _ mixture: NoisyMixture, title: String) -> CurveChart {
        let x = errors.indices.map(Double.init)
        func level(_ name: String, _ value: Double) -> Curve {
            Curve(name: name, x: x, mean: x.map { _ in value })
        }
        return CurveChart(
            title: title, xLabel: "stage", yLabel: "generalisation error",
            curves: [
                Curve(name: "k-SD", x: x, mean: errors),
                level("Bayes", mixture.bayesError), level("no noise", mixture.noiselessError),
            ])
    }
}
