import ArgumentParser
import Datasets
import Diagnostics
import Files
import Models
import Neural
import PyTorchFiles
import Report
import SafeTensors
import Torch
import Training

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes a network trained elsewhere: .pth or safetensors in, safetensors out.",
        discussion: """
            Reads the state dictionary of a PyTorch file without executing any of it, renames its \
            tensors to those of one of our networks, and writes weights that evaluate, predict and \
            a distillation's teacher can use.

            Examples:
              limbeck import teacher.pth --list
              limbeck import teacher.pth --model resnet18 --classes 10 --sample-shape 3,32,32 \
            --normalisation .49,.48,.45/.2,.2,.2 --out teacher.safetensors
            """)

    @Argument(help: "A .pth or .pt file with a state dictionary, or a safetensors file.")
    var file: String

    @Flag(help: "Print the file's tensors and stop.")
    var list = false

    @Option(
        help:
            "Which of several dictionaries inside the file: the keys that lead to it, with full stops between, as --list shows them; \".\" for the outermost."
    )
    var part: String?

    @OptionGroup var network: ImportNetworkArguments

    @Option(
        help:
            "How names change: \(NameMap.builtIn.joined(separator: ", ")), or a YAML file; the built-in one that fits best if not given."
    )
    var map: String?

    @Option(help: "Where the weights go.")
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard !list else { return }
        if network.model == nil { throw ValidationError("--model: say which network it is") }
        if out == nil { throw ValidationError("--out: say where the weights go") }
        if network.classes == nil { throw ValidationError("--classes: give a number or names") }
        if network.sampleShape == nil {
            throw ValidationError("--sample-shape: give the shape of one sample, like 3,32,32")
        }
    }

    func run() throws {
        Engine.threads = 1
        try Outputs.check([("--out", out)], inputs: [file, map])
        let source = try StateFile(path: file, part: part)
        if list { return show(source) }
        let card = try network.card()
        let wanted = try ModelRegistry.shapes(
            of: card.model, sampleShape: card.sampleShape, classes: card.classNames.count
        ).state.map {
            NameMatch.Wanted(
                $0.name, $0.tensor.shape, isFloatingPoint: $0.tensor.dtype.isFloatingPoint)
        }
        let match = try NameMatch.best(
            source, wanted, among: try maps(wanted, card),
            isUsers: map.map { !NameMap.builtIn.contains($0) } ?? false)
        if match.differences > 0 {
            report(source, match, card, written: nil)
            throw Problem.namesDiffer(file, match, card.model.name)
        }
        let model = try ModelRegistry.make(
            card.model, sampleShape: card.sampleShape, classes: card.classNames.count, seed: 0)
        var tensors = try WeightsFile.finiteTensors(of: source.renamed(match))
        for (name, tensor) in model.state where tensors[name] == nil { tensors[name] = tensor }
        try model.loadState(from: tensors, source: file)
        let out = out ?? "model.safetensors"
        try WeightsFile.write(model.state, to: out, metadata: card.metadata)
        report(source, match, card, written: out)
    }

    private func maps(
        _ wanted: [NameMatch.Wanted], _ card: ModelCard
    ) throws(Problem) -> [NameMap] {
        // `VGG` pools behind its fourth block from 64 pixels on.
        let isLarge = card.sampleShape.count == 3 && card.sampleShape[1...].min()! >= 64
        let features = NameMap.features(
            wanted.map(\.name), pooledBlocks: isLarge ? [0, 1, 2, 3] : [0, 1, 2])
        let builtIn = [.same, .linearShortcut, .residualFunction, features].compactMap(\.self)
        guard let map else { return builtIn }
        if let chosen = builtIn.first(where: { $0.name == map }) { return [chosen] }
        if NameMap.builtIn.contains(map) { throw .mapNotForModel(map, card.model.name) }
        struct MapFile: Decodable { var names: [NameMap.Rule] }
        return [try NameMap(name: map, rules: RecipeFile(path: map).decoded(MapFile.self).names)]
    }

    // MARK: What is printed

    private struct TensorRow: Encodable {
        var name: String
        var dtype: String
        var shape: [Int]
    }

    private struct Listing: Encodable {
        var form: String
        var part: String
        var ignored: [String]
        var skipped: [String]
        var tensors: [TensorRow]
        var values: Int
    }

    private struct Result: Encodable {
        var form: String
        var part: String
        var ignored: [String]
        var skipped: [String]
        var model: String
        var map: String
        var prefix: String
        var matched: [NameMatch.Pair]
        var missing: [String]
        var unexpected: [String]
        var mismatched: [NameMatch.Mismatch]
        var dropped: [String]
        var counters: [String]
        /// The weights file; absent if nothing was written.
        var out: String?
    }

    /// Nobody reads a table of more rows.
    private static let longestTable = 10_000

    private func show(_ source: StateFile) {
        let rows = source.tensors.map {
            TensorRow(name: $0.name, dtype: $0.dtype.rawValue, shape: $0.shape)
        }
        let values = source.tensors.reduce(0) { $0 + $1.count }
        if json {
            return Console.print(
                json: Listing(
                    form: source.form, part: source.part, ignored: source.ignored,
                    skipped: source.skipped, tensors: rows, values: values))
        }
        var table = TableModel(columns: [.init("tensor"), .init("type"), .init("shape")])
        table.rows = rows.prefix(Self.longestTable).map {
            [
                Problem.oneLine($0.name), $0.dtype,
                $0.shape.map(String.init).joined(separator: " × "),
            ]
        }
        Console.print(TextTable(table).render(limit: 160))
        if rows.count > Self.longestTable {
            Console.print("… and \(rows.count - Self.longestTable) more: --json lists all")
        }
        Console.print("\(about(source)); \(rows.count) tensors, \(values) values")
    }

    private func about(_ source: StateFile) -> String {
        var text = source.form
        if !source.part.isEmpty { text += ", part \"\(Problem.oneLine(source.part))\"" }
        if !source.ignored.isEmpty {
            text += ", ignored: " + shortened(source.ignored)
        }
        if !source.skipped.isEmpty {
            text +=
                ", Python objects passed over, nothing of them executed: "
                + shortened(source.skipped)
        }
        return text
    }

    private func report(
        _ source: StateFile, _ match: NameMatch, _ card: ModelCard, written: String?
    ) {
        if json {
            return Console.print(
                json: Result(
                    form: source.form, part: source.part, ignored: source.ignored,
                    skipped: source.skipped, model: card.model.name, map: match.map,
                    prefix: match.prefix,
                    matched: match.matched, missing: match.missing, unexpected: match.unexpected,
                    mismatched: match.mismatched, dropped: match.dropped,
                    counters: match.counters, out: written))
        }
        Console.print("\(file): \(about(source))")
        Console.print(
            "names: map \(match.map)"
                + (NameMap.builtIn.contains(match.map) || match.ruled > 0
                    ? "" : " (none of its rules fits a name)")
                + (match.prefix.isEmpty
                    ? "" : ", prefix \"\(Problem.oneLine(match.prefix, limit: 80))\" taken off"))
        Console.print("matched: \(match.matched.count)")
        for (title, names) in [
            ("missing", match.missing), ("unexpected", match.unexpected),
            ("dropped", match.dropped), ("counters left out", match.counters),
        ] where !names.isEmpty {
            Console.print("\(title): \(names.count): \(shortened(names))")
        }
        for difference in match.mismatched.prefix(20) {
            Console.print(
                "shape: \(Problem.oneLine(difference.from)) is \(difference.found), \(card.model.name) has \(difference.expected)"
            )
        }
        if let written { Console.print("weights: \(written)") }
    }

    private func shortened(_ names: [String]) -> String {
        names.prefix(8).map { Problem.oneLine($0, limit: 80) }.joined(separator: ", ")
            + (names.count > 8 ? ", …" : "")
    }
}

