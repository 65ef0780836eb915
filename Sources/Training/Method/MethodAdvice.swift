import Foundation

/// What is known of a data set once cross-entropy was trained on some of it: what a method judges its
/// chances by.
public struct DataFacts: Sendable {
    /// Of the training split.
    public var samples: Int
    public var classes: Int
    /// Numbers per sample; tokens for texts.
    public var dimension: Int
    /// Whether samples are images, which have views.
    public var isImages: Bool
    /// Whether the recipe sets samples apart to learn weights on, and whether somebody checked their labels.
    public var hasMetaValidation: Bool
    public var isMetaValidationClean: Bool
    public var epochs: Int
    /// Agreement with the given labels, from 0 to 1, mean over seeds: on the validation split at the best
    /// epoch and at the last, and on the training split at the last.
    public var best: Double
    public var last: Double
    public var trained: Double
    /// Standard error of `best` from the number of validation samples.
    public var error: Double

    public init(
        samples: Int, classes: Int, dimension: Int, isImages: Bool, hasMetaValidation: Bool,
        isMetaValidationClean: Bool, epochs: Int, best: Double, last: Double, trained: Double,
        error: Double
    ) {
        (self.samples, self.classes, self.dimension) = (samples, classes, dimension)
        (self.isImages, self.hasMetaValidation) = (isImages, hasMetaValidation)
        (self.isMetaValidationClean, self.epochs) = (isMetaValidationClean, epochs)
        (self.best, self.last, self.trained, self.error) = (best, last, trained, error)
    }

    /// At most this share of the labels is wrong: whatever the network disagrees with, its own errors
    /// among it.
    public var wrongAtMost: Double { 1 - best }
    /// What the last epochs cost, from 0 to 1: wrong labels that were memorised, or plain overfitting.
    public var fall: Double { max(0, best - last) }
    /// How much better the training labels are known than those never seen.
    public var gap: Double { max(0, trained - last) }

    /// Whether so few labels can be wrong that nothing against wrong ones pays.
    public var isNearlyClean: Bool { wrongAtMost <= 0.05 }
    /// Whether the last epochs unlearn something: more than two standard errors and a point.
    public var falls: Bool { fall > max(0.01, 2 * error) }
    /// Whether labels are learnt by heart that do not carry over.
    public var memorises: Bool { gap > 0.1 }

    /// `wrongAtMost`, for a sentence.
    public var noisePhrase: String {
        "at most \(DataFacts.percent(wrongAtMost)) of the given labels are wrong"
    }
    /// `gap`, for a sentence.
    public var gapPhrase: String {
        "\(DataFacts.percent(trained)) of the training labels are known after the last epoch, "
            + "\(DataFacts.percent(last)) of the validation labels"
    }
    /// `fall`, for a sentence.
    public var fallPhrase: String {
        "from the best epoch to the last, agreement with the validation labels falls from "
            + "\(DataFacts.percent(best)) to \(DataFacts.percent(last))"
    }

    private static func percent(_ share: Double) -> String {
        String(format: "%.1f %%", 100 * share)
    }
}

/// What a method says of its use on some data before it is tried there.
public struct MethodAdvice: Sendable {
    public enum Expectation: String, Codable, Sendable, CaseIterable {
        /// The condition under which it was measured to help holds.
        case helps
        /// Nobody can tell without trying.
        case open
        /// The condition under which it was measured not to help holds, or what it needs is absent.
        case doesNot = "does-not"
    }

    public var expectation: Expectation
    /// The condition and what the data have of it, as a clause: `labels are memorised (…)`.
    public var because: String
    /// What turns a recipe of cross-entropy into one of this method: `key.path=value`. Empty where it
    /// cannot be tried.
    public var changes: [String]

    public init(_ expectation: Expectation, because: String, changes: [String] = []) {
        self.expectation = expectation
        self.because = because
        self.changes = changes
    }

    /// Of a method that keeps wrong labels from being learnt by heart.
    ///
    /// - Parameter falling: what to expect where the last epochs unlearn something.
    static func againstWrongLabels(
        _ facts: DataFacts, falling: Expectation, changes: [String]
    ) -> MethodAdvice {
        if facts.falls {
            return MethodAdvice(falling, because: facts.fallPhrase, changes: changes)
        }
        if facts.isNearlyClean {
            return MethodAdvice(.doesNot, because: facts.noisePhrase, changes: changes)
        }
        return MethodAdvice(
            .open, because: "\(facts.noisePhrase), and the last epochs unlearn nothing",
            changes: changes)
    }
}

extension MethodAdvice {
    /// Of a method against wrong labels whose gain nobody has measured here.
    ///
    /// - Parameter also: a further clause.
    static func notMeasured(
        _ facts: DataFacts, also: String? = nil, changes: [String]
    ) -> MethodAdvice {
        let clauses = [facts.noisePhrase, also, facts.isNearlyClean ? nil : "not measured yet"]
        return MethodAdvice(
            facts.isNearlyClean ? .doesNot : .open,
            because: clauses.compactMap(\.self).joined(separator: "; "), changes: changes)
    }
}

/// What can be asked whether it is worth trying: a method, or what guides one.
public protocol Advisable {
    static var name: String { get }
    /// Nil where it is what all others are compared with.
    static func advice(_ facts: DataFacts) -> MethodAdvice?
}
