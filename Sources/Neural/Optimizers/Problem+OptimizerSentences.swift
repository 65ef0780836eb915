import Diagnostics

/// The sentences of the optimizers and schedules. Tests pin them.
extension Problem {
    static func outOfRange(_ key: String, _ value: Double, _ range: String, at place: Place?)
        -> Problem
    {
        Problem(
            .data, "\(key) is out of range", at: place, found: "\(value)",
            expected: "a number \(range)")
    }

    static func nesterovWithoutMomentum(at place: Place?) -> Problem {
        Problem(
            .data, "nesterov needs momentum", at: place, found: "momentum 0",
            expected: "momentum above 0", hint: "set momentum: 0.9, or nesterov: false")
    }

    static func milestonesNotRising(_ milestones: [Double], at place: Place?) -> Problem {
        Problem(
            .data, "milestones must rise", at: place, found: "\(milestones)",
            expected: "positive epochs, each after the one before")
    }

    /// Saved optimizer or moving-average state that does not belong to this network or these options.
    static func savedStateDiffers(
        _ owner: String, _ name: String, found: String, expected: String, source: String?
    ) -> Problem {
        Problem(
            .data, "the saved state does not fit \(owner)",
            at: Place(file: source, detail: ["tensor \(name)"]), found: found, expected: expected,
            hint: "was it saved with another network or other optimizer options?")
    }
}
