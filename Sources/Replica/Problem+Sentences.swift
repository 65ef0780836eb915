import Diagnostics

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
    static func noOptimum() -> Problem {
        Problem(
            .data, "the search found no point where the equations have a solution",
            hint: "narrow the bounds of lambda, or change alpha, delta, theta or rho")
    }
}
