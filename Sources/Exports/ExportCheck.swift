import Datasets
import Diagnostics
import Foundation
import Models
import Neural
import ONNX
import Randomness
import SafeTensors
import Torch
import Training

/// Compares a written file with the network: the file is read again and computed operator by operator, on
/// random and, where there are some, on real samples, in batches of several sizes.
public struct ExportCheck: Sendable {
    public struct Line: Encodable, Equatable, Sendable {
        /// `64 random samples in batches of 1, 4, 5`
        public var what: String
        public var samples: Int
        /// Largest difference of an output.
        public var difference: Double
        /// How often the largest output is of another class.
        public var otherClasses: Int

        enum CodingKeys: String, CodingKey {
            case what, samples, difference
            case otherClasses = "other_classes"
        }
    }

    public private(set) var lines: [Line] = []

    /// What outputs may differ by, times the largest output where that is above 1.
    static let limit = 1e-5
    static let sizes = [1, 4, 5]
    static let count = 64

    /// - Parameters:
    ///   - file: the bytes of an ONNX file.
    ///   - name: its path, for the message.
    ///   - network: what it has to agree with.
    ///   - samples: real ones, or nil.
    /// - Throws: a `Problem` where they do not agree.
    public init(
        _ file: [UInt8], name: String, network: any Classifier, card: ModelCard,
        output: ClassifierGraph.Output, samples: ExportSamples?
    ) throws {
        let model = try ONNXModel(bytes: file, name: name)
        let runner = try GraphRunner(model.graph)
        let inputs = ExportInputs(network: network, card: card)
        try compare("random", inputs.random(ExportCheck.count), runner, inputs, output)
        if let samples {
            let members = Array(samples.members.prefix(ExportCheck.count))
            try compare("validation", inputs.real(samples.data, members), runner, inputs, output)
        }
    }

    private mutating func compare(
        _ kind: String, _ raw: Tensor, _ runner: GraphRunner, _ inputs: ExportInputs,
        _ output: ClassifierGraph.Output
    ) throws {
        var line = Line(what: "", samples: raw.shape[0], difference: 0, otherClasses: 0)
        var largest = 1.0
        var start = 0
        var turn = 0
        while start < raw.shape[0] {
            let size = min(ExportCheck.sizes[turn % 3], raw.shape[0] - start)
            let batch = raw.narrowed(0, from: start, count: size)
            start += size
            turn += 1
            let (own, file) = try Engine.checked {
                try withoutGradient { (inputs.outputs(batch, output), try runner(batch)) }
            }
            guard own.shape == file.shape else {
                throw Problem.exportDiffers(
                    kind, "outputs of shape \(file.shape)", limit: "\(own.shape)")
            }
            let difference = (own - file).abs().max().item
            // Not-a-number compares with nothing.
            guard difference.isFinite else {
                throw Problem.exportDiffers(kind, "\(difference)", limit: "finite outputs")
            }
            line.difference = max(line.difference, difference)
            largest = max(largest, own.abs().max().item)
            line.otherClasses += zip(own.argmax().ints(), file.argmax().ints()).count { $0 != $1 }
        }
        line.what =
            "\(raw.shape[0]) \(kind) samples in batches of "
            + ExportCheck.sizes.map(String.init).joined(separator: ", ")
        guard line.difference <= ExportCheck.limit * largest else {
            throw Problem.exportDiffers(
                line.what, "outputs that differ by \(line.difference)",
                limit: "at most \(ExportCheck.limit * largest)")
        }
        lines.append(line)
    }
}

/// Raw inputs of a graph, and what the network makes of them in training's own way.
struct ExportInputs {
    let network: any Classifier
    let card: ModelCard

    /// Bytes, numbers around the mean of their column, or tokens; the same at every call.
    func random(_ count: Int) -> Tensor {
        var draw = Draw(seed: 18, .export)
        if let text = network as? any TokenClassifier {
            // Of every length, the rest padded.
            let length = text.tokenCount ?? 24
            let most = (text as? FastText)?.configuration.buckets ?? 0x24f
            let ids = (0..<count).flatMap { row in
                (0..<length).map { place in
                    place * count >= length * (row + 1) ? 0 : draw.below(most) + 1
                }
            }
            return Tensor(ids, [count, length])
        }
        let size = card.sampleShape.reduce(1, *)
        if card.sampleShape.count == 3 {
            let bytes = (0..<count * size).map { _ in UInt8(draw.below(256)) }
            return Tensor(bytes: bytes, [count] + card.sampleShape, dtype: .uint8)
        }
        let (mean, std) = (card.normalisation.mean, card.normalisation.std)
        let values = (0..<count * size).map { i in
            mean[i % size] + std[i % size] * (Float(draw.below(1 << 16)) / 16384 - 2)
        }
        return Tensor(values, [count, size])
    }

    func real(_ data: Dataset, _ members: [Int]) throws -> Tensor {
        switch data.features {
        case .images(let bytes, _, _, _):
            let size = data.sampleSize
            let own = members.flatMap { bytes[$0 * size..<($0 + 1) * size] }
            return Tensor(bytes: own, [members.count] + data.sampleShape, dtype: .uint8)
        case .table(let cells, _):
            let size = data.sampleSize
            return Tensor(
                members.flatMap { cells[$0 * size..<($0 + 1) * size] }, [members.count, size])
        case .text:
            let text = network as! any TokenClassifier
            let set = try EvaluationSet(
                data, members: members, normalisation: card.normalisation, batch: members.count)
            var tokens: [Tensor] = []
            set.forEachBatch { tokens.append(text.tokens(of: $0)) }
            return .concatenated(tokens)
        }
    }

    /// The network's outputs [n, classes] for raw inputs.
    func outputs(_ raw: Tensor, _ output: ClassifierGraph.Output) -> Tensor {
        let logits: Tensor
        if let text = network as? any TokenClassifier {
            logits = text.logits(fromFeatures: text.features(ofTokens: raw, mode: .eval))
        } else {
            logits = network(normalised(raw), mode: .eval)
        }
        return output == .probabilities ? logits.softmax() : logits
    }

    private func normalised(_ raw: Tensor) -> Tensor {
        let isImage = raw.rank == 4
        let x = isImage ? raw.to(.float32) / 255 : raw
        let count = card.normalisation.mean.count
        let shape = [1, count] + [Int](repeating: 1, count: raw.rank - 2)
        let own =
            (x - Tensor(card.normalisation.mean, shape)) / Tensor(card.normalisation.std, shape)
        return isImage ? own.channelsLast() : own
    }
}
