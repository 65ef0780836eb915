import Foundation
import Synchronization
import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct EngineTests {
    private struct Other: Error {}

    @Test func keepsTheFirstErrorAndPoisonsWhatDependsOnIt() throws {
        try withNoLeaks {
            let x = Tensor.ones([2, 3])
            let error = #expect(throws: EngineError.self) {
                try Engine.checked {
                    #expect(!Engine.failed)
                    let bad = x + Tensor.ones([2, 4])
                    #expect(Engine.failed)
                    let worse = bad.exp().sum()
                    #expect(bad.isPoisoned && worse.isPoisoned)
                    #expect(worse.item.isNaN && worse.floats() == [] && worse.shape == [])
                    #expect((x * 2).sum().item == 12, "what does not depend on it goes on")
                    _ = x.matmul(x)
                    return worse
                }
            }
            #expect(error?.operation == "+")
            #expect(error?.shapes == [[2, 3], [2, 4]])
            #expect(error?.reason.contains("must match the size of tensor b (4)") == true)
            #expect(error?.description.contains("\n") == false)
            #expect(
                error?.description.hasPrefix("+([2, 3], [2, 4]): The size of tensor a (3)") == true)
            #expect(!Engine.failed)
        }
    }

    /// An operator of ours refuses as the engine's do.
    @Test func ownOperatorsRefuse() throws {
        try withNoLeaks {
            let error = #expect(throws: EngineError.self) {
                try Engine.checked {
                    let bad = Engine.refused("mine", Tensor.ones([2, 3]), reason: "too small")
                    #expect(bad.isPoisoned && Engine.failed)
                    return bad
                }
            }
            #expect(error?.operation == "mine" && error?.shapes == [[2, 3]])
            #expect(error?.reason == "too small")
        }
    }

    /// In-place changes with a poisoned argument leave the tensor as it is.
    @Test func poisonChangesNothing() throws {
        try withNoLeaks {
            let x = Tensor.ones([2])
            x.requiresGrad = true
            _ = try? Engine.checked {
                let bad = x.reshaped([3])
                x.addInPlace(bad)
                x.copy(from: bad)
                bad.backward()
                let g = Tensor.gradients(of: bad, with: [x])
                #expect(g.count == 1 && g[0].isPoisoned)
                Updates.lerp([x], toward: [bad], by: 1)
                #expect(bad.gradient == nil && !bad.requiresGrad)
                #expect(bad.topK(1).values.isPoisoned)
            }
            #expect(x.floats() == [1, 1] && x.gradient == nil)
        }
    }

    @Test func scopesNest() throws {
        try withNoLeaks {
            let x = Tensor.ones([2])
            let value = try Engine.checked {
                #expect(throws: EngineError.self) {
                    try Engine.checked { x.reshaped([5]) }
                }
                #expect(!Engine.failed, "the inner error was thrown: it is not the outer one's")
                return x.sum().item
            }
            #expect(value == 2)
            let error = #expect(throws: EngineError.self) {
                try Engine.checked {
                    _ = x.reshaped([3])
                    let inner = try Engine.checked { x.sum().item }
                    #expect(inner == 2)
                    _ = x.matmul(Tensor.ones([7]))
                }
            }
            #expect(error?.operation == "reshaped")
        }
    }

    @Test func otherErrorsPassThroughUnlessTheEngineFailedFirst() throws {
        try withNoLeaks {
            let x = Tensor.ones([2])
            #expect(throws: Other.self) { try Engine.checked { throw Other() } }
            #expect(throws: EngineError.self) {
                try Engine.checked {
                    _ = x.reshaped([3])
                    throw Other()
                }
            }
        }
    }

    @Test func everyKindOfBadArgumentIsAnError() throws {
        try withNoLeaks {
            let x = Tensor.ones([2, 3])
            let bad: [String: () -> Void] = [
                "count": { _ = Tensor([1, 2, 3] as [Float], [2]) },
                "negative": { _ = Tensor.zeros([-1]) },
                "huge": { _ = Tensor.empty([1 << 40, 1 << 40]) },
                "dim": { _ = x.sum(5) },
                "index": { _ = embedding(Tensor([9], [1]), x) },
                "class": { _ = crossEntropy(x, Tensor([0, 3], [2])) },
                "dtype": { _ = x.indexed(0, by: Tensor.ones([1])) },
                "item": { _ = x.item },
                "backward": { x.backward() },
                "integer leaf": { Tensor([1], [1]).requiresGrad = true },
                "copy": { x.copy(from: .ones([3])) },
                "kernel": { _ = conv2d(.ones([1, 1, 2, 2]), .ones([1, 1, 3, 3])) },
                "rank": { _ = conv2d(.ones([1, 2]), .ones([1, 1, 1, 1])) },
                "cat": { _ = Tensor.concatenated([]) },
                "k": { _ = x.topK(4) },
                "gradients": { _ = Tensor.gradients(of: x.sum(), with: [x]) },
            ]
            for (name, body) in bad {
                let error = #expect(throws: EngineError.self, "\(name)") {
                    try Engine.checked { body() }
                }
                #expect(error?.description.contains { $0.isNewline } == false, "\(name)")
            }
        }
    }

    @Test func tenThousandErrorsLeakNothing() throws {
        try withNoLeaks {
            let x = Tensor.ones([2])
            let y = Tensor.ones([3])
            var errors = 0
            for i in 0..<10_000 {
                do {
                    try Engine.checked {
                        _ = i % 2 == 0 ? (x + y).exp() : (x * 2).reshaped([7]).sum()
                    }
                } catch is EngineError { errors += 1 }
            }
            #expect(errors == 10_000)
        }
    }

    @Test func aLeakIsNoticed() {
        var kept: Tensor?
        #expect(throws: Leak.self) { try withNoLeaks { kept = Tensor.ones([1]) } }
        #expect(kept != nil)
        kept = nil
        var generator: Generator?
        #expect(throws: Leak.self) { try withNoLeaks { generator = Generator(seed: 1) } }
        #expect(generator != nil)
    }

    /// The allocator's habits change no result: the same product before and after, to the bit.
    @Test func keptMemoryChangesNoResult() throws {
        try withNoLeaks {
            func product() -> [Float] {
                let a = Tensor.empty([256, 512])
                a.fillNormal(Generator(seed: 1))
                return a.matmul(a.transposed()).floats()
            }
            let before = product()
            Engine.keepMemory()
            for _ in 0..<3 { #expect(product() == before) }
        }
    }

    @Test func threadsAreWhatWasSet() throws {
        try withNoLeaks {
            let before = Engine.threads
            defer { Engine.threads = before }
            for count in [1, 3, 2] {
                Engine.threads = count
                #expect(Engine.threads == count)
            }
            // A thread that starts later takes the number over.
            let seen = Mutex(0)
            let thread = Thread { seen.withLock { $0 = Engine.threads } }
            let deadline = Date(timeIntervalSinceNow: 60)
            thread.start()
            while !thread.isFinished, Date() < deadline { usleep(1000) }
            #expect(seen.withLock { $0 } == 2)
            Engine.threads = -4
            #expect(Engine.threads == 1, "never fewer than one")
        }
    }

    @Test func saysWhatItIs() {
        #expect(Engine.version.wholeMatch(of: /\d+\.\d+\.\d+.*/) != nil)
        #expect(!Engine.capability.isEmpty)
        #expect(Device.cpu.isAvailable && Device.cuda(1).description == "cuda:1")
        #expect(Device.best == .cpu || Device.best.isAvailable)
    }

    @Test func determinismCanBeSwitched() throws {
        try withNoLeaks {
            Engine.setDeterministic(true)
            defer { Engine.setDeterministic(false) }
            // Scattered additions have a deterministic kernel: same bits twice.
            let index = Tensor((0..<1000).map { $0 % 7 }, [1000])
            let values = Tensor((0..<1000).map { Float($0) * 0.1 }, [1000])
            func sum() -> [UInt8] { Tensor.zeros([7]).scatterAdding(0, index, values).bytes() }
            #expect(sum() == sum())
        }
    }

    // MARK: - Precision

    /// Under bf16 the products are bfloat16; parameters, their gradients and losses are float32.
    @Test func precisionIsThatOfProductsOnly() throws {
        try withNoLeaks {
            let w = Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3])
            w.requiresGrad = true
            let x = Tensor([0.5, -1, 2] as [Float], [1, 3])
            func run() -> (product: DType, loss: DType) {
                let y = linear(x, w)
                let loss = crossEntropy(y, Tensor([1], [1])).sum()
                loss.backward()
                return (y.dtype, loss.dtype)
            }
            let low = withPrecision(.bfloat16, run)
            #expect(low.product == .bfloat16 && low.loss == .float32)
            #expect(w.dtype == .float32 && w.gradient?.dtype == .float32)
            w.clearGradient()
            #expect(withPrecision(.float32, run).product == .float32)
            #expect(run().product == .float32, "the region has ended")
            withPrecision(.bfloat16) {
                #expect(withPrecision(.float32, run).product == .float32)
                #expect(run().product == .bfloat16, "the inner region has ended")
                #expect(conv2d(.ones([1, 1, 3, 3]), .ones([1, 1, 2, 2])).dtype == .bfloat16)
            }
        }
    }

    @Test func precisionIsRestoredOnThrow() throws {
        try withNoLeaks {
            let x = Tensor.ones([1, 1])
            #expect(throws: Other.self) { try withPrecision(.bfloat16) { throw Other() } }
            #expect(linear(x, x).dtype == .float32)
        }
    }

    /// The cache of cast weights must not outlive an update: the next region sees the new weight.
    @Test func castWeightsAreNeverStale() throws {
        try withNoLeaks {
            let w = Tensor([1] as [Float], [1, 1])
            w.requiresGrad = true
            let x = Tensor([1] as [Float], [1, 1])
            func product() -> Double { withPrecision(.bfloat16) { linear(x, w).item } }
            #expect(product() == 1)
            w.fill(2)
            #expect(product() == 2)
            linear(x, w).sum().backward()
            OptimizersProbe.step(w)
            #expect(product() == 1)
            withPrecision(.bfloat16) {
                #expect(linear(x, w).item == 1)
                withPrecision(.float32) { w.fill(3) }
                #expect(linear(x, w).item == 3, "an inner region ends the cache too")
            }
        }
    }

    private enum OptimizersProbe {
        /// w ← w − gradient
        static func step(_ w: Tensor) {
            Updates.sgd(
                [w], [w.gradient!], momenta: [], learningRate: 1, momentum: 0, weightDecay: 0,
                nesterov: false, firstStep: true)
        }
    }
}
