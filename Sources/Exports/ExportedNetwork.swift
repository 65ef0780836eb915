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

/// A trained network in the form of other programs, in memory, checked against the network itself.
public struct ExportedNetwork {
    public let saved: SavedModel
    public let provenance: Provenance?
    /// The graph with the weights as they were trained.
    public let graph: ClassifierGraph
    /// The file of ONNX.
    public let onnx: [UInt8]
    /// On what, and how closely, file and network agree.
    public let check: ExportCheck
    /// What int8 weights cost, where they were asked for.
    public let int8: Int8Cost?
    /// A path beside which files of a text network stand, and what is in them.
    public let tokenizer: TokenizerFiles?

    public struct Int8Cost: Encodable, Equatable, Sendable {
        public var bytesBefore: Int
        public var bytesAfter: Int
        /// On the run's validation split, against its given labels; nil without a run.
        public var accuracyBefore: Double?
        public var accuracyAfter: Double?
        /// Share of validation samples whose class stays; of random ones without a run.
        public var agreement: Double

        enum CodingKeys: String, CodingKey {
            case agreement
            case bytesBefore = "bytes_before"
            case bytesAfter = "bytes_after"
            case accuracyBefore = "accuracy_before"
            case accuracyAfter = "accuracy_after"
        }
    }

    /// - Parameters:
    ///   - samples: real ones to compare on and to measure with, in the network's own columns.
    ///   - int8: whether the file has weights of 8 bits.
    /// - Throws: a `Problem` where the file does not compute what the network does.
    public init(
        _ saved: SavedModel, provenance: Provenance?, samples: ExportSamples?,
        output: ClassifierGraph.Output = .logits, int8: Bool = false
    ) throws {
        self.saved = saved
        self.provenance = provenance
        let card = saved.card
        let network = try saved.classifier()
        let graph = try ClassifierGraph(network, card: card, output: output)
        self.graph = graph
        var file = graph.graph
        // What the file has to agree with: with rounded weights, the network with these weights.
        var reference = network
        var cost: Int8Cost?
        if int8 {
            let quantised = graph.graph.quantised()
            file = quantised.graph
            reference = try saved.classifier()
            withoutGradient {
                for (name, tensor) in reference.state {
                    guard let values = quantised.weights[name] else { continue }
                    tensor.copy(from: Tensor(values, tensor.shape))
                }
            }
            cost = try Int8Cost(quantised, network, reference, card, samples)
        }
        self.int8 = cost
        let model = ONNXModel(
            file, producerVersion: limbeckVersion,
            metadata: ExportMetadata(saved.card, provenance, output: output, int8: cost).entries)
        onnx = try model.encoded()
        check = try ExportCheck(
            onnx, name: "model.onnx", network: reference, card: card, output: output,
            samples: samples)
        tokenizer = (network as? any TokenClassifier).map { TokenizerFiles($0, card: card) }
    }

    /// Writes `path`, and for texts the tokenizer beside it.
    ///
    /// - Returns: the paths.
    public func write(
        to path: String, using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) -> [String] {
        try files.replace(path, with: onnx)
        guard let tokenizer else { return [path] }
        let stem = path.hasSuffix(".onnx") ? String(path.dropLast(5)) : path
        return [path] + (try tokenizer.write(stem: stem, using: files))
    }
}

extension ExportedNetwork.Int8Cost {
    fileprivate init(
        _ quantised: ONNXGraph.Quantised, _ before: any Classifier, _ after: any Classifier,
        _ card: ModelCard, _ samples: ExportSamples?
    ) throws {
        (bytesBefore, bytesAfter) = (quantised.bytesBefore, quantised.bytesAfter)
        let outputs: (any Classifier) throws -> Tensor
        var labels: [Int]?
        if let samples {
            let set = try EvaluationSet(
                samples.data, members: samples.members, normalisation: card.normalisation)
            labels = set.labels
            outputs = { network in
                set.logits({ network($0, mode: .eval) }, precision: .float32)
            }
        } else {
            outputs = { network in
                let inputs = ExportInputs(network: network, card: card)
                return withoutGradient { inputs.outputs(inputs.random(256), .logits) }
            }
        }
        let (own, rounded) = try Engine.checked {
            (try outputs(before).argmax().ints(), try outputs(after).argmax().ints())
        }
        func share(_ a: [Int], _ b: [Int]) -> Double {
            Double(zip(a, b).count { $0 == $1 }) / Double(max(1, a.count))
        }
        agreement = share(own, rounded)
        accuracyBefore = labels.map { share(own, $0) }
        accuracyAfter = labels.map { share(rounded, $0) }
    }
}

/// What an ONNX file says of itself, by key.
struct ExportMetadata {
    var entries: [(key: String, value: String)]

    init(
        _ card: ModelCard, _ provenance: Provenance?, output: ClassifierGraph.Output,
        int8: ExportedNetwork.Int8Cost?
    ) {
        func json(_ value: some Encodable) -> String {
            String(decoding: JSON.text(value), as: UTF8.self)
        }
        entries = [
            ("classes", json(card.classNames)), ("model", json(card.model)),
            ("normalisation", json(card.normalisation)), ("output", output.rawValue),
            ("limbeck", limbeckVersion),
        ]
        if let columns = card.table?.inputs ?? card.columns {
            entries.append(("columns", json(columns)))
        }
        if int8 != nil { entries.append(("weights", "int8, symmetric, per output channel")) }
        guard let provenance else { return }
        entries += [
            ("run", provenance.run), ("data", provenance.dataName),
            ("method", provenance.method), ("recipe_sha256", provenance.recipeHash),
        ]
        if let noise = provenance.realisedNoise { entries.append(("realised_noise", "\(noise)")) }
        if provenance.isClassifier {
            entries.append(("validation_accuracy", "\(provenance.validation.accuracy)"))
        }
    }
}
