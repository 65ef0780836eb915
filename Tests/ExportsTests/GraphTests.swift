import Datasets
import Diagnostics
import Models
import Neural
import ONNX
import TestSupport
import Testing
import Torch
import Training

@testable import Exports

/// A network of the registry, small, with batch norms and biases that do something.
struct SmallNetwork: Sendable, CustomStringConvertible {
    var spec: ModelSpec
    var shape: [Int]
    var description: String { "\(spec.name) \(shape)" }

    private init(_ spec: ModelSpec, _ shape: [Int]) {
        self.spec = spec
        self.shape = shape
    }

    static let residual = SmallNetwork(ModelSpec(name: "resnet8", width: 0.25), [3, 8, 8])

    static let all: [SmallNetwork] = ModelRegistry.names.map(named) + others

    private static func named(_ name: String) -> SmallNetwork {
        switch name {
        case "mlp": SmallNetwork(ModelSpec(name: name, hidden: [9, 7]), [12])
        case "residual-mlp": SmallNetwork(ModelSpec(name: name, hidden: [9]), [5])
        case "lenet5": SmallNetwork(ModelSpec(name: name), [1, 28, 28])
        case "fasttext":
            SmallNetwork(ModelSpec(name: name, width: 0.25, buckets: 50), [1, 40])
        case "charcnn":
            SmallNetwork(ModelSpec(name: name, width: 0.05, length: 130), [1, 140])
        default: SmallNetwork(ModelSpec(name: name, width: 0.1), [3, 17, 16])
        }
    }

    private static let others: [SmallNetwork] = [
        // Maps of 7 × 5, which are averaged down by overlapping windows; of 10 × 5, by equal ones.
        SmallNetwork(ModelSpec.leNet5, [2, 40, 32]), SmallNetwork(ModelSpec.leNet5, [2, 52, 32]),
        SmallNetwork(ModelSpec.mlp(hidden: []), [3, 4, 4]),
        SmallNetwork(ModelSpec(name: "vgg8", width: 0.1), [1, 64, 64]),
        SmallNetwork(ModelSpec(name: "wrn-10-1"), [1, 9, 6]),
    ]

    var card: ModelCard {
        get throws {
            let channels = shape.count == 2 ? 1 : shape[0]
            let normalisation =
                shape.count == 2
                ? try Normalisation(mean: [0], std: [1])
                : try Normalisation(
                    mean: (0..<channels).map { 0.4 + 0.05 * Float($0) },
                    std: (0..<channels).map { 0.25 + 0.01 * Float($0) })
            return ModelCard(
                model: spec, sampleShape: shape, classNames: ["a", "b", "c", "d"],
                normalisation: normalisation)
        }
    }

    func network() throws -> any Classifier {
        let network = try ModelRegistry.make(spec, sampleShape: shape, classes: 4, seed: 3)
        let generator = Generator(seed: 5)
        withoutGradient {
            for (name, tensor) in network.state where tensor.dtype == .float32 && tensor.rank == 1 {
                // Scales around 1 let the outputs of 110 layers grow to 10⁵, and rounding with them.
                let (low, high): (Double, Double) =
                    name.hasSuffix("bias")
                    ? (-0.3, 1.4) : name.hasSuffix("weight") ? (0.3, 0.9) : (0.6, 1.4)
                tensor.fillUniform(low, high, generator)
            }
        }
        return network
    }
}

@Suite(.takesTurns) struct GraphTests {
    @Test(arguments: SmallNetwork.all)
    func everyNetworkIsComputedFromItsFile(_ small: SmallNetwork) throws {
        try withNoLeaks {
            let (network, card) = (try small.network(), try small.card)
            for output in [ClassifierGraph.Output.logits, .probabilities] {
                let graph = try ClassifierGraph(network, card: card, output: output)
                let file = try ONNXModel(graph.graph).encoded()
                let check = try ExportCheck(
                    file, name: "x", network: network, card: card, output: output, samples: nil)
                #expect(check.lines.map(\.otherClasses) == [0])
                #expect(check.lines[0].samples == 64)
            }
            // Every weight is in the file, under its name, and nothing twice.
            let graph = try ClassifierGraph(network, card: card).graph
            let names = Set(graph.initialisers.map(\.name))
            #expect(names.count == graph.initialisers.count)
            for (name, _) in network.state where !name.hasSuffix("num_batches_tracked") {
                #expect(names.contains(name))
            }
        }
    }

