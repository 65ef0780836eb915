import ArgumentParser
import Datasets
import Diagnostics
import Files
import Foundation
import Torch
import Training

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Predicts classes of new samples: IDX images or a CSV in, a CSV out.",
        discussion: """
            Example: limbeck predict runs/first new-images-idx3-ubyte --out predictions.csv
            Columns: index, the table's id column if it has one, predicted (the class's name), class (its \
            number), confidence; with --probabilities one more per class. A table is read as the run read \
            its own: columns are matched by name, others are ignored, and labels are not needed.
            """)

    @Argument(help: "A run folder or a weights file.")
    var model: String

    @Argument(help: "IDX images (.gz too) or a CSV/TSV table.")
    var input: String

    @Option(help: "Where the CSV goes; standard output if not given.")
    var out: String?

    @Flag(help: "Also the probability of every class.")
    var probabilities = false

    @OptionGroup var reading: TableArguments

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print one JSON object instead of the CSV (needs --out).")
    var json = false

    func validate() throws {
        try checkThreads(threads)
        if json, out == nil {
            throw ValidationError("--json: the CSV needs a place, give --out FILE")
        }
    }

    private struct Result: Encodable {
        var samples: Int
        var out: String
        /// How often each class was predicted.
        var counts: [String: Int]
    }

    func run() throws {
        Engine.threads = threads
        try Outputs.check([("--out", out)], inputs: [model, input])
        let saved = try SavedModel(path: model)
        let data = try reading.unlabelled(input, for: saved)
        let p = try saved.probabilities(data)
        let names = saved.card.classNames.map { PlainText.escaped($0) }
        var counts: [String: Int] = [:]
        var text = CSV.line(
            ["index"] + identifierName(data) + ["predicted", "class", "confidence"]
                + (probabilities ? names : []))
        for i in 0..<data.count {
            let row = p[i * names.count..<(i + 1) * names.count]
            let best = row.indices.max { row[$0] < row[$1] }! - row.startIndex
            counts[names[best], default: 0] += 1
            let extra = probabilities ? row.map { String(format: "%.6g", $0) } : []
            text += CSV.line(
                ["\(i)"] + (data.ids.map { [PlainText.escaped($0[i])] } ?? [])
                    + [
                        names[best], "\(best)",
                        String(format: "%.6g", row[row.startIndex + best]),
                    ] + extra)
        }
        guard let out else { return Console.print(String(text.dropLast())) }
        try LocalFileSystem().replace(out, with: Array(text.utf8))
        if json {
            Console.print(json: Result(samples: data.count, out: out, counts: counts))
        } else {
            Console.say("\(data.count) predictions in \(out)")
        }
    }

    /// The id column's name, unless a column of ours has it.
    private func identifierName(_ data: Dataset) -> [String] {
        guard data.ids != nil, let name = data.layout?.names(.id).first else { return [] }
        let isTaken = ["index", "predicted", "class", "confidence"].contains(name)
        return [isTaken ? "sample \(name)" : PlainText.escaped(name)]
    }
}
