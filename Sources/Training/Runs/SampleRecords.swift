import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import Torch

/// Per training and validation sample, what the run's result says of it:
/// `samples.csv` with columns index, split, given, clean, predicted, confidence, loss, and the data's id
/// column where it has one; then, for the training samples, those of the phases' sections.
struct SampleRecords {
    private var bytes: [UInt8] = []

    init(_ run: Run, weights: String) throws {
        let model = try SavedModel(path: weights)
        let data = run.data
        let ids = data.learning.ids.map { $0.map { PlainText.escaped($0) } }
        let columns = try run.chain.compactMap { spec throws(Problem) in
            try SectionFiles.columns(run.store.path(spec))
        }
        let names = ["index", "split", "given", "clean", "predicted", "confidence", "loss"]
        add(names + (ids == nil ? [] : ["id"]), columns.map(\.names))
        for (name, members) in [("train", data.split.train), ("validation", data.split.validation)]
        {
            let set = try EvaluationSet(
                data.learning, members: members, normalisation: data.normalisation)
            let logP = try model.checked(data.learning.name) {
                try set.finite(
                    set.logits({ model.network($0) }, precision: run.compute.precision).logSoftmax()
                ).floats()
            }
            let classes = data.classCount
            for (i, member) in members.enumerated() {
                let row = logP[i * classes..<(i + 1) * classes]
                let best = row.indices.max { row[$0] < row[$1] }! - row.startIndex
                let given = data.learning.labels[member]
                let clean = data.knowsClean ? data.learning.clean.map { "\($0[member])" } : nil
                add(
                    [
                        "\(member)", name, "\(given)", clean, "\(best)",
                        formatted(exp(Double(row[row.startIndex + best]))),
                        formatted(-Double(row[row.startIndex + given])),
                    ] + (ids.map { [$0[member]] } ?? []),
                    columns.map { name == "train" ? $0.rows[i] : $0.unknown })
            }
        }
    }

    /// A line of cells, then of lines of other tables.
    private mutating func add(_ cells: [String?], _ others: [Substring]) {
        bytes += CSV.line(of: [CSV.line(cells)[...]] + others).utf8
    }

    func write(to path: String, using files: any FileSystem) throws(Problem) {
        try files.replace(path, with: bytes)
    }
}

/// Six significant digits: enough for reading, short enough for a table of millions.
func formatted(_ value: Double) -> String { String(format: "%.6g", value) }
