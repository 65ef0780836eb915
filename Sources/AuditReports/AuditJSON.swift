import Audit
import Diagnostics

/// An audit as one object of JSON: `audit.json`, and what `limbeck audit --json` prints. What is not known is null.
///
/// Where predictions tell nothing of the labels, the noise rate and the matrix are null and tables of classes are
/// empty: they would be estimates out of nothing.
public struct AuditJSON: Encodable, Sendable {
    let folder: String
    let name: String
    let source: Source
    let classes: [String]
    let learning: Part
    @OrNull var test: Part?
    @OrNull var transition: [[Double]]?
    @OrNull var trueTransition: [[Double]]?
    let overlaps: [Overlap]
    let classQuality: [Quality]
    let conflicts: Int
    let outliers: Int
    let annotators: [AuditResult.AnnotatorQuality]
    @OrNull var budget: Budget?
    @OrNull var sheet: Sheet?
    let warnings: [String]
    let files: [String: String]
    @OrNull var report: String?

    /// Pairs of classes that are listed at most: a thousand classes have half a million.
    static let mostOverlaps = 200

    /// - Parameters:
    ///   - folder: that of the audit.
    ///   - files: paths of what was written, by what it is: `audit`, `labels`, …
    ///   - report: path of the page; nil where there is none.
    public init(
        _ result: AuditResult, folder: String, files: [String: String] = [:],
        report: String? = nil
    ) {
        self.folder = folder
        name = result.name
        source = Source(result.source)
        classes = result.classNames
        learning = Part(result.learning)
        conflicts = result.conflicts.count
        outliers = result.outliers.count
        annotators = result.annotators
        warnings = result.warnings
        self.files = files
        let isKnown = !result.learning.usefulness.isUseless
        overlaps =
            isKnown
            ? result.overlaps.filter { $0.samples > 0 }.prefix(AuditJSON.mostOverlaps).map {
                Overlap($0, result.classNames)
            } : []
        classQuality = isKnown ? result.classQuality.map { Quality($0, result.classNames) } : []
        test = result.test.map { Part($0, accuracy: result.testAccuracy) }
        transition = isKnown ? result.noise.transition : nil
        trueTransition = result.trueTransition
        budget = result.budget.map(Budget.init)
        sheet = result.sheet.map(Sheet.init)
        self.report = report
    }

    /// On one line, with a line feed at its end.
    public var line: [UInt8] { JSON.line(self) }

    /// For a file that people read too: indented, with a line feed at its end.
    public var file: [UInt8] { JSON.file(self) }

    enum CodingKeys: String, CodingKey {
        case folder, name, source, classes, learning, test, transition, overlaps, conflicts
        case outliers, annotators, budget, sheet, warnings, files, report
        case trueTransition = "true-transition"
        case classQuality = "class-quality"
    }
}

extension AuditJSON {
    struct Source: Encodable, Sendable {
        var kind: String
        var method: String?
        var folds: Int?
        var seed: UInt64?
        var file: String?

        init(_ source: AuditResult.Source) {
            switch source {
            case .folds(let method, let count, let seed):
                (kind, self.method, folds, self.seed) = ("folds", method, count, seed)
            case .file(let path): (kind, file) = ("file", path)
            }
        }
    }

    struct Part: Encodable, Sendable {
        var samples: Int
        var useful: Useful
        @OrNull var noiseRate: Rate?
        @OrNull var trueNoiseRate: Double?
        @OrNull var list: List?
        @OrNull var measured: Measured?
        var evidence: [Column]
        @OrNull var injectedArea: Double?
        @OrNull var accuracy: Accuracy?

        init(_ part: AuditedPart, accuracy: AuditResult.Accuracy? = nil) {
            samples = part.count
            useful = Useful(part.usefulness)
            let weights = Dictionary(part.model.weights.map { ($0.column, $0.weight) }) { a, _ in a
            }
            let areas = part.evidenceAreas
            evidence = part.rows.evidenceNames.enumerated().map { j, name in
                Column(column: name, weight: weights[name], area: areas?[j])
            }
            noiseRate = part.usefulness.isUseless ? nil : Rate(part.model.rate)
            trueNoiseRate = part.trueRate
            list = part.expected.map(List.init)
            measured = part.measured.map(Measured.init)
            injectedArea = part.model.injectedArea
            self.accuracy = accuracy.map(Accuracy.init)
        }

        enum CodingKeys: String, CodingKey {
            case samples, useful, list, measured, evidence, accuracy
            case noiseRate = "noise-rate"
            case trueNoiseRate = "true-noise-rate"
            case injectedArea = "injected-auc"
        }
    }

    struct Useful: Encodable, Sendable {
        var hits: Double
        var chance: Double
        var p: Double
        var isUseless: Bool

        init(_ useful: Usefulness) {
            (hits, chance, p) = (useful.hits, useful.chance, useful.p)
            isUseless = useful.isUseless
        }

