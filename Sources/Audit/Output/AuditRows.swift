import Datasets
import Diagnostics
import Files
import Foundation

/// What an audit says of each sample, and the files that it writes.
///
///     audit.csv      a row for each judged sample, the most suspicious first
///     labels.csv     sample[,id],label: suggested labels; an empty one leaves the sample out of training
///     weights.csv    sample[,id],weight: 1 − probability that the label is wrong
///
/// The latter two are what recipes read (`labels: {file: labels.csv}`). `sample` is the zero-based row of the data
/// as read; `id` is there where the user names every sample by another name.
public struct AuditRows: Sendable {
    public struct Row: Sendable {
        /// From 0, in the data as read.
        public var sample: Int
        /// A word: `train`, `validation`, `test`.
        public var split: String
        public var given: Int
        public var suggested: Int
        /// That the given label is wrong.
        public var probability: Double
        /// That `suggested` is right.
        public var suggestedProbability: Double
        /// In the order of `evidenceNames`; NaN where it is not known.
        public var evidence: [Double]

        public init(
            sample: Int, split: String, given: Int, suggested: Int, probability: Double,
            suggestedProbability: Double, evidence: [Double]
        ) {
            (self.sample, self.split, self.given) = (sample, split, given)
            (self.suggested, self.probability) = (suggested, probability)
            (self.suggestedProbability, self.evidence) = (suggestedProbability, evidence)
        }
    }

    /// The most suspicious first.
    public let rows: [Row]
    public let classNames: [String]
    /// The user's own names of all samples, by row of the data; nil where there are none or two are alike.
    public let ids: [String]?
    /// What each sample is, by row of the data, and how the column is called: `text` or `file`.
    public let content: (column: String, values: [String])?
    public let evidenceNames: [String]

    /// - Parameter rows: samples of equal probability stay in this order, so that of a model's equal
    ///   probabilities the larger score can go first: rows come in ``WrongLabelModel/order``.
    public init(
        _ rows: [Row], classNames: [String], ids: [String]? = nil,
        content: (column: String, values: [String])? = nil, evidenceNames: [String]
    ) {
        self.rows = rows.enumerated().sorted { a, b in
            a.element.probability == b.element.probability
                ? a.offset < b.offset : a.element.probability > b.element.probability
        }.map(\.element)
        self.classNames = classNames
        self.ids = ids.flatMap { Set($0).count == $0.count ? $0 : nil }
        self.content = content
        self.evidenceNames = evidenceNames
    }

    // MARK: audit.csv

    public func csv() -> [UInt8] {
        let names =
            ["sample"] + (ids == nil ? [] : ["id"]) + (content.map { [$0.column] } ?? [])
            + ["split", "given", "suggested", "probability", "suggested-probability"]
            + evidenceNames
        return CSV.file(names, rows.lazy.map { cells($0, like: self) })
    }

    /// The rows alone, with the columns of another table: for samples that are judged apart.
    public func csv(like other: AuditRows) -> [UInt8] {
        rows.reduce(into: []) { $0 += CSV.line(cells($1, like: other)).utf8 }
    }

    private func cells(_ row: Row, like other: AuditRows) -> [String?] {
        var cells: [String?] = ["\(row.sample)"]
        if other.ids != nil { cells.append(ids?[row.sample]) }
        if other.content != nil { cells.append(content?.values[row.sample]) }
        cells += [row.split, classNames[row.given], classNames[row.suggested]]
        let known = Dictionary(zip(evidenceNames, row.evidence), uniquingKeysWith: { a, _ in a })
        let evidence =
            other.evidenceNames == evidenceNames
            ? row.evidence : other.evidenceNames.map { known[$0] ?? .nan }
        return cells
            + ([row.probability, row.suggestedProbability] + evidence).map(AuditRows.text)
    }

    // MARK: What training reads

    /// What becomes of a sample of the list.
    public enum Change: String, Sendable, CaseIterable {
        /// It gets the suggested label.
        case corrected
        /// It is left out of training.
        case pruned
        /// It gets the suggested label if that is right with a probability above a half, and is left out if not.
        case sure
    }

    /// - Parameters:
    ///   - list: samples.
    ///   - fixed: labels that somebody knows, by sample; they go before everything else.
    ///   - earlier: what a file said before; it stays, where nothing else is said.
    public func labels(
        _ list: [Int], _ change: Change, fixed: [Int: Int] = [:],
        earlier: LabelEdits = LabelEdits()
    ) -> [UInt8] {
        let listed = Set(list)
        var cells = said(earlier)
        for row in rows where listed.contains(row.sample) {
            let takes =
                change == .corrected || change == .sure && row.suggestedProbability > 0.5
            cells[row.sample] =
                .some(takes && row.suggested != row.given ? classNames[row.suggested] : nil)
        }
        for (sample, label) in fixed { cells[sample] = classNames[label] }
        return file("label", cells)
    }

    private func said(_ earlier: LabelEdits) -> [Int: String?] {
        var cells: [Int: String?] = earlier.labels.mapValues { classNames[$0] }
        for sample in earlier.leftOut { cells[sample] = .some(nil) }
        return cells
    }

    /// Labels to train on, for every sample that is judged.
    ///
    /// - Parameters:
    ///   - labels: new ones, by sample.
    ///   - earlier: what a file said before; it stays, where nothing else is said.
    public func labels(_ labels: [Int: Int], earlier: LabelEdits = LabelEdits()) -> [UInt8] {
        var cells = said(earlier)
        for (sample, label) in labels { cells[sample] = classNames[label] }
        return file("label", cells)
    }

    /// - Parameter earlier: weights of a file, which these multiply.
    public func weights(earlier: SampleWeights? = nil) -> [UInt8] {
        var cells: [Int: String?] = [:]
        for (sample, weight) in (earlier?.values ?? []).enumerated() where weight != 1 {
            cells[sample] = AuditRows.text(weight)
        }
        for row in rows {
            let weight = (1 - row.probability) * (earlier?.values[row.sample] ?? 1)
            cells[row.sample] = AuditRows.text(weight)
        }
        return file("weight", cells)
    }

    /// - Parameter cells: by sample; nil is an empty cell.
    private func file(_ column: String, _ cells: [Int: String?]) -> [UInt8] {
        CSV.file(
            ["sample"] + (ids == nil ? [] : ["id"]) + [column],
            cells.sorted { $0.key < $1.key }.map { sample, cell in
                ["\(sample)"] + (ids.map { [$0[sample]] } ?? []) + [cell]
            })
    }

    /// Six digits; nothing for what is not known.
    package static func text(_ value: Double) -> String? {
        value.isFinite ? String(format: "%.6g", value) : nil
    }
}
