import Diagnostics
import Foundation

// Every sentence of this target; tests pin them.

extension Problem {
    static func wrong(_ name: String, _ value: Double, _ expected: String) -> Problem {
        Problem(
            .usage, "wrong value", at: .init(detail: [name]), found: "\(value)", expected: expected)
    }
    static func noLambda() -> Problem {
        Problem(.usage, "no stage", at: .init(detail: ["lambda"]), expected: "at least one number")
    }
    static func wrongCount(_ name: String, _ found: Int, _ expected: Int) -> Problem {
        Problem(
            .usage, "wrong count", at: .init(detail: [name]), found: "\(found)",
            expected: "\(expected), one fewer than lambda")
    }
    static func tooManyStages(_ found: Int, _ limit: Int) -> Problem {
        Problem(.usage, "too many stages", found: "\(found)", expected: "at most \(limit)")
    }
    static func unsolved(_ stage: StageResult) -> Problem {
        let residual = String(format: "%.1e", stage.residual)
        return Problem(
            .data, "the equations were not solved", at: .init(detail: ["stage \(stage.stage)"]),
            found: stage.residual.isFinite
                ? "residual \(residual) after \(stage.iterations) iterations"
                : "no possible values",
            hint:
                "a learnt bias runs away where labels are of one class: carry or fix it, or change "
                + "lambda")
    }
    package static func noOptimum(stages: Int) -> Problem {
        Problem(
            .data, "the search found no point where the equations have a solution",
            at: .init(detail: ["\(stages)-SD"]),
            hint: "narrow the bounds of lambda, or change alpha, delta, theta or rho")
    }
}
