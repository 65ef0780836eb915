import Diagnostics
import Foundation
import SafeTensors
import Torch

/// The encoder half of a transformer (Vaswani et al. 2017, arXiv 1706.03762) as BERT has it
/// (arXiv 1810.04805): layer norms behind the sums, exact GELU, learnt positions. Evaluation only.
///
///     h = LN(E[token] + P[position] + S[0])
///     h = LN(h + W_o attention(h))                softmax(q kᵀ/√(d/heads)) v, per head
///     h = LN(h + W_2 gelu(W_1 h))                 both once per layer
///
/// One text at a time: nothing is padded, so that nothing has to be masked.
struct BERT {
    /// What `config.json` says, of what matters here.
    struct Configuration: Decodable, Equatable {
        var width: Int
        var layers: Int
        var heads: Int
        var hidden: Int
        var entries: Int
        var positions: Int
        var types: Int
        var epsilon: Double
        var activation: String
        var kind: String
        var positionKind: String?

        private enum CodingKeys: String, CodingKey {
            case width = "hidden_size"
            case layers = "num_hidden_layers"
            case heads = "num_attention_heads"
            case hidden = "intermediate_size"
            case entries = "vocab_size"
            case positions = "max_position_embeddings"
            case types = "type_vocab_size"
            case epsilon = "layer_norm_eps"
            case activation = "hidden_act"
            case kind = "model_type"
            case positionKind = "position_embedding_type"
        }

        static let sizeLimit = 1 << 20

        /// - Parameter file: what errors call it.
        init(json: [UInt8], file: String) throws(Problem) {
            do {
                self = try JSON.read(Configuration.self, json)
            } catch {
                throw .notAConfiguration(file, Self.reason(error))
            }
            guard kind == "bert" else {
                throw .otherEncoder(file, "model_type", found: kind, expected: "bert")
            }
            guard activation == "gelu" else {
                throw .otherEncoder(file, "hidden_act", found: activation, expected: "gelu")
            }
            guard positionKind ?? "absolute" == "absolute" else {
                throw .otherEncoder(
                    file, "position_embedding_type", found: positionKind!,
                    expected: "absolute")
            }
            let sizes = [
                ("hidden_size", width, 1...8192),
                ("num_hidden_layers", layers, 1...96),
                ("num_attention_heads", heads, 1...128),
                ("intermediate_size", hidden, 1...65536),
                ("vocab_size", entries, 1...WordPiece.largestVocabulary),
                ("max_position_embeddings", positions, 2...65536),
                ("type_vocab_size", types, 1...1024),
            ]
            for (key, size, range) in sizes where !range.contains(size) {
                throw .otherEncoder(
                    file, key, found: "\(size)",
                    expected: "\(range.lowerBound) to \(range.upperBound)")
            }
            guard width % heads == 0 else {
                throw .otherEncoder(
                    file, "num_attention_heads", found: "\(heads)",
                    expected: "a divisor of hidden_size, \(width)")
            }
            guard epsilon > 0, epsilon < 1 else {
                throw .otherEncoder(
                    file, "layer_norm_eps", found: "\(epsilon)",
                    expected: "above 0, below 1")
            }
        }

        private static func reason(_ error: any Error) -> String {
            switch error as? DecodingError {
            case .keyNotFound(let key, _): "no key \"\(key.stringValue)\""
            case .typeMismatch(_, let context), .valueNotFound(_, let context):
                "wrong value of \"\(context.codingPath.last?.stringValue ?? "")\""
            default: "no JSON object"
            }
        }
    }

    private struct Projection {
        let weight: Tensor
        let bias: Tensor

        func callAsFunction(_ x: Tensor) -> Tensor { linear(x, weight, bias) }
    }

    private struct Norm {
        let weight: Tensor
        let bias: Tensor
        let epsilon: Double

        func callAsFunction(_ x: Tensor) -> Tensor {
            layerNorm(x, weight.shape, weight: weight, bias: bias, eps: epsilon)
        }
    }

