import Diagnostics

/// Labels of several annotators for the same samples, some of them missing.
public struct Annotations: Equatable, Sendable {
    public let annotators: Int
    public let classes: Int
    /// A row for each sample; −1 where an annotator gave none.
    private let labels: [Int32]

    public var count: Int { labels.count / annotators }

    /// - Parameters:
    ///   - labels: [samples][annotators], 0 to classes − 1, nil where there is none.
    /// - Throws: `Problem` (`.data`) for rows of different length, a label that is no class, a sample without
    ///   a label, or where no sample has two labels, so that nobody can be compared.
    public init(_ labels: [[Int?]], classes: Int) throws(Problem) {
        let annotators = labels.first?.count ?? 0
        guard annotators > 0 else { throw .noAnnotations }
        var all: [Int32] = []
        all.reserveCapacity(labels.count * annotators)
        var hasSeveral = false
        for (i, row) in labels.enumerated() {
            guard row.count == annotators else {
                throw .annotationCount(sample: i, row.count, annotators: annotators)
            }
            for label in row {
                if let label, !(0..<classes).contains(label) {
                    throw .labelOutOfRange(row: i, label, classes: classes)
                }
                all.append(label.map { Int32($0) } ?? -1)
            }
            let given = row.count { $0 != nil }
            guard given > 0 else { throw .withoutAnnotation(sample: i) }
            hasSeveral = hasSeveral || given > 1
        }
        guard hasSeveral else { throw .nobodyAnnotatedTheSame }
        (self.annotators, self.classes, self.labels) = (annotators, classes, all)
    }

    subscript(sample: Int, annotator: Int) -> Int? {
        let label = labels[sample * annotators + annotator]
        return label < 0 ? nil : Int(label)
    }

    /// Annotators and their labels of one sample.
    func given(_ sample: Int) -> [(annotator: Int, label: Int)] {
        (0..<annotators).compactMap { j in self[sample, j].map { (j, $0) } }
    }

    /// How often each class was given to a sample.
    func votes(_ sample: Int) -> [Int] {
        var votes = [Int](repeating: 0, count: classes)
        for (_, label) in given(sample) { votes[label] += 1 }
        return votes
    }

    /// Number of labels of each sample.
    var numbers: [Int] { (0..<count).map { i in given(i).count } }

    /// The label that most annotators gave each sample. Of equals, in this order: the class with the largest
    /// probability; that which was given least often to all samples; that whose annotators agree best with
    /// the majority where there is one; the first.
    ///
    /// - Parameter table: out-of-sample probabilities of the same samples and classes.
    public func majority(_ table: ProbabilityTable? = nil) -> [Int] {
        precondition(table.map { $0.rows == count && $0.classes == classes } ?? true)
        let votes = (0..<count).map(votes)
        let tied = votes.map { row in
            let most = row.max()!
            return row.indices.filter { row[$0] == most }
        }
        let frequencies = votes.reduce(into: [Int](repeating: 0, count: classes)) { sums, row in
            for k in row.indices { sums[k] += row[k] }
        }
        let agreements = agreements(tied)
        return tied.enumerated().map { i, tied in
            var tied = tied
            func keep<Value: Comparable>(largest value: (Int) -> Value) {
                guard tied.count > 1 else { return }
                let values = tied.map(value)
                let largest = values.max()!
                tied = zip(tied, values).filter { $0.1 == largest }.map(\.0)
            }
            if let table {
                let row = tied.count > 1 ? table.row(i) : []
                keep { row[$0] }
            }
            keep { -frequencies[$0] }
            keep { k in
                let own = given(i).filter { $0.label == k }
                return own.reduce(0) { $0 + agreements[$1.annotator] } / Double(own.count)
            }
            return tied[0]
        }
    }

    /// Share of an annotator's labels that are those of the majority, where there is a single one; the mean
    /// of the others for an annotator without such samples.
    private func agreements(_ tied: [[Int]]) -> [Double] {
        var (equal, all) = (
            [Double](repeating: 0, count: annotators), [Double](repeating: 0, count: annotators)
        )
        for (i, classes) in tied.enumerated() where classes.count == 1 {
            for (j, label) in given(i) {
                all[j] += 1
                if label == classes[0] { equal[j] += 1 }
            }
        }
        return filled(zip(equal, all).map { $1 > 0 ? $0 / $1 : nil })
    }

    /// The values, with the mean of those there are for the others.
    func filled(_ values: [Double?]) -> [Double] {
        let known = values.compactMap(\.self)
        let mean = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
        return values.map { $0 ?? mean }
    }
}

extension Problem {
    fileprivate static var noAnnotations: Problem {
        Problem(
            .data, "no annotations", found: "no sample or no annotator",
            expected: "a row for each sample, a column for each annotator")
    }

    fileprivate static func annotationCount(
        sample: Int, _ found: Int, annotators: Int
    ) -> Problem {
        Problem(
            .data, "annotations of a sample have the wrong number",
            at: Place(detail: ["row \(sample)"]), found: "\(found)",
            expected: "\(annotators), as in the first row")
    }

    fileprivate static func withoutAnnotation(sample: Int) -> Problem {
        Problem(
            .data, "sample has no annotation", at: Place(detail: ["row \(sample)"]),
            hint: "leave it out")
    }

    fileprivate static var nobodyAnnotatedTheSame: Problem {
        Problem(
            .data, "annotators cannot be compared", found: "one label for each sample",
            expected: "samples with several",
            hint: "with one label for each sample audit the labels themselves")
    }
}
