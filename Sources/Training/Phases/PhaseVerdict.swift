import Distillation
import Report

/// Whether a phase that has to gain on an earlier one did: `PhaseTarget.mustGainOn`.
///
/// Where it did not, the phase is declined: its weights' files and scores are those of the phase that it
/// had to gain on, and so are those of every later phase that has to gain on this one, which is not trained
/// at all. Whatever reads the last phase of a chain then finds the last one that was accepted.
public struct PhaseVerdict: Codable, Equatable, Sendable {
    /// Name of the phase that it had to gain on; of a phase that was not trained, the one whose result
    /// stands.
    public var over: String
    public var isAccepted: Bool
    /// Share of the validation samples that it classifies better, −1 to 1; nil if it was not trained.
    public var gain: Double?
    public var standardError: Double?
    /// In the validation split.
    public var samples: Int?
    /// What the declined phase's own network and its averaged weights score.
    public var declined: PhaseResult.Evaluations?
    public var declinedEMA: PhaseResult.Evaluations?

    var wasTrained: Bool { gain != nil }

    /// As part of a line: "declined for stage-0: -0.5 ± 0.8 points on 400 validation samples".
    public var sentence: String {
        guard let gain, let standardError, let samples else {
            return "not trained: the stage before it was declined; the result is \(over)'s"
        }
        let points = Numbers.fixed(100 * gain, 1)
        let figure =
            "\(gain > 0 ? "+" : "")\(points) ± \(Numbers.fixed(100 * standardError, 1)) points over "
            + "\(over) on \(samples) validation samples"
        return isAccepted
            ? "accepted: \(figure)"
            : "declined: \(figure), no more than the standard error; the result is \(over)'s"
    }
}

extension PhaseResult {
    /// Whether its result is an earlier phase's.
    public var isDeclined: Bool { verdict?.isAccepted == false }
}

extension [PhaseResult] {
    /// The place of the phase whose training made the chain's result.
    public var accepted: Int { lastIndex { !$0.isDeclined } ?? 0 }
}