    private struct Layer {
        let query: Projection
        let key: Projection
        let value: Projection
        let attention: Projection
        let attentionNorm: Norm
        let intermediate: Projection
        let output: Projection
        let outputNorm: Norm
    }

    let configuration: Configuration
    private let words: Tensor
    private let positions: Tensor
    private let types: Tensor
    private let norm: Norm
    private let layers: [Layer]

    /// Takes the weights under the names of the package `transformers`; the pooler and anything else
    /// in the file are left alone.
    init(_ configuration: Configuration, weights file: SafeTensorsFile) throws(Problem) {
        self.configuration = configuration
        let width = configuration.width
        func tensor(_ name: String, _ shape: [Int]) throws(Problem) -> Tensor {
            let entry = try file.entry(name)
            guard entry.shape == shape else {
                throw .weightShape(file.name, name, entry.shape, expected: shape)
            }
            return Tensor(try file.floats(of: name), shape)
        }
        func projection(_ name: String, _ inputs: Int, _ outputs: Int) throws(Problem) -> Projection
        {
            Projection(
                weight: try tensor(name + ".weight", [outputs, inputs]),
                bias: try tensor(name + ".bias", [outputs]))
        }
        func norm(_ name: String) throws(Problem) -> Norm {
            Norm(
                weight: try tensor(name + ".weight", [width]),
                bias: try tensor(name + ".bias", [width]), epsilon: configuration.epsilon)
        }
        words = try tensor("embeddings.word_embeddings.weight", [configuration.entries, width])
        positions = try tensor(
            "embeddings.position_embeddings.weight",
            [configuration.positions, width])
        types = try tensor(
            "embeddings.token_type_embeddings.weight", [configuration.types, width])
        self.norm = try norm("embeddings.LayerNorm")
        var layers: [Layer] = []
        for i in 0..<configuration.layers {
            let name = "encoder.layer.\(i)"
            let hidden = configuration.hidden
            layers.append(
                Layer(
                    query: try projection("\(name).attention.self.query", width, width),
                    key: try projection("\(name).attention.self.key", width, width),
                    value: try projection("\(name).attention.self.value", width, width),
                    attention: try projection("\(name).attention.output.dense", width, width),
                    attentionNorm: try norm("\(name).attention.output.LayerNorm"),
                    intermediate: try projection("\(name).intermediate.dense", width, hidden),
                    output: try projection("\(name).output.dense", hidden, width),
                    outputNorm: try norm("\(name).output.LayerNorm")))
        }
        self.layers = layers
    }

    /// Numbers of vocabulary entries, at most `max_position_embeddings`, to their last hidden states
    /// [L, hidden].
    func callAsFunction(_ ids: [Int]) -> Tensor {
        precondition(ids.count <= configuration.positions, "text too long")
        let length = ids.count
        let tokens = embedding(Tensor(ids, [length]), words)  // [L, d]
        let places = positions.narrowed(0, from: 0, count: length)
        return layers.reduce(norm(tokens + places + types.selected(0, 0))) { x, layer in
            let attended = layer.attentionNorm(x + layer.attention(attention(x, layer)))
            return layer.outputNorm(
                attended + layer.output(layer.intermediate(attended).gelu()))
        }
    }

    private func attention(_ x: Tensor, _ layer: Layer) -> Tensor {
        let (length, heads) = (x.shape[0], configuration.heads)
        let size = configuration.width / heads
        func split(_ x: Tensor) -> Tensor {
            x.reshaped([length, heads, size]).permuted([1, 0, 2])  // [heads, L, d/heads]
        }
        let scores = split(layer.query(x)).matmul(split(layer.key(x)).transposed())
        let weights = (scores / Double(size).squareRoot()).softmax(-1)  // [heads, L, L]
        return weights.matmul(split(layer.value(x))).permuted([1, 0, 2])
            .reshaped([length, configuration.width])
    }
}
