import Diagnostics
import TestSupport
import Testing
import Torch

@testable import Neural

extension NeuralTests {
    @Suite struct ExponentialMovingAverageTests {
        static let names = ["conv.weight", "conv.bias", "fc.weight"]

        @Test(arguments: [("average", 0.6, false), ("average-ramp", 0.3, true)])
        func equalsTheDefinition(_ name: String, decay: Double, ramp: Bool) throws {
            try withNoLeaks {
                let fixture = try FixtureFile("optimizers", in: .module)
                let live = try Self.names.map {
                    (name: $0, tensor: try fixture.tensor("start.\($0)"))
                }
                let shown = live.map { (name: $0.name, tensor: $0.tensor.zerosLike()) }
                let average = ExponentialMovingAverage(of: live, decay: decay, ramp: ramp)
                for k in 0..<5 {
                    for (name, tensor) in live {
                        tensor.copy(from: try fixture.tensor("sgd.\(k).\(name)"))
                    }
                    average.update()
                    average.apply(to: shown)
                    for (parameter, tensor) in shown {
                        try expectClose(
                            tensor, fixture.tensor("\(name).\(k).\(parameter)"), 1e-6, parameter)
                    }
                }
                #expect(average.updates == 5)
            }
        }

        @Test func rampIsAMinimum() {
            #expect(ExponentialMovingAverage.decay(after: 0, limit: 0.9, ramp: true) == 0.1)
            #expect(ExponentialMovingAverage.decay(after: 8, limit: 0.9, ramp: true) == 0.5)
            #expect(ExponentialMovingAverage.decay(after: 890, limit: 0.9, ramp: true) == 0.9)
            #expect(ExponentialMovingAverage.decay(after: 0, limit: 0.9, ramp: false) == 0.9)
        }

        /// Floats move by halves, counts are copied; the network that trains is left alone.
        @Test func averagesFloatsAndCopiesIntegers() throws {
            try withNoLeaks {
                let weight = Tensor([2, 4] as [Float], [2])
                weight.requiresGrad = true
                let count = Tensor([1], [])
                let average = ExponentialMovingAverage(
                    of: [("weight", weight), ("count", count)], decay: 0.5, ramp: false)
                weight.copy(from: Tensor([4, 0] as [Float], [2]))
                count.fill(7)
                average.update()
                let other = [
                    (name: "weight", tensor: Tensor.zeros([2])),
                    (name: "count", tensor: Tensor([0], [])),
                ]
                average.apply(to: other)
                #expect(other[0].tensor.floats() == [3, 2])
                #expect(other[1].tensor.ints() == [7])
                #expect(weight.floats() == [4, 0] && weight.gradient == nil)
            }
        }

        @Test func resumesToTheSameBits() throws {
            try withNoLeaks {
                let weight = Tensor([1, -2, 0.3] as [Float], [3])
                func drift() { weight.multiplyInPlace(1.1) }
                let whole = ExponentialMovingAverage(of: [("w", weight)], decay: 0.9)
                drift()
                whole.update()
                let saved = Dictionary(
                    uniqueKeysWithValues: whole.state.map { ($0.name, $0.tensor.cloned()) })
                #expect(saved.keys.sorted() == ["updates", "w.ema"])
                let resumed = ExponentialMovingAverage(of: [("w", weight)], decay: 0.9)
                let forgetful = ExponentialMovingAverage(of: [("w", weight)], decay: 0.9)
                try resumed.load(state: saved)
                #expect(resumed.updates == 1)
                let start = weight.cloned()
                for average in [whole, resumed, forgetful] {
                    weight.copy(from: start)
                    drift()
                    average.update()
                }
                func bits(_ average: ExponentialMovingAverage) -> [[UInt8]] {
                    average.state.map { $0.tensor.bytes() }
                }
                #expect(bits(resumed) == bits(whole))
                #expect(bits(forgetful) != bits(whole))
                #expect(throws: Problem.self) {
                    try resumed.load(state: ["w.ema": .zeros([3])])
                }
                #expect(throws: Problem.self) {
                    try resumed.load(state: [
                        "w.ema": .zeros([3]), "updates": Tensor([-1], [1]),
                    ])
                }
                #expect(bits(resumed) == bits(whole))
            }
        }
    }
}
