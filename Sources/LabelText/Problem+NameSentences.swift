import Diagnostics

extension Problem {
    /// A class name that is too long to be compared.
    static func nameFault(_ file: String?, _ fault: String) -> Problem {
        Problem(
            .data, "a class name is too long", at: file.map { .file($0) }, found: fault,
            expected: NameRule.expected)
    }
}
