import Diagnostics

extension Problem {
    /// `KEY.PATH: value out of range: found F, expected E`. The recipe reader adds file and line.
    static func outOfRange(_ key: String, found: String, expected: String) -> Problem {
        Problem(
            .data, "value out of range", at: Place(detail: [key]), found: found, expected: expected)
    }
    static func singular(_ lambda: Double, _ reason: String) -> Problem {
        Problem(
            .data, "the linear classifier's equations cannot be solved", found: reason,
            hint: "lambda is \(lambda): take a larger one, or standardise the features")
    }
}
