import Diagnostics
import Files
import SafeTensors
import Torch

/// Sentences to unit vectors, with a BERT from a local folder: all-MiniLM-L6-v2 (6 layers, 12 heads,
/// width 384; Reimers and Gurevych 2019, arXiv 1908.10084, for the method) or one of its build.
///
///     let encoder = try SentenceEncoder(folder: "minilm")
///     encoder("a photo of a cat")      // 384 values
///
/// The folder holds `config.json`, `vocab.txt` and `model.safetensors`, as the model's page has them.
/// A text's vector is the mean of its entries' last hidden states, `[CLS]` and `[SEP]` among them,
/// divided by its length. Texts are cut at the positions the network has (512); the reference cuts
/// this model's at 256, which no class name reaches.
public struct SentenceEncoder {
    public let tokens: WordPiece
    /// d: values per vector.
    public var dimension: Int { network.configuration.width }
    private let network: BERT

    /// What the folder holds.
    static let files = ["config.json", "vocab.txt", "model.safetensors"]

    /// - Throws: a `Problem` for a file that is missing, is not what it should be, or does not fit
    ///   the others.
    public init(folder: String) throws(Problem) {
        let (config, vocabulary) = (folder + "/config.json", folder + "/vocab.txt")
        let configuration = try BERT.Configuration(
            json: readFile(config, limit: BERT.Configuration.sizeLimit), file: config)
        tokens = try WordPiece(
            vocabulary: readFile(vocabulary, limit: 64 << 20), file: vocabulary)
        guard tokens.count == configuration.entries else {
            throw .vocabularySize(
                vocabulary, found: tokens.count, expected: configuration.entries)
        }
        network = try BERT(
            configuration,
            weights: SafeTensorsFile(path: folder + "/model.safetensors"))
    }

    /// `dimension` values of length 1.
    public func callAsFunction(_ text: String) -> [Float] {
        withoutGradient {
            let ids = tokens(text, limit: min(512, network.configuration.positions))
            let mean = network(ids).mean(0)
            // The reference's guard against a vector of nothing but zeros.
            return (mean / mean.norm(0, keep: true).maximum(.scalar(1e-12))).floats()
        }
    }
}

extension LabelEmbeddings {
    /// The vectors of the classes' prompts, by the encoder in `folder`.
    public static func miniLM(
        folder: String, text: LabelPrompt = .standard, classes: [String]
    ) throws(Problem) -> LabelEmbeddings {
        let encoder = try SentenceEncoder(folder: folder)
        try check(classes: classes.count, dimension: encoder.dimension, folder)
        return try LabelEmbeddings(
            source: "MiniLM in \(folder), \"\(text.prompt)\"", classes: classes,
            dimension: encoder.dimension, values: classes.flatMap { encoder(text.text(of: $0)) })
    }
}
