import ArgumentParser
import Diagnostics
import Exports
import Files
import Foundation
import Report
import Torch
import Training

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Writes a trained network for other programs: ONNX, or a folder for Hugging Face.",
        discussion: """
            The file takes raw samples: normalisation is part of it. What was written is read again and \
            computed on random samples and on samples of the run's validation split; it is only kept \
            where it agrees with the network.

            Examples:
              limbeck export runs/first --out first.onnx
              limbeck export runs/first --to huggingface --out first
            """)

    enum Form: String, ExpressibleByArgument, CaseIterable { case onnx, huggingface }

    @Argument(help: "A run folder or a weights file.")
    var model: String

    @Option(help: "onnx or huggingface.")
    var to: Form = .onnx

    @Option(help: "The file, or with --to huggingface the folder.")
    var out: String

    @Flag(help: "Give probabilities instead of logits.")
    var probabilities = false

    @Flag(help: "Weights as int8: a quarter of the bytes. Says what accuracy it costs.")
    var int8 = false

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        try checkThreads(threads)
        if int8, to == .huggingface {
            throw ValidationError("--int8: only with --to onnx, whose operators know such weights")
        }
    }

    private struct Result: Encodable {
        var model: String
        var output: String
        var files: [String]
        var bytes: Int
        var checks: [ExportCheck.Line]
        var int8: ExportedNetwork.Int8Cost?
    }

    func run() throws {
        Engine.threads = threads
        if to == .huggingface {
            try OutputFolder.check(
                out, for: "model", names: HuggingFaceFolder.names,
                marks: ["config.json", "network.py"])
        }
        let names = to == .onnx ? [out] : HuggingFaceFolder.names.sorted().map { "\(out)/\($0)" }
        try Outputs.check(names.map { ("--out", Optional($0)) }, inputs: [model])
        let saved = try SavedModel(path: model)
        let provenance = try Provenance(ifRun: model)
        let samples = try provenance == nil ? nil : validation(saved)
        let exported = try ExportedNetwork(
            saved, provenance: provenance, samples: samples,
            output: probabilities ? .probabilities : .logits, int8: int8)
        let files =
            try to == .onnx
            ? exported.write(to: out) : HuggingFaceFolder(exported).write(to: out)
        report(exported, files)
    }

    /// Samples of the run's validation split; nil where the run has no data of its own, or its files are
    /// gone, which is said.
    private func validation(_ saved: SavedModel) throws -> ExportSamples? {
        do {
            let file = try RecipeFile(path: "\(model)/recipe.yaml")
            let recipe = try file.decoded(Recipe.self)
            let prepared = try file.placing { try PreparedData(recipe) }
            guard !prepared.isPlaceholder, !prepared.split.validation.isEmpty else { return nil }
            return ExportSamples(
                data: try saved.fitted(prepared.learning), members: prepared.split.validation)
        } catch let problem as Problem where problem.kind == .io {
            Console.say("warning: not compared on the run's data: \(problem)")
            return nil
        }
    }

    private func report(_ exported: ExportedNetwork, _ files: [String]) {
        if json {
            return Console.print(
                json: Result(
                    model: exported.saved.card.model.name, output: exported.graph.output.rawValue,
                    files: files, bytes: exported.onnx.count, checks: exported.check.lines,
                    int8: exported.int8))
        }
        for file in files { Console.print(file) }
        for line in exported.check.lines {
            Console.print(
                "checked: read again and computed on \(line.what): outputs differ by at most "
                    + "\(Numbers.compact(line.difference)), "
                    + (line.otherClasses == 0
                        ? "every class is the same" : "\(line.otherClasses) classes differ"))
        }
        if let cost = exported.int8 {
            var text =
                "int8 weights: \(cost.bytesAfter) bytes in place of \(cost.bytesBefore), "
            if let before = cost.accuracyBefore, let after = cost.accuracyAfter {
                text += "validation accuracy \(percent(after)) in place of \(percent(before)), "
            }
            Console.print(text + "\(percent(cost.agreement)) of the classes are the same")
        }
        Console.print("not checked here: other runtimes of ONNX")
    }
}