/// What the weights do not say about themselves.
struct ImportNetworkArguments: ParsableArguments {
    @Option(help: "The network, by its name in recipes.")
    var model: String?

    @Option(help: "The network's width.")
    var width: Double?

    @Option(help: "Sizes of an MLP's hidden layers: 256,256; \"none\" for a linear classifier.")
    var hidden: String?

    @Option(help: "The network's dropout, for training on.")
    var dropout: Double?

    @Option(help: "Rows of fastText's table.")
    var buckets: Int?

    @Option(help: "Characters that CharCNN looks at.")
    var length: Int?

    @Option(help: "How many classes, or their names, separated by commas.")
    var classes: String?

    @Option(help: "Shape of one sample: channels,height,width; or one number for tables.")
    var sampleShape: String?

    @Option(
        help:
            "MEAN/STD of the inputs, one each or one per channel separated by commas; images count from 0 to 1. 0/1 if not given."
    )
    var normalisation: String = "0/1"

    func card() throws(Problem) -> ModelCard {
        let shape = try integers(sampleShape ?? "", "--sample-shape")
        let hidden: [Int]? =
            switch self.hidden {
            case nil: nil
            case "none": []
            case let text?: try integers(text, "--hidden")
            }
        let spec = ModelSpec(
            name: model ?? "", width: width, dropout: dropout, hidden: hidden, buckets: buckets,
            length: length)
        let names = try classNames()
        // Before anything is as large as the shape says.
        try ModelRegistry.check(spec, sampleShape: shape, classes: names.count)
        return ModelCard(
            model: spec, sampleShape: shape, classNames: names,
            normalisation: try normalisation(channels: shape[0]))
    }

    private func integers(_ text: String, _ option: String) throws(Problem) -> [Int] {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let found = numbers.compactMap(\.self)
        guard found.count == numbers.count, found.allSatisfy({ $0 > 0 }) else {
            throw .wrongOption(option, text, "whole numbers separated by commas")
        }
        return found
    }

    private func classNames() throws(Problem) -> [String] {
        let text = classes ?? ""
        if let count = Int(text) {
            guard (2...100_000).contains(count) else {
                throw .wrongOption("--classes", text, "2 to 100000")
            }
            return (0..<count).map(String.init)
        }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.count >= 2, !names.contains(""),
            names.allSatisfy({ NameRule.fault(in: $0) == nil }), Set(names).count == names.count
        else {
            throw .wrongOption(
                "--classes", text, "a number, or different names with commas between")
        }
        return names
    }

    private func normalisation(channels: Int) throws(Problem) -> Normalisation {
        let halves = normalisation.split(separator: "/").map { half in
            half.split(separator: ",").map { Float($0) ?? .nan }
        }
        guard halves.count == 2, halves.allSatisfy({ [1, channels].contains($0.count) }),
            halves.joined().allSatisfy(\.isFinite), halves[1].allSatisfy({ $0 > 0 && $0.isNormal })
        else {
            throw .wrongOption(
                "--normalisation", normalisation,
                "MEAN/STD, one number each or \(channels), stds above 0")
        }
        let full = halves.map {
            $0.count == channels ? $0 : [Float](repeating: $0[0], count: channels)
        }
        return try Normalisation(mean: full[0], std: full[1])
    }
}
