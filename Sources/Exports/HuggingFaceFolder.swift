import Datasets
import Diagnostics
import Files
import Foundation
import Models
import Neural
import ONNX
import SafeTensors
import Torch
import Training

/// A folder as Hugging Face's hub has them: weights, configuration, preprocessing, a page, and besides the
/// forward pass as a Python module, because no library knows these networks by name.
public struct HuggingFaceFolder {
    /// Contents by file name.
    public let files: [String: [UInt8]]

    /// Names of all files that such a folder can have.
    public static let names: Set<String> = [
        "model.safetensors", "config.json", "preprocessor_config.json", "README.md", "network.py",
        "model.onnx", "tokenizer.py", "tokens.json",
    ]

    public init(_ exported: ExportedNetwork) throws(Problem) {
        let (saved, graph) = (exported.saved, exported.graph)
        let card = saved.card
        var files: [String: [UInt8]] = ["model.onnx": exported.onnx]
        // What loads weights elsewhere insists on the format.
        files["model.safetensors"] = try WeightsFile.encoded(
            saved.network.state, metadata: card.metadata.merging(["format": "pt"]) { $1 })
        let source = try PyTorchSource(
            graph.graph, state: saved.network.state.map(\.name),
            title: "The forward pass of \(card.model.name), written by Limbeck \(limbeckVersion).")
        files["network.py"] = Array(source.text.utf8)
        files["config.json"] = JSON.file(Configuration(card))
        if card.sampleShape.count == 3 {
            files["preprocessor_config.json"] = JSON.file(Preprocessing(card))
        }
        if let tokenizer = exported.tokenizer {
            files["tokenizer.py"] = Array(tokenizer.script.utf8)
            files["tokens.json"] = tokenizer.golden
        }
        files["README.md"] = Array(ModelPage(exported).text.utf8)
        self.files = files
    }

    /// - Returns: the paths.
    public func write(
        to folder: String, using system: some FileSystem = LocalFileSystem()
    ) throws(Problem) -> [String] {
        try system.createDirectory(folder)
        let paths = files.keys.sorted()
        for name in paths { try system.replace("\(folder)/\(name)", with: files[name]!) }
        return paths.map { "\(folder)/\($0)" }
    }

    private struct Configuration: Encodable {
        var architectures: [String]
        var modelType = "limbeck"
        var numLabels: Int
        var id2label: [String: String]
        var label2id: [String: Int]
        var imageSize: [Int]?
        var numChannels: Int?
        var inputs: Int?
        var columns: [String]?
        var mean: [Float]
        var std: [Float]
        var model: ModelSpec

        enum CodingKeys: String, CodingKey {
            case architectures, id2label, label2id, inputs, columns, mean, std, model
            case modelType = "model_type"
            case numLabels = "num_labels"
            case imageSize = "image_size"
            case numChannels = "num_channels"
        }

        init(_ card: ModelCard) {
            architectures = [card.model.name]
            numLabels = card.classNames.count
            id2label = Dictionary(
                card.classNames.enumerated().map { ("\($0)", $1) }, uniquingKeysWith: { a, _ in a })
            label2id = Dictionary(
                card.classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
            if card.sampleShape.count == 3 {
                numChannels = card.sampleShape[0]
                imageSize = [card.sampleShape[1], card.sampleShape[2]]
            } else {
                inputs = card.sampleShape.last
                columns = card.table?.inputs ?? card.columns
            }
            (mean, std) = (card.normalisation.mean, card.normalisation.std)
            model = card.model
        }
    }

    /// What prepares images elsewhere; `network.py` and the ONNX file do it themselves.
    private struct Preprocessing: Encodable {
        struct Size: Encodable {
            var height: Int
            var width: Int
        }
        var doResize = true
        var size: Size
        var resample = 2  // bilinear
        var doRescale = true
        var rescaleFactor = 1.0 / 255
        var doNormalize = true
        var imageMean: [Float]
        var imageStd: [Float]
        var imageProcessorType = "ViTImageProcessor"

        enum CodingKeys: String, CodingKey {
            case size, resample
            case doResize = "do_resize"
            case doRescale = "do_rescale"
            case rescaleFactor = "rescale_factor"
            case doNormalize = "do_normalize"
            case imageMean = "image_mean"
            case imageStd = "image_std"
            case imageProcessorType = "image_processor_type"
        }

        init(_ card: ModelCard) {
            size = Size(height: card.sampleShape[1], width: card.sampleShape[2])
            (imageMean, imageStd) = (card.normalisation.mean, card.normalisation.std)
        }
    }
}

/// The folder's page.
private struct ModelPage {
    let text: String

