import Diagnostics

extension Problem {
    /// A template that belongs to the program is missing or damaged: a broken installation.
    static func template(_ name: String, _ reason: String) -> Problem {
        Problem(
            .internal, "the page template cannot be used: \(reason)", at: .file(name),
            hint: "the program's resource folder must stand beside it")
    }
}
