import Report

/// An objective with one teacher: how good the teacher is is said when training begins, and shown at its end.
public protocol TeacherLed: Objective {
    /// Measured before the first step; nil where there was nothing to measure it on.
    var teacherScores: PhaseResult.Scores? { get }
    /// Share of the teacher's labels for the training samples that meet the clean one, where that is known.
    var rightLabels: Double? { get }
}

extension TeacherLed {
    public var rightLabels: Double? { nil }

    public func begin(_ epoch: EpochContext) throws { epoch.note(teacher: teacherScores) }

    public func sections(of result: PhaseResult, _ epoch: EpochContext) throws -> [Section] {
        Section.teacher(teacherScores, rightLabels: rightLabels, of: result.name)
    }
}
