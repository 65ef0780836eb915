import Audit
import Datasets
import Report

/// Samples as a page shows them: images as pictures, texts as texts, rows of a table as rows, and what the audit says
/// of each.
struct SampleCards {
    /// By sample.
    let rows: [Int: AuditRows.Row]
    private let part: AuditedPart
    private let classNames: [String]
    private let data: Dataset?

    /// So many characters of a text are shown.
    private static let mostText = 280
    /// So many columns of a table.
    private static let mostColumns = 8

    init(_ part: AuditedPart, _ classNames: [String], _ data: Dataset?) {
        rows = Dictionary(part.rows.rows.map { ($0.sample, $0) }) { first, _ in first }
        (self.part, self.classNames, self.data) = (part, classNames, data)
    }

    /// How many stand on a page without being asked for.
    var mostOpen: Int { data?.isImages == true ? 40 : 20 }

    static func explanation(knowsTruth: Bool) -> String {
        "Given label → suggested label; the sample, and the probability that the given label is wrong"
            + (knowsTruth ? "; the true class." : ".")
    }

    /// - Parameter note: stands under them.
    func contents(_ rows: [AuditRows.Row], note: String? = nil) -> [SectionedPage.Content] {
        guard !rows.isEmpty else { return [] }
        if hasCards { return [.gallery(Gallery(items: rows.map(item), note: note))] }
        return [.table(table(rows, note: note))]
    }

    // MARK: Cards

    private var hasCards: Bool {
        data.map { $0.isImages || $0.isText } ?? (part.rows.content != nil)
    }

    private func item(_ row: AuditRows.Row) -> Gallery.Item {
        Gallery.Item(
            picture: picture(row.sample), text: text(row.sample), name: name(row.sample),
            value: Wording.sign(row.probability) + " %", before: classNames[row.given],
            after: row.suggested == row.given ? nil : classNames[row.suggested],
            notes: [truth(row)].compactMap(\.self))
    }

    /// The user's own name of a sample, or its row.
    func name(_ sample: Int) -> String {
        guard let ids = part.rows.ids, ids.indices.contains(sample) else { return "\(sample)" }
        return ids[sample]
    }

    private func truth(_ row: AuditRows.Row) -> String? {
        guard let truth = part.truth?[row.sample] else { return nil }
        return "true: \(classNames[truth])"
    }

    private func picture(_ sample: Int) -> Gallery.Picture? {
        guard let data,
            case .images(let bytes, let channels, let height, let width) = data.features,
            (0..<data.count).contains(sample)
        else { return nil }
        let size = data.sampleSize
        return Gallery.Picture(
            width: width, height: height, channels: channels,
            bytes: Array(bytes[sample * size..<(sample + 1) * size]))
    }

    private func text(_ sample: Int) -> String? {
        if let data, case .text(let texts, _) = data.features, (0..<data.count).contains(sample) {
            return SampleCards.cut(texts[sample])
        }
        guard data == nil, let content = part.rows.content, content.values.indices.contains(sample)
        else { return nil }
        return SampleCards.cut(content.values[sample])
    }

    private static func cut(_ text: String) -> String {
        let start = text.prefix(mostText + 1)
        return start.count > mostText ? start.prefix(mostText) + "…" : String(start)
    }

    // MARK: Tables

    private var columns: [String] {
        guard let data, case .table(_, let columns) = data.features else { return [] }
        return Array(columns.prefix(SampleCards.mostColumns))
    }

    private func cells(_ sample: Int) -> [String] {
        guard let data, case .table(let values, let all) = data.features,
            (0..<data.count).contains(sample)
        else { return columns.map { _ in "" } }
        return columns.indices.map { j in
            Numbers.compact(Double(values[sample * all.count + j]), 4)
        }
    }

    private var columnNote: String? {
        guard let data, case .table(_, let all) = data.features, all.count > columns.count else {
            return nil
        }
        return "The first \(columns.count) of \(Wording.count(all.count)) columns."
    }

    private func table(_ rows: [AuditRows.Row], note: String?) -> TableModel {
        let knowsTruth = part.truth != nil
        return TableModel(
            columns: [
                .init(part.rows.ids == nil ? "sample" : "id"), .init("given"), .init("suggested"),
                .init("wrong (%)", .trailing),
            ] + (knowsTruth ? [.init("true")] : []) + columns.map { .init($0, .trailing) },
            rows: rows.map { row in
                [
                    name(row.sample), classNames[row.given],
                    row.suggested == row.given ? "–" : classNames[row.suggested],
                    Wording.sign(row.probability),
                ] + (knowsTruth ? [part.truth?[row.sample].map { classNames[$0] } ?? ""] : [])
                    + cells(row.sample)
            },
            note: note == nil
                ? columnNote
                : ["Wrong: the probability that the given label is wrong.", columnNote].compactMap(
                    \.self
                )
                .joined(separator: " "))
    }

    // MARK: Duplicates

    /// So many samples of a set are shown.
    private static let mostOfSet = 6

    /// Sets of samples, a card for each picture, a line for each set of others.
    func duplicates(_ sets: [[Int]]) -> [SectionedPage.Content] {
        if data?.isImages == true {
            return sets.map { set in
                .gallery(
                    Gallery(
                        items: set.prefix(SampleCards.mostOfSet).map { sample in
                            Gallery.Item(
                                picture: picture(sample), name: name(sample),
                                before: given(sample),
                                notes: [rows[sample].flatMap(truth)].compactMap(\.self))
                        }, isWide: set.count > 4,
                        note: set.count > SampleCards.mostOfSet
                            ? "\(SampleCards.mostOfSet) of \(set.count)." : nil))
            }
        }
        let names = columns
        return [
            .table(
                TableModel(
                    columns: [.init("samples and their labels")]
                        + (hasCards ? [.init("text")] : names.map { .init($0, .trailing) }),
                    rows: sets.map { set in
                        let labels = set.prefix(SampleCards.mostOfSet).map {
                            "\(name($0)): \(given($0))"
                        }
                        return [
                            labels.joined(separator: "; ")
                                + (set.count > labels.count
                                    ? "; and \(set.count - labels.count) more" : "")
                        ] + (hasCards ? [text(set[0]) ?? ""] : cells(set[0]))
                    }, note: columnNote))
        ]
    }

    private func given(_ sample: Int) -> String {
        if let row = rows[sample] { return classNames[row.given] }
        guard let data, (0..<data.count).contains(sample) else { return "?" }
        return classNames[data.labels[sample]]
    }
}
