import Diagnostics

extension Problem {
    /// `KEY.PATH: value out of range: found F, expected E`. The recipe reader adds file and line.
    static func outOfRange(_ key: String, found: String, expected: String) -> Problem {
        Problem(
            .data, "value out of range", at: Place(detail: [key]), found: found, expected: expected)
    }
}
