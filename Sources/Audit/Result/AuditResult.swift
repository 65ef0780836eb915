import Datasets
import Foundation

/// What an audit found out about the labels of a data set: all that its files, its page and its JSON say.
///
/// All indices of samples are zero-based rows of the data as read.
public struct AuditResult: Sendable {
    /// How the probabilities came about.
    public enum Source: Sendable, Equatable {
        /// Folds of a method that were trained for this audit, twice where labels were changed on purpose.
        case folds(method: String, count: Int, seed: UInt64)
        /// Somebody's probabilities.
        case file(String)
    }

    /// Of the data or the recipe.
    public var name: String
    public var source: Source
    public var classNames: [String]
    /// Everything but the user's own test split.
    public var learning: AuditedPart
    /// The test split, judged apart: none of its labels is learnt from, and none is changed.
    public var test: AuditedPart?
    /// How many given labels of the test split the networks predict.
    public var testAccuracy: Accuracy?
    /// T and the noise rate of `learning`.
    public var noise: NoiseEstimate
    /// T[true][given] as it is, where true labels are known.
    public var trueTransition: [[Double]]?
    /// Pairs of classes that are taken for one another, the most samples first.
    public var overlaps: [ClassOverlap]
    public var classQuality: [ClassQuality]
    /// Sets of (near) duplicates whose given labels differ, the largest first.
    public var conflicts: [[Int]]
    /// Samples unlike all others in features, the farthest first.
    public var outliers: [Int]
    /// With several annotators.
    public var annotators: [AnnotatorQuality]
    /// How much of the labels is to be checked by somebody (`--budget`), and in what order.
    public var budget: Budget?
    /// What a person's verdicts on a random sheet say, beside the audit's own.
    public var sheet: SheetResult?
    public var warnings: [String]

    public init(
        name: String, source: Source, classNames: [String], learning: AuditedPart,
        test: AuditedPart? = nil, noise: NoiseEstimate, trueTransition: [[Double]]? = nil,
        overlaps: [ClassOverlap] = [], classQuality: [ClassQuality] = [],
        conflicts: [[Int]] = [], outliers: [Int] = [], annotators: [AnnotatorQuality] = [],
        budget: Budget? = nil, sheet: SheetResult? = nil, warnings: [String] = [],
        testAccuracy: Accuracy? = nil
    ) {
        self.name = name
        self.source = source
        self.classNames = classNames
        self.learning = learning
        self.test = test
        self.noise = noise
        self.trueTransition = trueTransition
        self.overlaps = overlaps
        self.classQuality = classQuality
        self.conflicts = conflicts
        self.outliers = outliers
        self.annotators = annotators
        self.budget = budget
        self.sheet = sheet
        self.warnings = warnings
        self.testAccuracy = testAccuracy
    }

    /// Share of the given labels that are predicted, 0 to 1.
    public struct Accuracy: Codable, Equatable, Sendable {
        /// Over all samples of the split.
        public var all: Double
        /// Over those that are not listed; nil where there are none.
        public var trusted: Double?
        /// How many are not listed.
        public var trustedSamples: Int

        public init(all: Double, trusted: Double?, trustedSamples: Int) {
            (self.all, self.trusted, self.trustedSamples) = (all, trusted, trustedSamples)
        }
    }

    /// Somebody who gave labels.
    public struct AnnotatorQuality: Codable, Equatable, Sendable {
        public var name: String
        public var labels: Int
        /// Share of the labels that agree with the consensus.
        public var agreement: Double
        /// `Consensus`' estimate of how often the annotator is right.
        public var quality: Double

        public init(name: String, labels: Int, agreement: Double, quality: Double) {
            (self.name, self.labels) = (name, labels)
            (self.agreement, self.quality) = (agreement, quality)
        }
    }

    /// What checking so many labels is expected to gain, in three orders.
    public struct Budget: Codable, Equatable, Sendable {
        public var count: Int
        /// Samples, the most worth first; `count` of them.
        public var order: [Int]
        /// Expected gain after n samples, index n from 0: by worth, by probability, at random.
        public var byWorth: [Double]
        public var byProbability: [Double]
        public var atRandom: [Double]

        public init(
            count: Int, order: [Int], byWorth: [Double], byProbability: [Double],
            atRandom: [Double]
        ) {
            (self.count, self.order) = (count, order)
            (self.byWorth, self.byProbability) = (byWorth, byProbability)
            self.atRandom = atRandom
        }
    }
}

/// Samples that are judged by one model of wrong labels.
public struct AuditedPart: Sendable {
    /// One for each sample, the most suspicious first.
    public let rows: AuditRows
    /// Whether the predictions tell anything.
    public let usefulness: Usefulness
    /// Noise rate, precision at every length, weights of the evidence.
    public let model: WrongLabelModel
    /// The list: so many of the first rows. 0 where nothing is listed, because predictions are useless or no
    /// wrong label is expected.
    public let listed: Int
    /// True labels by row of the data, where they are known; nil where they are not.
    public let truth: [Int: Int]?

    /// With fewer wrong labels expected, none is listed unasked.
    private static let leastWrong = 0.5

    /// - Parameter length: of the list; nil: the one at which F1 is expected to be largest.
    public init(
        rows: AuditRows, usefulness: Usefulness, model: WrongLabelModel, length: Int? = nil,
        truth: [Int: Int]? = nil
    ) {
        self.rows = rows
        self.usefulness = usefulness
        self.model = model
        self.truth = truth
        let isExpected = model.precision.wrong >= AuditedPart.leastWrong
        let best = isExpected ? model.precision.recommended?.count ?? 0 : 0
        listed = usefulness.isUseless ? 0 : min(rows.rows.count, length ?? best)
    }

    public var count: Int { rows.rows.count }

    /// Samples of the list, the most suspicious first.
    public var list: [Int] { rows.rows.prefix(listed).map(\.sample) }

    /// What is expected of the list; nil where it is empty.
    public var expected: ListPrecision.Length? {
        listed > 0 ? model.precision[listed] : nil
    }

    /// Whether each row's label is wrong indeed; nil where true labels are not known.
    public var wrong: [Bool]? {
        truth.map { truth in rows.rows.map { truth[$0.sample] != $0.given } }
    }

    /// How the list does where true labels are known; nil where they are not, or where none or all are wrong.
    public var measured: MeasuredList? {
        wrong.flatMap { MeasuredList(wrong: $0, listed: listed) }
    }

    /// Share of wrong labels; nil where true labels are not known.
    public var trueRate: Double? {
        wrong.map { wrong in Double(wrong.count { $0 }) / Double(max(1, count)) }
    }

    /// Share of wrong labels among the first n rows, index n − 1; nil where true labels are not known.
    public var truePrecision: [Double]? {
        wrong.map { wrong in
            var found = 0
            return wrong.enumerated().map { i, isWrong in
                found += isWrong ? 1 : 0
                return Double(found) / Double(i + 1)
            }
        }
    }

    /// How well each column of the evidence tells wrong labels by itself, see ``MeasuredList/area(_:wrong:)``,
    /// in the order of `rows.evidenceNames`; nil where true labels are not known.
    public var evidenceAreas: [Double?]? {
        wrong.map { wrong in
            rows.evidenceNames.indices.map { j in
                MeasuredList.area(rows.rows.map { $0.evidence[j] }, wrong: wrong)
            }
        }
    }
}
