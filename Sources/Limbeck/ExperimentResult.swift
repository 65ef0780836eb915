import Report
import RunReports
import Training

/// What a training gave. Everything is in its folder as well, for `limbeck predict`, `evaluate` and
/// `report`.
public struct ExperimentResult: Sendable {
    public let result: RunResult
    public let folder: String

    /// Scores of the epoch that was best on the validation split.
    public var selected: PhaseResult.Scores { result.evaluations.selected }
    /// Scores after the last epoch.
    public var last: PhaseResult.Scores { result.evaluations.last }
    /// Every phase, in order.
    public var phases: [PhaseResult] { result.scores.phases }

    /// The trained network, ready to evaluate and predict.
    public var model: SavedModel { get throws { try SavedModel(path: folder) } }

    /// The page that `limbeck train` writes: `try result.report.write(to: "report.html")`.
    public var report: RunPage {
        get throws { try RunReport.page(RunRecord(folder: folder)) }
    }
}