    init(_ exported: ExportedNetwork) {
        let card = exported.saved.card
        let (kind, task) = ModelPage.kinds[min(card.sampleShape.count, 3)]!
        var head = [
            "license: unknown", "library_name: pytorch", "pipeline_tag: \(task)",
            "metrics: [accuracy]", "tags: [limbeck, label-noise, knowledge-distillation]",
        ]
        var body = [
            "# \(ModelPage.plain(exported.provenance?.run ?? card.model.name))", "",
            "A classifier of \(kind) into \(card.classNames.count) classes: network "
                + "`\(card.model.name)`, trained by Limbeck \(limbeckVersion).",
        ]
        if let provenance = exported.provenance, provenance.isClassifier {
            head += ModelPage.index(provenance, task: task)
            body += ModelPage.results(provenance)
        }
        body += ["", "## Use", "", "In PyTorch, without Limbeck:", "", "```python"]
        body += ModelPage.lines(card, exported.graph.output) + ["```", ""]
        body += ModelPage.inputs(card)
        body += [
            "",
            "`model.onnx` is the same network with the same preprocessing for any runtime of ONNX.",
            "", "## Classes", "",
            card.classNames.enumerated().prefix(1000).map { "\($0) \(ModelPage.plain($1))" }
                .joined(separator: ", "),
        ]
        text =
            "---\n" + head.map { $0 + "\n" }.joined() + "---\n\n"
            + body.map { $0 + "\n" }.joined()
    }

    private static let kinds = [
        1: ("rows of a table", "tabular-classification"), 2: ("texts", "text-classification"),
        3: ("images", "image-classification"),
    ]

    /// A name of the user's inside Markdown: on one line, without what begins markup.
    private static func plain(_ name: String) -> String {
        String(
            PlainText.escaped(name).map {
                "<>&|`*_[]#\\".contains($0) ? "\\\($0)" : "\($0)"
            }.joined())
    }

    /// A text in double quotes of YAML, which has the escapes of JSON.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSON.text(text), as: UTF8.self)
    }

    private static func index(_ provenance: Provenance, task: String) -> [String] {
        [
            "model-index:", "- name: \(quoted(provenance.run))", "  results:", "  - task:",
            "      type: \(task)", "    dataset:", "      name: \(quoted(provenance.dataName))",
            "      type: \(quoted(provenance.dataName))", "      split: test", "    metrics:",
            "    - type: accuracy", "      value: \(provenance.test.accuracy)",
        ]
    }

    private static func results(_ provenance: Provenance) -> [String] {
        func row(_ name: String, _ scores: Evaluation) -> String {
            "| \(name) | \(scores.samples) | \(fixed(100 * scores.accuracy, 1)) % | "
                + "\(fixed(scores.nll, 4)) | \(fixed(scores.ece, 4)) |"
        }
        let noise = provenance.realisedNoise.map {
            "Of the training labels, \(fixed(100 * $0, 1)) % are known to be wrong; so are as many of "
                + "the validation split, unless the recipe says otherwise."
        }
        return [
            "", "## Results", "",
            "Data: \(plain(provenance.dataName)). Method: `\(provenance.method)`. Recipe: SHA-256 "
                + "`\(provenance.recipeHash)`.", "",
            "| split | samples | accuracy | NLL (nats) | ECE |", "|---|---:|---:|---:|---:|",
            row("validation", provenance.validation), row("test", provenance.test),
        ] + (noise.map { ["", $0] } ?? [])
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    private static func lines(
        _ card: ModelCard, _ output: ClassifierGraph.Output
    ) -> [String] {
        let shape = card.sampleShape.map(String.init).joined(separator: ", ")
        var lines = [
            "import json, torch", "from safetensors.torch import load_file",
            "from network import forward",
        ]
        let batch: String
        switch card.sampleShape.count {
        case 3:
            batch =
                "torch.randint(0, 256, (1, \(shape)), dtype=torch.uint8)  # yours: bytes [N, \(shape)]"
        case 2:
            lines.append("from tokenizer import batch")
            batch = "torch.tensor(batch([\"a text\", \"another one\"]))"
        default: batch = "torch.zeros(1, \(shape))  # yours: numbers [N, \(shape)]"
        }
        lines += [
            "", "names = json.load(open(\"config.json\"))[\"id2label\"]",
            "weights = load_file(\"model.safetensors\")", "x = \(batch)", "with torch.no_grad():",
            "    y = forward(x, weights)",
            output == .logits ? "for row in y.softmax(1):" : "for row in y:",
            "    print(names[str(int(row.argmax()))], f\"{row.max():.3f}\")",
        ]
        return lines
    }

    private static func inputs(_ card: ModelCard) -> [String] {
        let shape = card.sampleShape.map(String.init).joined(separator: " × ")
        switch card.sampleShape.count {
        case 3:
            return [
                "Images are bytes (0 to 255), channels first, \(shape); division by 255 and "
                    + "normalisation are part of `forward` and of the ONNX file. Resize to this size "
                    + "first."
            ]
        case 2:
            return [
                "`tokenizer.py` turns texts into the whole numbers that `forward` and the ONNX file "
                    + "take; `tokens.json` has examples to compare another implementation with."
            ]
        default:
            let columns = (card.table?.inputs ?? card.columns ?? []).map(plain)
            return [
                "Rows are numbers as they stand in the table; normalisation is part of `forward` and "
                    + "of the ONNX file."
                    + (columns.isEmpty ? "" : " Columns: \(columns.joined(separator: ", ")).")
            ]
        }
    }
}
