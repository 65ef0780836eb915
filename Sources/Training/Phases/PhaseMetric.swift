/// What the scores of a phase are: accuracy on the given labels of the splits, or what stands in its
/// place.
public struct PhaseMetric: Codable, Equatable, Sendable {
    /// `accuracy`, `agreement with the teacher`.
    public var name: String
    /// What the test scores are measured on: `the test split`.
    public var testSet: String
    /// What predictions are compared with: `label`, `teacher`.
    public var reference: String
    /// Whether the test scores are measured on labels of the test split.
    public var isOfTestLabels: Bool
    /// Whether the scores stand in tables and curves beside those of other phases.
    public var isShown: Bool
    /// Sentences under a table of the scores.
    public var note: String?

    public static let accuracy = PhaseMetric()

    public init(
        name: String = "accuracy", testSet: String = "the test split", reference: String = "label",
        isOfTestLabels: Bool = true, isShown: Bool = true, note: String? = nil
    ) {
        self.name = name
        self.testSet = testSet
        self.reference = reference
        self.isOfTestLabels = isOfTestLabels
        self.isShown = isShown
        self.note = note
    }
}
