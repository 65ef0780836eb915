import Diagnostics

// Every sentence of the experiments on features; tests pin them.

extension Problem {
    static func badFeatures(
        _ file: String, _ place: String, _ found: String, _ expected: String
    ) -> Problem {
        Problem(
            .data, "features that cannot be used", at: .file(file, place), found: found,
            expected: expected)
    }
    static func pixelsOfText(_ file: String) -> Problem {
        Problem(
            .data, "texts have no pixels", at: .file(file),
            hint: "give a run folder or a weights file")
    }
    static func noSignal() -> Problem {
        Problem(
            .data, "the features do not tell the classes apart",
            hint: "other features, more samples or a noise rate that is known")
    }
}
