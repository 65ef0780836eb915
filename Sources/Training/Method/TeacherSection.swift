import Report

extension Section {
    /// How good the teacher of a phase is; no section where it was not measured.
    ///
    /// - Parameters:
    ///   - rightLabels: share of its labels for the training samples that meet the clean one, where that
    ///     is known.
    ///   - phase: its name.
    static func teacher(
        _ scores: PhaseResult.Scores?, rightLabels: Double? = nil, of phase: String
    ) -> [Section] {
        guard let scores else { return [] }
        var line =
            "\(phase) learnt from a teacher with \(percent(scores.test.accuracy)) on the test split"
        if let rightLabels {
            line += "; \(percent(rightLabels)) of its labels for the training samples are right"
        }
        var values = [
            Value(
                "teacher-accuracy", "test accuracy", scores.test.accuracy, .percent(1),
                largerIsBetter: true)
        ]
        if let rightLabels {
            values.append(
                Value(
                    "right-labels", "right labels", rightLabels, .percent(1),
                    largerIsBetter: true))
        }
        return [
            Section(
                title: "Teachers", findings: [line + "."], values: values,
                note: rightLabels == nil
                    ? nil
                    : "Right labels: the share of a teacher's labels for the training samples that "
                        + "meet the clean label.")
        ]
    }
}
