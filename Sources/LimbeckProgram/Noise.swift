import ArgumentParser
import Datasets
import Diagnostics
import Files
import Report
import RunReports
import Training

struct Noise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Injects or inspects label noise: transition matrix, realised rate, a label file.",
        discussion: """
            Without a recipe, the embedded images. The noise is the recipe's, changed by the options here. \
            To inspect labels you have, give them with --labels (a CSV with the columns index and label).

            Examples:
              limbeck noise --kind symmetric --rate 0.4
              limbeck noise recipe.yaml --seed 3 --out labels.csv
              limbeck noise recipe.yaml --labels crowd.csv
            """)

    @Argument(help: "A recipe whose data and noise to use.")
    var recipe: String?

    @Option(
        help: "Kind of noise: \(LabelNoise.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var kind: String?

    @Option(help: "Noise rate, 0 to 1.")
    var rate: Double?

    @Option(
        help:
            "Class map of asymmetric noise: cifar10, cifar100-superclass, cifar100-blocks, mnist, fashion-mnist."
    )
    var map: String?

    @Option(help: "A label file to inspect: noise of the kind `file`.")
    var labels: String?

    @Option(help: "Seed of the split and the noise.")
    var seed: UInt64?

    @Option(help: "Write a label file with the columns index, given, clean.")
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
        var data: String
        var kind: String
        var rate: Double?
        /// Null where no clean label is known.
        @OrNull var realised: Double?
        var intended: Double?
        var compatibility: Bool
        var samples: Int
        var classes: [String]
        @OrNull var transition: [[Double]]?
        var intendedTransition: [[Double]]?
        var sha256: String
        var warnings: [String]
        var out: String?
        enum CodingKeys: String, CodingKey {
            case data, kind, rate, realised, intended, compatibility, samples, classes, transition,
                sha256
            case warnings, out
            case intendedTransition = "intended_transition"
        }
    }

    /// Only what this command needs of a recipe's file: it may be a whole recipe or just data.
    private static let plain = """
        data: {kind: embedded}
        model: {name: mlp}
        method: {name: cross-entropy}
        """

    func run() throws {
        try Outputs.check([("--out", out)], inputs: [recipe, labels])
        var file =
            try recipe.map { (path) throws(Problem) in try RecipeFile(path: path) }
            ?? RecipeFile(text: Noise.plain, file: "embedded data")
        if let labels {
            file = try file.setting("noise={kind: file}")
            file = try file.setting("noise.path", word: labels)
        }
        if let kind { file = try file.setting("noise.kind", word: kind) }
        if let rate { file = try file.setting("noise.rate=\(rate)") }
        if let map { file = try file.setting("noise.map", word: map) }
        if let seed { file = try file.setting("seed=\(seed)") }
        // Noise is a matter of data alone: a comparison's shared part is enough.
        if !file.has("method") { file = try file.setting("method={name: cross-entropy}") }
        if !file.has("model") {
            let name = file.word("data", "kind") == "text" ? "fasttext" : "mlp"
            file = try file.setting("model={name: \(name)}")
        }
        let decoded = try file.without("rows", "search", "search-on", "seeds", "noises").decoded(
            Recipe.self)
        try Outputs.check([("--out", out)], inputs: decoded.inputFiles)
        let data = try file.placing {
            try PreparedData(decoded)
        }
        let noisy = data.noise
        if let out { try noisy.write(to: out, using: LocalFileSystem()) }
        if json {
            Console.print(
                json: Result(
                    data: data.learning.name, kind: noisy.noise.kind.rawValue,
                    rate: noisy.noise.rate,
                    realised: noisy.realisedRate, intended: noisy.intendedRate,
                    compatibility: noisy.compatibility, samples: noisy.labels.count,
                    classes: data.learning.classNames, transition: noisy.realisedTransition,
                    intendedTransition: noisy.intendedTransition, sha256: noisy.sha256,
                    warnings: data.warnings, out: out))
            return
        }
        // The summary has those of the noise.
        for warning in data.warnings where !noisy.warnings.contains(warning) {
            Console.say("warning: \(warning)")
        }
        Console.print("\(data.learning.name): training and validation labels")
        Console.print(NoiseSummary(noisy).description)
        if let out { Console.print("label file: \(out)") }
    }
}

/// A few lines on noise for the start of a run.
enum NoiseLines {
    static func short(_ noisy: NoisyLabels) -> [String] {
        let kind = noisy.noise.kind == .clean ? "none injected" : noisy.noise.kind.rawValue
        let rate = noisy.noise.rate.map { ", rate \($0)" } ?? ""
        let mode = noisy.compatibility ? " (compatibility mode)" : ""
        return [
            "label noise: \(kind)\(rate)\(mode); realised "
                + (noisy.realisedRate.map { "\(percent($0)) of training and validation labels" }
                    ?? "unknown, as no clean label is known")
        ]
    }
}
