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
        budget: Budget? = nil, sheet: SheetResult? = nil, warnings: [String] = []
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

    /// - Parameter length: of the list; nil: the one at which F1 is expected to be largest.
    public init(
        rows: AuditRows, usefulness: Usefulness, model: WrongLabelModel, length: Int? = nil,
        truth: [Int: Int]? = nil
    ) {
        self.rows = rows
        self.usefulness = usefulness
        self.model = model
        self.truth = truth
        let best = model.precision.recommended?.count ?? 0
        listed = usefulness.isUseless ? 0 : min(rows.rows.count, length ?? best)
    }

    public var count: Int { rows.rows.count }

    /// Samples of the list, the most suspicious first.
    public var list: [Int] { rows.rows.prefix(listed).map(\.sample) }

    /// What is expected of the list; nil where it is empty.
    public var expected: ListPrecision.Length? {
        listed > 0 ? model.precision[listed] : nil
    }

    /// How the list does where true labels are known; nil where they are not, or where none or all are wrong.
    public var measured: MeasuredList? {
        truth.flatMap { truth in
            MeasuredList(
                wrong: rows.rows.map { truth[$0.sample] != $0.given }, listed: listed)
        }
    }

    /// Share of wrong labels; nil where true labels are not known.
    public var trueRate: Double? {
        truth.map { truth in
            Double(rows.rows.count { truth[$0.sample] != $0.given }) / Double(max(1, count))
        }
    }
}

/// A list of samples beside what is wrong indeed.
public struct MeasuredList: Codable, Equatable, Sendable {
    /// Share of pairs of a wrong and a right label in which the wrong one stands first.
    public let area: Double
    /// Of the list; nil where it is empty.
    public let precision: Double?
    public let recall: Double
    public let f1: Double
    /// The largest F1 of any length.
    public let bestF1: Double
    /// Precision of the shortest list that has four fifths of the wrong labels.
    public let precisionAtRecall80: Double

    /// - Parameter wrong: of each sample, the most suspicious first.
    init?(wrong: [Bool], listed: Int) {
        let all = wrong.count { $0 }
        guard all > 0, all < wrong.count else { return nil }
        var (found, pairs, best, at80) = (0, 0, 0.0, 0.0)
        for (i, isWrong) in wrong.enumerated() {
            if isWrong { found += 1 } else { pairs += found }
            best = max(best, 2 * Double(found) / Double(i + 1 + all))
            if at80 == 0, Double(found) >= 0.8 * Double(all) {
                at80 = Double(found) / Double(i + 1)
            }
        }
        area = Double(pairs) / (Double(all) * Double(wrong.count - all))
        let hits = wrong.prefix(listed).count { $0 }
        precision = listed > 0 ? Double(hits) / Double(listed) : nil
        recall = Double(hits) / Double(all)
        f1 = 2 * Double(hits) / Double(listed + all)
        (bestF1, precisionAtRecall80) = (best, at80)
    }
}