        enum CodingKeys: String, CodingKey {
            case hits, chance, p
            case isUseless = "is-useless"
        }
    }

    struct Rate: Encodable, Sendable {
        var estimate: Double
        var low: Double
        var high: Double

        init(_ rate: RateInterval) {
            (estimate, low, high) = (rate.estimate, rate.low, rate.high)
        }
    }

    struct List: Encodable, Sendable {
        var count: Int
        var precision: Double
        var low: Double
        var high: Double
        var recall: Double
        /// How many of the list are expected to be wrong.
        var expectedWrong: Double

        init(_ length: ListPrecision.Length) {
            (count, precision) = (length.count, length.precision)
            (low, high, recall) = (length.low, length.high, length.recall)
            expectedWrong = length.precision * Double(length.count)
        }

        enum CodingKeys: String, CodingKey {
            case count, precision, low, high, recall
            case expectedWrong = "expected-wrong"
        }
    }

    struct Measured: Encodable, Sendable {
        var area: Double
        @OrNull var precision: Double?
        var recall: Double
        var f1: Double
        var bestF1: Double
        var precisionAtRecall80: Double

        init(_ list: MeasuredList) {
            (area, recall, f1) = (list.area, list.recall, list.f1)
            (bestF1, precisionAtRecall80) = (list.bestF1, list.precisionAtRecall80)
            precision = list.precision
        }

        enum CodingKeys: String, CodingKey {
            case precision, recall, f1
            case area = "auc"
            case bestF1 = "best-f1"
            case precisionAtRecall80 = "precision-at-recall-80"
        }
    }

    struct Column: Encodable, Sendable {
        var column: String
        /// Of the standardised column; null where it was not learnt from.
        @OrNull var weight: Double?
        @OrNull var area: Double?

        enum CodingKeys: String, CodingKey {
            case column, weight
            case area = "auc"
        }
    }

    struct Accuracy: Encodable, Sendable {
        var all: Double
        @OrNull var trusted: Double?
        var trustedSamples: Int

        init(_ accuracy: AuditResult.Accuracy) {
            (all, trustedSamples) = (accuracy.all, accuracy.trustedSamples)
            trusted = accuracy.trusted
        }

        enum CodingKeys: String, CodingKey {
            case all, trusted
            case trustedSamples = "trusted-samples"
        }
    }

    struct Overlap: Encodable, Sendable {
        var classes: [String]
        var samples: Int
        var share: Double

        init(_ overlap: ClassOverlap, _ names: [String]) {
            classes = overlap.classes.map { names[$0] }
            (samples, share) = (overlap.samples, overlap.joint)
        }
    }

    struct Quality: Encodable, Sendable {
        var name: String
        var wronglyGiven: Int
        var missed: Int
        var labelQuality: Double

        init(_ quality: ClassQuality, _ names: [String]) {
            name = names[quality.index]
            (wronglyGiven, missed) = (quality.wronglyGiven, quality.missed)
            labelQuality = quality.labelQuality
        }

        enum CodingKeys: String, CodingKey {
            case missed
            case name = "class"
            case wronglyGiven = "wrongly-given"
            case labelQuality = "label-quality"
        }
    }

    struct Budget: Encodable, Sendable {
        var count: Int
        var gain: Double
        var gainByProbability: Double
        var gainAtRandom: Double

        init(_ budget: AuditResult.Budget) {
            count = budget.count
            gain = budget.byWorth.last ?? 0
            gainByProbability = budget.byProbability.last ?? 0
            gainAtRandom = budget.atRandom.last ?? 0
        }

        enum CodingKeys: String, CodingKey {
            case count, gain
            case gainByProbability = "gain-by-probability"
            case gainAtRandom = "gain-at-random"
        }
    }

    struct Sheet: Encodable, Sendable {
        struct Share: Encodable, Sendable {
            /// Null where nothing was judged.
            @OrNull var share: Double?
            var low: Double
            var high: Double
            /// How many were judged.
            var judged: Int

            init(_ share: SampledShare) {
                (low, high, judged) = (share.low, share.high, share.drawn)
                self.share = share.estimate
            }
        }

        var rate: Share
        /// Null where no sample of the list was judged.
        @OrNull var precision: Share?
        var unsure: Int
        var agreesOnRate: Bool
        @OrNull var agreesOnPrecision: Bool?

        init(_ sheet: SheetResult) {
            rate = Share(sheet.rate)
            unsure = sheet.unsure
            agreesOnRate = sheet.agreesOnRate
            precision = sheet.precision.drawn > 0 ? Share(sheet.precision) : nil
            agreesOnPrecision = sheet.agreesOnPrecision
        }

        enum CodingKeys: String, CodingKey {
            case rate, precision, unsure
            case agreesOnRate = "agrees-on-rate"
            case agreesOnPrecision = "agrees-on-precision"
        }
    }
}
