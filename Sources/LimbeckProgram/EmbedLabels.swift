import ArgumentParser
import Diagnostics
import Files
import Foundation
import LabelText
import Torch

struct EmbedLabels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed-labels",
        abstract: "Writes a vector for each class name: the input of distillation without data.",
        discussion: """
            The encoder is all-MiniLM-L6-v2 or GloVe in a local folder; scripts/label-embeddings fetches \
            either. The safetensors file has one tensor per class, under its name, and goes into a recipe as \
            embeddings: {kind: file, file: …}.

            Examples:
              limbeck embed-labels cat dog --minilm minilm --out labels.safetensors
              limbeck embed-labels --names classes.txt --glove glove --out labels.safetensors
            """)

    @Argument(help: "Names of the classes.")
    var classes: [String] = []

    @Option(help: "A file with the names, one per line, instead.")
    var names: String?

    @Option(help: "Folder with config.json, vocab.txt and model.safetensors.")
    var minilm: String?

    @Option(help: "Folder with vectors.npy and words.txt.")
    var glove: String?

    @Option(help: "The sentence MiniLM reads; {name} stands for the class.")
    var prompt: String = LabelPrompt.standard.prompt

    @Flag(name: .customLong("as-is"), help: "Keep _ and - of the names.")
    var asIs = false

    @Option(help: "The safetensors file to write.")
    var out: String

    @Option(help: "Engine threads.")
    var threads: Int = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        try checkThreads(threads)
        guard classes.isEmpty != (names == nil) else {
            throw ValidationError("give class names, or a file of them with --names.")
        }
        guard (minilm == nil) != (glove == nil) else {
            throw ValidationError("give either --minilm or --glove.")
        }
    }

    private struct Result: Encodable {
        var out: String
        var source: String
        var classes: Int
        var dimension: Int
        /// Classes that no generator can tell apart.
        var identical: [[String]]
    }

    func run() throws {
        Engine.threads = threads
        try Outputs.check([("--out", out)], inputs: [names] + encoderFiles)
        let classes = try names.map { try Self.lines($0) } ?? classes
        try LabelEmbeddings.check(names: classes, file: names)
        let text = LabelPrompt(prompt: prompt, clean: !asIs)
        guard text.isUsable || glove != nil else {
            throw Problem.wrongOption("--prompt", prompt, "{name} somewhere in it")
        }
        let made =
            if let minilm {
                try LabelEmbeddings.miniLM(folder: minilm, text: text, classes: classes)
            } else {
                try LabelEmbeddings.gloVe(folder: glove!, classes: classes)
            }
        let metadata =
            minilm == nil
            ? ["encoder": "GloVe"]
            : ["encoder": "MiniLM", "prompt": prompt, "clean": asIs ? "false" : "true"]
        try LocalFileSystem().replace(out, with: try made.encoded(metadata: metadata))
        let same = made.identicalClasses
        if json {
            return Console.print(
                json: Result(
                    out: out, source: made.source, classes: made.classes.count,
                    dimension: made.dimension, identical: same))
        }
        Console.print("\(made.classes.count) vectors of \(made.dimension) values in \(out)")
        for group in same { Console.print("equal vectors: \(group.joined(separator: ", "))") }
    }

    private var encoderFiles: [String] {
        if let minilm {
            return EmbeddingOptions.miniLM(folder: minilm, text: .standard).files
        }
        return glove.map { EmbeddingOptions.gloVe(folder: $0).files } ?? []
    }

    /// Names without the blanks around them; empty lines are left out.
    private static func lines(_ path: String) throws(Problem) -> [String] {
        try readText(path, limit: 1 << 24).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
