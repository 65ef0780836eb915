import Diagnostics
import Files

/// Labels that a file puts in the place of given ones, and samples that it leaves out of training.
///
///     sample,label
///     17,sneaker
///     203,
///
/// An empty label leaves the sample out. With a column `keep` (1, 0, true, false, yes, no) that column says
/// which samples are left out, and an empty label stays what it was. True labels are not touched.
public struct LabelEdits: Equatable, Sendable {
    /// New labels, by sample.
    public private(set) var labels: [Int: Int]
    /// Samples that nothing is learnt from.
    public private(set) var leftOut: Set<Int>

    public var isEmpty: Bool { labels.isEmpty && leftOut.isEmpty }

    public init(labels: [Int: Int] = [:], leftOut: Set<Int> = []) {
        self.labels = labels
        self.leftOut = leftOut
    }

    /// Reads a file.
    ///
    /// - Parameter data: as read; samples are counted in it, labels are its classes, by name or number.
    /// - Throws: for the first row that does not fit the data.
    public init(_ options: SampleFileOptions, for data: Dataset) throws(Problem) {
        let file = try SampleFile(options.file, of: data, needed: "label", optional: ["keep"])
        self.init()
        let words = Set(file.rows.compactMap { file.cell("label", of: $0) }).subtracting([""])
        let classes = ClassReader(
            classCount: data.classCount, classNames: data.classNames, words: words)
        for row in file.rows {
            let word = file.cell("label", of: row) ?? ""
            var isKept = !word.isEmpty
            if let keep = file.cell("keep", of: row) {
                guard let said = LabelEdits.truth[keep.lowercased()] else {
                    throw .sampleFileKeep(file.path, row.line, keep)
                }
                isKept = said
            }
            if !isKept { leftOut.insert(row.sample) }
            guard !word.isEmpty else { continue }
            guard let label = classes[word] else {
                throw .labelFileLabel(file.path, row.line, word, classes)
            }
            if isKept { labels[row.sample] = label }
        }
    }

    private static let truth = [
        "1": true, "true": true, "yes": true, "0": false, "false": false, "no": false,
    ]

    /// What it says of some samples, each by its place among them.
    ///
    /// - Parameter samples: all different.
    public func subset(_ samples: [Int]) -> LabelEdits {
        var subset = LabelEdits()
        for (place, sample) in samples.enumerated() {
            if let label = labels[sample] { subset.labels[place] = label }
            if leftOut.contains(sample) { subset.leftOut.insert(place) }
        }
        return subset
    }

    /// Without what it says of some samples.
    public func without(_ samples: some Sequence<Int>) -> LabelEdits {
        var rest = self
        for sample in samples {
            rest.labels[sample] = nil
            rest.leftOut.remove(sample)
        }
        return rest
    }

    /// SHA-256 of the samples that are left out, each in decimal on a line; empty where there are none.
    public var hashOfLeftOut: String {
        guard !leftOut.isEmpty else { return "" }
        var hash = SHA256()
        for sample in leftOut.sorted() { hash.update("\(sample)\n".utf8) }
        return hash.finish()
    }
}

extension NoisyLabels {
    /// These labels with those of a file in their place, and without the samples that it leaves out.
    ///
    /// What the recipe's noise would lead one to expect no longer holds; what is measured does.
    ///
    /// - Parameter edits: by `ids`.
    public func edited(by edits: LabelEdits) -> NoisyLabels {
        guard !edits.isEmpty else { return self }
        let kept = ids.indices.filter { !edits.leftOut.contains(ids[$0]) }
        return NoisyLabels(
            noise, seed: seed, ids: kept.map { ids[$0] },
            clean: kept.map { i in
                knowsClean ? clean[i] : edits.labels[ids[i]] ?? labels[i]
            },
            labels: kept.map { edits.labels[ids[$0]] ?? labels[$0] }, classCount: classCount,
            classNames: classNames, intended: nil, warnings: warnings, knowsClean: knowsClean,
            isAsIntended: false)
    }
}
