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
        return CSV.file(
            names,
            rows.lazy.map { row in
                var cells = key(row)
                if let content { cells.append(content.values[row.sample]) }
                cells += [row.split, classNames[row.given], classNames[row.suggested]]
                return cells
                    + ([row.probability, row.suggestedProbability] + row.evidence).map(
                        AuditRows.text)
            })
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
    public func labels(
        _ list: [Int], _ change: Change, fixed: [Int: Int] = [:]
    ) -> [UInt8] {
        let listed = Set(list)
        let chosen = rows.filter { listed.contains($0.sample) || fixed[$0.sample] != nil }
        return file("label", chosen) { row in
            if let label = fixed[row.sample] { return classNames[label] }
            let takes =
                change == .corrected || change == .sure && row.suggestedProbability > 0.5
            return takes && row.suggested != row.given ? classNames[row.suggested] : nil
        }
    }

    /// Labels to train on, for every sample that is judged.
    ///
    /// - Parameter labels: new ones, by sample.
    public func labels(_ labels: [Int: Int]) -> [UInt8] {
        file("label", rows.filter { labels[$0.sample] != nil }) { classNames[labels[$0.sample]!] }
    }

    public func weights() -> [UInt8] {
        file("weight", rows) { AuditRows.text(1 - $0.probability) }
    }

    private func file(
        _ column: String, _ rows: [Row], _ cell: (Row) -> String?
    ) -> [UInt8] {
        CSV.file(
            ["sample"] + (ids == nil ? [] : ["id"]) + [column],
            rows.sorted { $0.sample < $1.sample }.map { key($0) + [cell($0)] })
    }

    private func key(_ row: Row) -> [String?] {
        ["\(row.sample)"] + (ids.map { [$0[row.sample]] } ?? [])
    }

    /// Six digits; nothing for what is not known.
    static func text(_ value: Double) -> String? {
        value.isFinite ? String(format: "%.6g", value) : nil
    }
}