    @Test(
        arguments: SmallNetwork.all.filter {
            ["resnet8", "fasttext", "mlp"].contains($0.spec.name)
        })
    func roundedWeightsAreThoseOfTheFile(_ small: SmallNetwork) throws {
        try withNoLeaks {
            let (network, card) = (try small.network(), try small.card)
            let quantised = try ClassifierGraph(network, card: card).graph.quantised(least: 8)
            #expect(!quantised.weights.isEmpty && quantised.bytesAfter < quantised.bytesBefore)
            let file = try ONNXModel(quantised.graph).encoded()
            // The network itself is not what the file computes any more.
            #expect(throws: Problem.self) {
                try ExportCheck(
                    file, name: "x", network: network, card: card, output: .logits, samples: nil)
            }
            withoutGradient {
                for (name, tensor) in network.state {
                    guard let values = quantised.weights[name] else { continue }
                    tensor.copy(from: Tensor(values, tensor.shape))
                }
            }
            _ = try ExportCheck(
                file, name: "x", network: network, card: card, output: .logits, samples: nil)
        }
    }

    /// The check has to see the smallest mistakes: a wrong ε, a wrong stride, a lost bias.
    @Test func aWrongFileIsSeen() throws {
        let small = SmallNetwork.residual
        let (network, card) = (try small.network(), try small.card)
        let right = try ClassifierGraph(network, card: card).graph
        func isSeen(_ change: (inout ONNXGraph) -> Void) throws -> Bool {
            var graph = right
            change(&graph)
            let file = try ONNXModel(graph).encoded()
            do {
                _ = try ExportCheck(
                    file, name: "x", network: network, card: card, output: .logits, samples: nil)
                return false
            } catch is Problem {
                return true
            }
        }
        let nothing = try isSeen { _ in }
        let epsilon = try isSeen { graph in
            let norm = graph.nodes.firstIndex { $0.kind == "BatchNormalization" }!
            graph.nodes[norm].attributes["epsilon"] = .float(1e-3)
        }
        let bias = try isSeen { graph in
            let last = graph.nodes.lastIndex { $0.kind == "Gemm" }!
            graph.nodes[last].inputs.removeLast()
        }
        let sign = try isSeen { graph in
            // Of the first class; a single feature may be 0 for every sample.
            let i = graph.initialisers.firstIndex { $0.name == "fc.weight" }!
            let row = graph.initialisers[i].bytes.count / 4
            for byte in stride(from: 3, to: row, by: 4) {
                graph.initialisers[i].bytes[byte] ^= 0x80
            }
        }
        #expect(!nothing && epsilon && bias && sign)
    }

    @Test func aStridedPointConvolutionIsOneOperator() throws {
        let small = SmallNetwork.residual
        let graph = try ClassifierGraph(small.network(), card: small.card).graph
        #expect(!graph.nodes.contains { $0.kind == "AveragePool" })
        let strides = graph.nodes.filter { $0.kind == "Conv" }.map { $0.attributes["strides"] }
        #expect(strides.count { $0 == .ints([2, 2]) } == 4)
        #expect(
            graph.nodes.prefix(4).map(\.kind) == ["Cast", "Div", "Sub", "Div"],
            "preprocessing as it is done in training")
    }
}

/// A network that looks at its values, or does what nothing was said of.
private final class Odd: Classifier {
    enum Kind { case reads, sorts, oneSample }
    let head: Linear
    let kind: Kind

    init(_ kind: Kind, generator: Generator) {
        self.kind = kind
        head = Linear(4, 2, generator: generator)
    }

    func features(_ x: Tensor, mode: Mode) -> Tensor {
        switch kind {
        case .reads: x * x.max().item
        case .sorts: x.sorted().values
        case .oneSample: x.narrowed(0, from: 0, count: 1)
        }
    }

    func fresh(generator: Generator) -> Odd { Odd(kind, generator: generator) }
}

@Suite(.takesTurns) struct RefusalTests {
    @Test func networksThatCannotBeExported() throws {
        func sentence(_ kind: Odd.Kind) throws -> String {
            let card = ModelCard(
                model: .mlp(), sampleShape: [4], classNames: ["a", "b"],
                normalisation: try Normalisation(
                    mean: [Float](repeating: 0, count: 4), std: [Float](repeating: 1, count: 4)))
            do {
                _ = try ClassifierGraph(Odd(kind, generator: Generator(seed: 0)), card: card)
                return "nothing thrown"
            } catch { return "\(error)" }
        }
        let (start, end) = (
            "the network cannot be exported: found ",
            " (give a run folder, or the weights in it)"
        )
        #expect(try sentence(.reads) == start + "the operator max" + end)
        #expect(
            try sentence(.sorts)
                == start + "the network looks at values or changes them (sorted)" + end)
        #expect(
            try sentence(.oneSample)
                == start
                + "the operator narrowed, which can be exported behind the samples only" + end)
    }
}
