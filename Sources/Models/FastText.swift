import Neural
import Torch

/// A fastText classifier (Joulin et al. 2016, arXiv 1607.01759): the mean of learnt embeddings of a
/// text's hashed words and word pairs, see `WordNGrams`, and two linear layers without anything
/// between them.
///
///     mean of embedding[ids] – fc1 (10) – fc2 (classes)
///
/// The mutual-learning experiments average frozen GloVe vectors of 300 values instead; the two linear
/// layers are theirs. Returned are logits: the official code puts a softmax behind the last layer and
/// then another one into the loss, which is not copied. Ids do not depend on the seed. They are made
/// on the processor, from code points that come back from the device.
///
/// Embeddings U(±1/width) as in fastText, 0 for the padding; linear layers PyTorch's default.
public final class FastText: TokenClassifier {
    public struct Configuration: Sendable, Equatable {
        public var classes: Int
        /// Rows of the table, besides the one of the padding.
        public var buckets: Int
        /// Values per row.
        public var width: Int
        /// Outputs of `fc1`.
        public var hidden: Int

        public init(
            classes: Int, buckets: Int = FastText.buckets, width: Int = FastText.width,
            hidden: Int = 10
        ) {
            self.classes = classes
            self.buckets = buckets
            self.width = width
            self.hidden = hidden
        }
    }

    /// Unless the recipe says otherwise.
    public static let buckets = 1 << 17
    public static let width = 32

    public let configuration: Configuration
    public let embedding: EmbeddingBag
    public let fc1: Linear
    public let fc2: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        self.configuration = configuration
        embedding = EmbeddingBag(
            configuration.buckets + 1, configuration.width, paddingIndex: 0, generator: generator)
        // Rows of N(0, 1), PyTorch's default, would memorise the samples.
        let bound = 1 / Double(configuration.width)
        if generator.makesValues {
            embedding.weight.tensor.fillUniform(-bound, bound, generator)
            embedding.weight.tensor.selected(0, 0).zero()
        }
        fc1 = Linear(configuration.width, configuration.hidden, generator: generator)
        fc2 = Linear(configuration.hidden, configuration.classes, generator: generator)
    }

    public var head: Linear { fc2 }

    /// Code points [N, 1, L] to [N, hidden].
    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        features(ofTokens: tokens(of: x).to(x.device), mode: mode)
    }

    public func tokens(of x: Tensor) -> Tensor { Self.ids(x, buckets: configuration.buckets) }

    public func features(ofTokens tokens: Tensor, mode: Mode) -> Tensor { fc1(embedding(tokens)) }

    /// As many words as a text has.
    public var tokenCount: Int? { nil }

    /// Code points [N, 1, L] to ids, int64 [N, most of any text], padded with 0.
    static func ids(_ x: Tensor, buckets: Int) -> Tensor {
        let (count, length) = (x.shape[0], x.shape[2])
        let lists = x.floats().withUnsafeBufferPointer { codes in
            (0..<count).map { i in
                WordNGrams.ids(
                    UnsafeBufferPointer(rebasing: codes[i * length..<(i + 1) * length]),
                    buckets: buckets)
            }
        }
        let most = max(1, lists.map(\.count).max() ?? 0)
        let ids = lists.flatMap { $0 + [Int](repeating: 0, count: most - $0.count) }
        return Tensor(ids, [count, most])
    }

    public func fresh(generator: Generator) -> FastText {
        FastText(configuration, generator: generator)
    }
}
