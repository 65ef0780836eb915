import Datasets
import Diagnostics
import Foundation
import Models
import Neural
import ONNX
import Torch
import Training

/// A classifier as a graph that takes raw samples: bytes of images, columns of a table, tokens of texts.
public struct ClassifierGraph: Sendable {
    public let graph: ONNXGraph
    public let card: ModelCard
    /// What the graph gives.
    public let output: Output

    public enum Output: String, Sendable { case logits, probabilities }

    static let inputName = "input"

    /// - Parameters:
    ///   - network: with the weights to export, in float32.
    ///   - card: what it was trained on.
    public init(
        _ network: any Classifier, card: ModelCard, output: Output = .logits
    ) throws {
        self.card = card
        self.output = output
        var translator = GraphTranslator(name: card.model.name, state: network.state)
        let (element, shape) = ClassifierGraph.taken(by: network, card)
        let batch = ONNXValue.Extent.free("batch")
        translator.graph.inputs = [ONNXValue(ClassifierGraph.inputName, element, [batch] + shape)]
        // Two samples: one is what a dimension of size 1 could be taken for.
        let example = ClassifierGraph.example(of: network, card)
        let recorder = OperatorRecorder()
        let logits = try Engine.checked {
            withoutGradient {
                recorder.record {
                    guard let tokens = network as? any TokenClassifier else {
                        return network(example, mode: .eval)
                    }
                    return tokens.logits(
                        fromFeatures: tokens.features(ofTokens: example, mode: .eval))
                }
            }
        }
        var input = ClassifierGraph.inputName
        if !(network is any TokenClassifier) {
            input = translator.normalised(input, card.normalisation, rank: example.rank)
        }
        translator.bind(example, to: input)
        let last = try translator.translate(recorder.operators, to: logits)
        if output == .probabilities {
            let softmax = translator.add("Softmax", [last], ["axis": .int(1)])
            translator.rename(softmax, to: output.rawValue)
        } else {
            translator.rename(last, to: output.rawValue)
        }
        translator.graph.outputs = [
            ONNXValue(output.rawValue, .float, [batch, .fixed(network.classes)])
        ]
        graph = translator.graph
        try graph.check()
    }

    private static func taken(
        by network: any Classifier, _ card: ModelCard
    ) -> (ONNXElement, [ONNXValue.Extent]) {
        if let text = network as? any TokenClassifier {
            return (.int64, [text.tokenCount.map { .fixed($0) } ?? .free("length")])
        }
        let isImage = card.sampleShape.count == 3
        return (isImage ? .uint8 : .float, card.sampleShape.map { .fixed($0) })
    }

    private static func example(of network: any Classifier, _ card: ModelCard) -> Tensor {
        if let text = network as? any TokenClassifier {
            return .ones([2, text.tokenCount ?? 3], dtype: .int64)
        }
        return .zeros([2] + card.sampleShape)
    }
}

extension GraphTranslator {
    /// (x − mean) / std by channel or column, of images after x / 255: the operations of training in their
    /// order, so that the network's input is the same to the last bit. They are not multiplied into the
    /// first convolution, which would be wrong at the edges: its padding is 0 after normalisation.
    mutating func normalised(
        _ input: String, _ normalisation: Normalisation, rank: Int
    ) -> String {
        var x = input
        if rank == 4 {
            x = add("Cast", [x], ["to": .int(ONNXElement.float.rawValue)])
            x = add("Div", [x, constant("byte", floats: [255], [])])
        }
        let count = normalisation.mean.count
        let shape = [1, count] + [Int](repeating: 1, count: rank - 2)
        x = add("Sub", [x, constant("mean", floats: normalisation.mean, shape)])
        return add("Div", [x, constant("std", floats: normalisation.std, shape)])
    }
}

extension SavedModel {
    /// The network itself, with weights of its own and batch norms as they were trained.
    func classifier() throws(Problem) -> any Classifier {
        let state = Dictionary(
            network.state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a })
        let classifier = try ModelRegistry.make(
            card.model, sampleShape: card.sampleShape, classes: card.classNames.count,
            weights: state, source: nil)
        for (_, parameter) in classifier.parameters { parameter.requiresGrad = false }
        return classifier
    }
}
