import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Neural

extension NeuralTests {
    /// The rules against `torch.optim` (fixtures: scripts/fixtures/optimizers.py).
    @Suite struct OptimizerTests {
        static let names = ["conv.weight", "conv.bias", "fc.weight"]

        /// The options of each case of the fixture.
        static let cases: [String: OptimizerOptions] = [
            "sgd": .init(kind: .sgd),
            "sgd-plain": .init(kind: .sgd, momentum: 0),
            "sgd-decay": .init(kind: .sgd, weightDecay: 0.05),
            "sgd-nesterov": .init(kind: .sgd, momentum: 0.8, nesterov: true, weightDecay: 0.01),
            "sgd-clip": .init(kind: .sgd, clipNorm: 2),
            "sgd-no-bias-decay": .init(kind: .sgd, weightDecay: 0.05, decayNormAndBias: false),
            "adam": .init(kind: .adam),
            "adam-options": .init(
                kind: .adam, weightDecay: 0.1, beta1: 0.8, beta2: 0.95, eps: 1e-3),
            "adamw": .init(kind: .adamw),
            "adamw-no-bias-decay": .init(kind: .adamw, weightDecay: 0.3, decayNormAndBias: false),
        ]

        /// Fresh leaves from the fixture's start, and one optimizer over them.
        private static func start(
            _ options: OptimizerOptions, _ fixture: FixtureFile
        ) throws -> any Optimizer {
            let parameters = try names.map { name in
                let tensor = try fixture.tensor("start.\(name)")
                tensor.requiresGrad = true
                return (name: name, tensor: tensor)
            }
            return options.make(over: parameters)
        }

        /// Sets the gradients of step `k` through backward, as training does.
        private static func setGradients(
            of optimizer: any Optimizer, _ k: Int, _ fixture: FixtureFile
        ) throws {
            optimizer.clearGradients()
            for (name, tensor) in optimizer.parameters where fixture.has("gradient.\(k).\(name)") {
                (tensor * (try fixture.tensor("gradient.\(k).\(name)"))).sum().backward()
            }
        }

        @Test(arguments: cases.keys.sorted()) func equalsPyTorch(_ name: String) throws {
            try withNoLeaks {
                let fixture = try FixtureFile("optimizers", in: .module)
                let options = OptimizerTests.cases[name]!
                let rates = try fixture.tensor("\(name).rates").doubles()
                let optimizer = try OptimizerTests.start(options, fixture)
                #expect(rates[0] == (name.hasPrefix("sgd") ? 0.1 : 0.01))
                for k in rates.indices {
                    try OptimizerTests.setGradients(of: optimizer, k, fixture)
                    optimizer.step(learningRate: rates[k])
                    for (parameter, tensor) in optimizer.parameters {
                        try expectClose(
                            tensor, fixture.tensor("\(name).\(k).\(parameter)"), 1e-6,
                            "\(name), step \(k), \(parameter)")
                    }
                }
            }
        }

        /// The same numbers when the weights are laid out channels-last, before or after the optimizer
        /// was made: the fused kernels walk raw memory.
        @Test(arguments: ["sgd-nesterov", "adam-options"], [false, true])
        func layoutDoesNotMatter(_ name: String, layOutFirst: Bool) throws {
            try withNoLeaks {
                let fixture = try FixtureFile("optimizers", in: .module)
                let options = OptimizerTests.cases[name]!
                let weight = try fixture.tensor("start.conv.weight")
                weight.requiresGrad = true
                if layOutFirst { weight.layOutChannelsLast() }
                let optimizer = options.make(over: [("conv.weight", weight)])
                if !layOutFirst { weight.layOutChannelsLast() }
                #expect(weight.isChannelsLast && !weight.isContiguous)
                for (k, rate) in try fixture.tensor("\(name).rates").doubles().enumerated() {
                    try OptimizerTests.setGradients(of: optimizer, k, fixture)
                    optimizer.step(learningRate: rate)
                    try expectClose(weight, fixture.tensor("\(name).\(k).conv.weight"), 1e-6)
                }
                #expect(
                    optimizer.state.allSatisfy { $0.tensor.rank < 4 || $0.tensor.isChannelsLast })
            }
        }

