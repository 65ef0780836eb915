import Diagnostics

// Sentences about what a weights file says of itself.

extension Problem {
    static func noCard(_ file: String) -> Problem {
        Problem(
            .data, "the weights do not say what network they are", at: .file(file, "__metadata__"),
            expected: "weights that limbeck saved",
            hint: "limbeck import takes weights of other programs")
    }
    static func badCard(_ file: String, _ found: String?, _ expected: String) -> Problem {
        Problem(
            .data, "the description of the network makes no sense",
            at: .file(file, "__metadata__"), found: found, expected: expected)
    }

    /// The same problem, said of a weights file.
    func inCard(of file: String) -> Problem {
        var problem = self
        problem.place = Place(file: file, detail: ["__metadata__"] + (place?.detail ?? []))
        return problem
    }
}
