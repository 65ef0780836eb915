import ArgumentParser
import Datasets
import Diagnostics
import Experiments
import Files
import Foundation
import Torch
import Training

struct Features: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Writes frozen features: pixels, or what the last layer of a trained network sees.",
        discussion: """
            SOURCE is the word pixels, a run folder or a weights file. The data and its noise are those of \
            --recipe, or the run's own. The safetensors file has features (float64, standardised on the \
            training split), labels (the given ones), clean (where known) and split (0 training, 1 \
            validation, 2 test): the input of advise and selfdistil.

            Examples:
              limbeck features pixels --recipe recipe.yaml --out pixels.safetensors
              limbeck features runs/first --out features.safetensors
            """)

    @Argument(help: "pixels, a run folder or a weights file.")
    var source: String

    @Option(help: "A recipe whose data, noise and seed to use.")
    var recipe: String?

    @Option(help: "The safetensors file to write.")
    var out: String

    @Option(help: "Engine threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws { try checkThreads(threads) }

    private struct Result: Encodable {
        var out: String
        var samples: Int
        var features: Int
        var classes: [String]
        var clean: Bool
        var source: String
    }

    func run() throws {
        Engine.threads = threads
        try Outputs.check([("--out", out)], inputs: [source, recipe])
        let features = try FeatureSet.made(from: source, recipe: recipe, to: out)
        try features.write(to: out, using: LocalFileSystem())
        if json {
            return Console.print(
                json: Result(
                    out: out, samples: features.count, features: features.dimension,
                    classes: features.classNames, clean: features.clean != nil,
                    source: features.source))
        }
        Console.print(
            "\(features.count) samples of \(features.dimension) features in \(out) (\(features.source))"
        )
    }
}

extension FeatureSet {
    /// Of pixels, a run folder or a weights file, on the data of a recipe or the run's own.
    ///
    /// - Parameter out: where they will go: none of the files that the recipe reads.
    static func made(
        from source: String, recipe: String?, to out: String? = nil
    ) throws -> FeatureSet {
        let model = source == "pixels" ? nil : try SavedModel(path: source)
        let own = "\(source)/recipe.yaml"
        guard
            let path = recipe
                ?? (FileManager.default.fileExists(atPath: own) && model != nil ? own : nil)
        else { throw Problem.noFeatureData() }
        var file = try RecipeFile(path: path)
        // Data and noise are enough.
        if !file.has("method") { file = try file.setting("method={name: cross-entropy}") }
        if !file.has("model") { file = try file.setting("model={name: mlp}") }
        let decoded = try file.without("rows", "search", "search-on", "seeds", "noises").decoded(
            Recipe.self)
        try Outputs.check([("--out", out)], inputs: decoded.inputFiles)
        let data = try file.placing {
            try PreparedData(decoded)
        }
        let what = model.map { "features of \($0.card.model.name)" } ?? "inputs"
        return try FeatureSet(data, model: model, source: "\(what), \(data.learning.name)")
    }

    /// A features file, or a run folder whose features are made here.
    static func loaded(_ path: String) throws -> FeatureSet {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            return try made(from: path, recipe: nil)
        }
        return try FeatureSet(path: path)
    }

    /// The number of a class given by name or number.
    func classNumber(_ word: String, option: String) throws(Problem) -> Int {
        if let i = classNames.firstIndex(of: word) { return i }
        if let i = Int(word), classNames.indices.contains(i) { return i }
        throw .unknownWord(option, word, classNames)
    }

    /// The pair of `--classes A,B`, or the two there are.
    func pair(_ text: String?) throws(Problem) -> (Int, Int) {
        guard let text else {
            guard classNames.count == 2 else { throw .pairMissing(classNames.count) }
            return (0, 1)
        }
        let words = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard words.count == 2 else {
            throw .wrongOption("--classes", text, "two classes, separated by a comma")
        }
        return (
            try classNumber(words[0], option: "--classes"),
            try classNumber(words[1], option: "--classes")
        )
    }
}
