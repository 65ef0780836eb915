import Diagnostics
import TestSupport
import Testing
import Torch

@testable import Neural

@Suite(.takesTurns) struct ModuleTests {
    final class Inner: Module {
        let scaleFactor = Parameter(.ones([2]))
        let runningMax = Buffer(.zeros([]))
        func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor { x * scaleFactor.tensor }
    }

    final class Outer: Module {
        let conv1 = Conv2d(1, 2, kernel: 1, generator: Generator(seed: 1))
        let blocks: [Inner]
        let shortcut: Inner?
        let absent: Inner? = nil
        let oddlyNamed = Inner()
        let bias: Parameter?
        let note = "not a module"

        init(shortcut: Inner?) {
            self.shortcut = shortcut
            blocks = [Inner(), Inner()]
            bias = Parameter(.zeros([3]))
        }

        var keys: [String: String] { ["oddlyNamed": "oddlyNamed"] }
        func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor { x }
    }

    @Test func namesComeInDeclarationOrder() throws {
        try withNoLeaks {
            let outer = Outer(shortcut: Inner())
            #expect(
                outer.state.map(\.name) == [
                    "conv1.weight", "conv1.bias", "blocks.0.scale_factor", "blocks.0.running_max",
                    "blocks.1.scale_factor", "blocks.1.running_max", "shortcut.scale_factor",
                    "shortcut.running_max", "oddlyNamed.scale_factor", "oddlyNamed.running_max",
                    "bias",
                ])
            #expect(outer.parameters.count == 7)
            #expect(
                outer.buffers.map(\.name) == [
                    "blocks.0.running_max", "blocks.1.running_max", "shortcut.running_max",
                    "oddlyNamed.running_max",
                ])
            #expect(outer.parameterCount == 2 + 2 + 4 * 2 + 3)
            #expect(
                outer.modules.map(\.name)
                    == ["", "conv1", "blocks.0", "blocks.1", "shortcut", "oddlyNamed"])
            #expect(Outer(shortcut: nil).state.count == 9)
        }
    }

    @Test func sequentialCountsAllItsLayers() throws {
        try withNoLeaks {
            let generator = Generator(seed: 1)
            let layers = Sequential(
                Linear(2, 2, generator: generator), Activation(.relu),
                Sequential(Linear(2, 2, bias: false, generator: generator)))
            #expect(layers.state.map(\.name) == ["0.weight", "0.bias", "2.0.weight"])
        }
    }

    @Test func snakeCaseOfNames() throws {
        try withNoLeaks {
            #expect(snakeCase("numBatchesTracked") == "num_batches_tracked")
            #expect(snakeCase("conv1") == "conv1")
        }
    }

    @Test func gradientsAreCleared() throws {
        try withNoLeaks {
            let layer = Linear(2, 1, generator: Generator(seed: 1))
            layer(Tensor.ones([1, 2])).sum().backward()
            #expect(layer.weight.tensor.gradient != nil)
            layer.clearGradients()
            #expect(layer.parameters.allSatisfy { $0.tensor.gradient == nil })
        }
    }
}

@Suite(.takesTurns) struct StateTests {
    private func tensors(_ module: some Module) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: module.state.map { ($0.name, $0.tensor) })
    }

    private func network(_ seed: UInt64) -> Sequential {
        Sequential(
            Linear(2, 3, generator: Generator(seed: seed)), BatchNorm1d(3),
            Linear(3, 2, generator: Generator(seed: seed + 1)))
    }

    private func values(_ module: some Module) -> [[Double]] {
        module.state.map { $0.tensor.doubles() }
    }

    @Test func loadsEverythingOrNothing() throws {
        try withNoLeaks {
            let (from, to) = (network(1), network(5))
            _ = from(.ones([4, 2]), mode: .train(Generator(seed: 1)))
            let match = try to.loadState(from: tensors(from))
            #expect(match.matched.count == 9)
            #expect(values(from) == values(to))
            #expect(to.parameters.allSatisfy { $0.tensor.requiresGrad })

            let third = network(9)
            let before = values(third)
            var damaged = tensors(from)
            damaged["2.bias"] = nil
            #expect(throws: Problem.self) { try third.loadState(from: damaged) }
            #expect(values(third) == before)
        }
    }

    @Test func widthsOfFloatsConvert() throws {
        try withNoLeaks {
            let (from, to) = (network(1), network(5))
            let half = tensors(from).mapValues {
                $0.dtype.isFloatingPoint ? $0.detached().to(.bfloat16) : $0
            }
            try to.loadState(from: half)
            let weight = to.state[0].tensor
            #expect(weight.dtype == .float32)
            #expect(weight.floats() == half["0.weight"]!.floats())
        }
    }

    @Test func saysWhatDiffers() throws {
        try withNoLeaks {
            let to = network(1)
            var given = tensors(network(2))
            given["2.weight"] = .zeros([2, 4])
            given["1.num_batches_tracked"] = .zeros([])
            given["0.bias"] = nil
            given["extra"] = .zeros([1])
            let match = to.matchState(given)
            #expect(match.matched.count == 6)
            #expect(match.missing == ["0.bias"])
            #expect(match.unexpected == ["extra"])
            #expect(
                match.mismatched == [
                    .init(name: "1.num_batches_tracked", found: "float32 []", expected: "int64 []"),
                    .init(name: "2.weight", found: "float32 [2, 4]", expected: "float32 [2, 3]"),
                ])
        }
    }

    @Test func sentences() throws {
        try withNoLeaks {
            let to = network(1)
            let all = tensors(network(2))
            func sentence(_ change: (inout [String: Tensor]) -> Void) -> String {
                var given = all
                change(&given)
                do {
                    try to.loadState(from: given, source: "w.safetensors")
                    return "no error"
                } catch { return error.description }
            }
            #expect(
                sentence { $0["2.weight"] = .zeros([2, 4]) }
                    == "w.safetensors, tensor 2.weight: the weights do not fit the network "
                    + "(1 of another shape): found float32 [2, 4], expected float32 [2, 3]")
            #expect(
                sentence {
                    $0["2.bias"] = nil
                    $0["2.bais"] = .zeros([2])
                }
                    == "w.safetensors, tensor 2.bias: the weights do not fit the network "
                    + "(1 missing, 1 unexpected): found no such tensor, expected a tensor of this "
                    + "name (the file has \"2.bais\")")
            #expect(
                sentence { given in
                    given = Dictionary(
                        uniqueKeysWithValues: given.map { ("module." + $0.key, $0.value) })
                }
                    == "w.safetensors, tensor 0.weight: the weights do not fit the network "
                    + "(9 missing, 9 unexpected): found no such tensor, expected a tensor of this "
                    + "name (the names in the file start with \"module.\": save the network inside "
                    + "DataParallel instead)")
            #expect(
                sentence { $0["fc.weight"] = .zeros([1]) }
                    == "w.safetensors, tensor fc.weight: the weights do not fit the network "
                    + "(1 unexpected): found a tensor that the network does not have, expected "
                    + "only tensors of the network")
        }
    }
}
