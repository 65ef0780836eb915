import Diagnostics

extension Problem {
    /// A class name that would take for ever to compare.
    static func nameFault(_ file: String?, _ fault: String) -> Problem {
        Problem(
            .data, "a class name that cannot be used", at: file.map { .file($0) }, found: fault,
            expected: NameRule.expected)
    }
}
