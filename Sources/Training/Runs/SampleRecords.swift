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
    private var lines: [String] = []

    init(_ run: Run, weights: String) throws {
        let model = try SavedModel(path: weights)
        let data = run.data
        let ids = data.learning.ids.map { $0.map { PlainText.escaped($0) } }
        let columns = try run.chain.compactMap { spec throws(Problem) in
            try SectionFiles.columns(run.store.path(spec))
        }
        lines.append(
            (["index,split,given,clean,predicted,confidence,loss"] + (ids == nil ? [] : ["id"])
                + columns.map { String($0.names) }).joined(separator: ","))
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
                let clean =
                    data.knowsClean ? data.learning.clean.map { String($0[member]) } ?? "" : ""
                lines.append(
                    [
                        "\(member)", name, "\(given)", clean, "\(best)",
                        formatted(exp(Double(row[row.startIndex + best]))),
                        formatted(-Double(row[row.startIndex + given])),
                    ].joined(separator: ",") + (ids.map { "," + CSV.cell($0[member]) } ?? "")
                        + columns.map { "," + (name == "train" ? String($0.rows[i]) : $0.unknown) }
                        .joined())
            }
        }
    }

    func write(to path: String, using files: any FileSystem) throws(Problem) {
        try files.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}

/// Six significant digits: enough for reading, short enough for a table of millions.
func formatted(_ value: Double) -> String { String(format: "%.6g", value) }
