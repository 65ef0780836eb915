import Diagnostics
import Files

/// What a ``LabelNoise`` recipe made of a list of labels, and how much noise that really was.
public struct NoisyLabels: Equatable, Sendable {
    /// The recipe, and the seed its draws came from.
    public let noise: LabelNoise
    public let seed: UInt64
    /// What identifies each sample, `[N]`: the index in the whole data.
    public let ids: [Int]
    /// The given labels, `[N]`, and the clean ones they came from.
    public let labels: [Int]
    public let clean: [Int]
    public let classCount: Int
    public let classNames: [String]?
    /// Samples per clean class, `[C]`.
    public let counts: [Int]
    /// Whether `clean` is known to be right. Where it is not, it repeats the given labels, and nothing
    /// is known of their noise.
    public let knowsClean: Bool
    /// Share of the samples whose given label differs from the clean one; 0 without samples; nil where
    /// no clean label is known.
    public let realisedRate: Double?
    /// Share of each clean class (row) that was given each label, `[C][C]`. A class without
    /// samples has the row of the identity and stands in ``emptyClasses``. Nil where no clean label is
    /// known.
    public let realisedTransition: [[Double]]?
    /// Classes that no sample has, ascending.
    public let emptyClasses: [Int]
    /// What was asked for; nil where it is not a matter of classes alone (instance, file).
    public let intendedTransition: [[Double]]?
    /// The rate one should expect of these clean labels; nil for a label file.
    public let intendedRate: Double?
    /// Of the given labels in decimal, one a line, in lower-case hexadecimal: what
    /// `sha256sum` prints for such a file.
    public let sha256: String
    /// What works but is seldom meant, one sentence each.
    public let warnings: [String]
    /// Whether the recipe reproduces another code base's quirk.
    public var compatibility: Bool { noise.isCompatibility }

    /// Measures `labels` against `clean`; both `[N]` and 0..<`classCount`.
    ///
    /// - Parameter isAsIntended: whether the labels are as the recipe's noise made them.
    init(
        _ noise: LabelNoise, seed: UInt64, ids: [Int], clean: [Int], labels: [Int], classCount: Int,
        classNames: [String]?, intended: [[Double]]?, warnings: [String], knowsClean: Bool = true,
        isAsIntended: Bool = true
    ) {
        self.knowsClean = knowsClean
        self.noise = noise
        self.seed = seed
        self.ids = ids
        self.labels = labels
        self.clean = clean
        self.classCount = classCount
        self.classNames = classNames
        self.warnings = warnings
        intendedTransition = intended

        var matrix = [[Double]](
            repeating: [Double](repeating: 0, count: classCount), count: classCount)
        var counts = [Int](repeating: 0, count: classCount)
        var changed = 0
        for (a, b) in zip(clean, labels) {
            matrix[a][b] += 1
            counts[a] += 1
            if a != b { changed += 1 }
        }
        for a in 0..<classCount {
            if counts[a] == 0 {
                matrix[a][a] = 1
            } else {
                for b in 0..<classCount { matrix[a][b] /= Double(counts[a]) }
            }
        }
        self.counts = counts
        emptyClasses = counts.indices.filter { counts[$0] == 0 }
        realisedTransition = knowsClean ? matrix : nil
        let share = clean.isEmpty ? 0 : Double(changed) / Double(clean.count)
        realisedRate = knowsClean ? share : nil
        if let intended {
            let expected = counts.indices.reduce(0) {
                $0 + Double(counts[$1]) * (1 - intended[$1][$1])
            }
            intendedRate = clean.isEmpty ? 0 : expected / Double(clean.count)
        } else if isAsIntended, noise.needs != nil, let rate = noise.rate {
            intendedRate = LabelNoise.truncatedNormalMean(rate)
        } else {
            intendedRate = nil
        }
        var hash = SHA256()
        for label in labels { hash.update("\(label)\n".utf8) }
        sha256 = hash.finish()
    }

    /// Writes a label file: a header `index,given,clean`, then one row per sample, classes by name
    /// where the data has names; `index` is the sample's id, and `clean` is empty where it is not known.
    /// Kind `file` reads it back, and refuses it on other data.
    public func write(to path: String, using files: some FileSystem) throws(Problem) {
        let words = (0..<classCount).map { c in
            PlainText.escaped(classNames.flatMap { c < $0.count ? $0[c] : nil } ?? "\(c)")
        }
        let rows = ids.indices.lazy.map { i in
            ["\(ids[i])", words[labels[i]], knowsClean ? words[clean[i]] : nil]
        }
        try files.replace(path, with: CSV.file(["index", "given", "clean"], rows))
    }
}