        /// Two steps, save, load into a new optimizer, three steps: the same bits as five steps.
        /// Without the saved state, other bits.
        @Test(arguments: cases.keys.sorted().filter { $0 != "sgd-plain" && $0 != "sgd-clip" })
        func resumesToTheSameBits(_ name: String) throws {
            try withNoLeaks {
                let fixture = try FixtureFile("optimizers", in: .module)
                let options = OptimizerTests.cases[name]!
                func run(_ optimizer: any Optimizer, _ steps: Range<Int>) throws {
                    for k in steps {
                        try OptimizerTests.setGradients(of: optimizer, k, fixture)
                        optimizer.step(learningRate: options.learningRate)
                    }
                }
                func bits(_ optimizer: any Optimizer) -> [[UInt8]] {
                    (optimizer.parameters + optimizer.state).map { $0.tensor.bytes() }
                }
                let whole = try OptimizerTests.start(options, fixture)
                try run(whole, 0..<5)

                let first = try OptimizerTests.start(options, fixture)
                #expect(first.state.map(\.tensor.count).reduce(0, +) > 0)
                try run(first, 0..<2)
                func second(withState: Bool) throws -> [[UInt8]] {
                    let next = try OptimizerTests.start(options, fixture)
                    for (mine, saved) in zip(next.parameters, first.parameters) {
                        mine.tensor.copy(from: saved.tensor)
                    }
                    if withState {
                        try next.load(
                            state: Dictionary(
                                uniqueKeysWithValues: first.state.map { ($0.name, $0.tensor) }))
                    }
                    try run(next, 2..<5)
                    return bits(next)
                }
                #expect(try second(withState: true) == bits(whole))
                #expect(try second(withState: false) != bits(whole))
            }
        }

        @Test func namesItsState() throws {
            try withNoLeaks {
                let p = Tensor.zeros([2, 3])
                let named = [(name: "fc.weight", tensor: p)]
                func names(_ options: OptimizerOptions) -> [String] {
                    options.make(over: named).state.map(\.name)
                }
                #expect(names(.init(kind: .sgd)) == ["fc.weight.momentum"])
                #expect(names(.init(kind: .sgd, momentum: 0)) == [])
                #expect(
                    names(.init(kind: .adamw))
                        == ["fc.weight.mean", "fc.weight.square", "fc.weight.step"])
            }
        }

        /// ‖(3, 4)‖ = 5, cut to 1: p = −rate · (0.6, 0.8), and the norm comes back.
        @Test func clipsByTheJointNorm() throws {
            try withNoLeaks {
                let a = Tensor.zeros([1])
                let b = Tensor.zeros([1])
                let options = OptimizerOptions(kind: .sgd, momentum: 0, clipNorm: 1)
                let optimizer = options.make(over: [("a", a), ("b", b)])
                for p in [a, b] { p.requiresGrad = true }
                (a * 3 + b * 4).sum().backward()
                let norm = try #require(optimizer.step(learningRate: 1))
                #expect(abs(norm - 5) < 1e-6)
                try expectClose(a.doubles() + b.doubles(), [-0.6, -0.8], 1e-6)
                // Nothing to do is not an error.
                optimizer.clearGradients()
                #expect(optimizer.step(learningRate: 1) == 0)
            }
        }

        @Test func refusesStateThatDoesNotFit() throws {
            try withNoLeaks {
                let optimizer = OptimizerOptions(kind: .sgd).make(over: [("w", .zeros([2]))])
                func sentence(_ saved: [String: Tensor]) -> String? {
                    do throws(Problem) {
                        try optimizer.load(state: saved, source: "a.safetensors")
                        return nil
                    } catch { return error.description }
                }
                let tail = "(was it saved with another network or other optimizer options?)"
                #expect(
                    sentence([:])
                        == "a.safetensors, tensor w.momentum: the saved state does not fit the "
                        + "optimizer: found no such tensor, expected float32 [2] \(tail)")
                #expect(
                    sentence(["w.momentum": .zeros([3])])
                        == "a.safetensors, tensor w.momentum: the saved state does not fit the "
                        + "optimizer: found float32 [3], expected float32 [2] \(tail)")
                #expect(
                    sentence(["w.momentum": .ones([2]), "v.momentum": .zeros([2])])
                        == "a.safetensors, tensor v.momentum: the saved state does not fit the "
                        + "optimizer: found a tensor more, expected only tensors of the state \(tail)"
                )
                #expect(optimizer.state[0].tensor.floats() == [0, 0])
                #expect(sentence(["w.momentum": .ones([2])]) == nil)
                #expect(optimizer.state[0].tensor.floats() == [1, 1])
            }
        }
    }
}
