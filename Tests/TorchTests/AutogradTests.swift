import TestSupport
import Testing
import Torch

@Suite(.takesTurns) struct AutogradTests {
    private struct Other: Error {}

    private func leaf(_ values: [Float]) -> Tensor {
        let x = Tensor(values, [values.count])
        x.requiresGrad = true
        return x
    }

    @Test func backwardAddsUpUntilCleared() throws {
        try withNoLeaks {
            let x = leaf([1, 2])
            #expect(x.gradient == nil)
            (x * x).sum().backward()
            (x * 3).sum().backward()
            #expect(x.gradient?.floats() == [5, 7])
            x.clearGradient()
            #expect(x.gradient == nil)
        }
    }

    /// d/dx Σx³ = 3x², then 6x, then 6.
    @Test func gradientsCanBeDifferentiatedAgain() throws {
        try withNoLeaks {
            let x = leaf([1, -2, 3])
            let first = Tensor.gradients(of: x.pow(3).sum(), with: [x], createGraph: true)[0]
            let second = Tensor.gradients(of: first.sum(), with: [x], createGraph: true)[0]
            let third = Tensor.gradients(of: second.sum(), with: [x])[0]
            #expect(first.floats() == [3, 12, 27])
            #expect(second.floats() == [6, -12, 18])
            #expect(third.floats() == [6, 6, 6])
            #expect(x.gradient == nil, "no gradient is touched")
        }
    }

    /// Through a convolution, batch norm and a loss: the Hessian-vector product equals a central
    /// difference of gradients in float64.
    @Test func secondDerivativesOfANetwork() throws {
        try withNoLeaks {
            func values(_ count: Int, _ frequency: Double) -> [Double] {
                (0..<count).map { ((Double($0) * frequency).remainder(dividingBy: 1)) * 1.5 }
            }
            let x = Tensor(values(48, 0.37), [3, 1, 4, 4])
            let direction = Tensor(values(18, 0.71), [2, 1, 3, 3])
            func slope(_ weights: [Double], _ create: Bool) -> (Tensor, Tensor) {
                let w = Tensor(weights, [2, 1, 3, 3])
                w.requiresGrad = true
                let y = batchNorm(
                    conv2d(x, w, padding: 1), weight: nil, bias: nil, runningMean: nil,
                    runningVariance: nil, training: true)
                let logits = y.silu().mean(2, 3)
                let loss = crossEntropy(logits, Tensor([0, 1, 1], [3])).mean()
                return (w, Tensor.gradients(of: loss, with: [w], createGraph: create)[0])
            }
            let start = values(18, 0.53)
            let (w, g) = slope(start, true)
            let product = Tensor.gradients(of: (g * direction).sum(), with: [w])[0]
            let h = 1e-5
            let d = direction.doubles()
            let plus = slope(zip(start, d).map { $0 + h * $1 }, false).1
            let minus = slope(zip(start, d).map { $0 - h * $1 }, false).1
            #expect(product.doubles().contains { abs($0) > 1e-3 })
            try expectClose(product, (plus - minus) / (2 * h), 1e-6)
        }
    }

    @Test func unusedLeavesGetZerosOfTheirKind() throws {
        try withNoLeaks {
            let x = leaf([1, 2])
            let unused = Tensor([1, 2, 3] as [Double], [3, 1])
            unused.requiresGrad = true
            let g = Tensor.gradients(of: (x * 2).sum(), with: [unused, x])
            #expect(g[0].shape == [3, 1] && g[0].dtype == .float64 && g[0].doubles() == [0, 0, 0])
            #expect(g[1].floats() == [2, 2])
        }
    }

    @Test func seedsWeightTheOutputs() throws {
        try withNoLeaks {
            let x = leaf([1, 2, 3])
            let seed = Tensor([1, 0, -2] as [Float], [3])
            #expect(Tensor.gradients(of: x * x, with: [x], seed: seed)[0].floats() == [2, 0, -12])
            #expect(throws: EngineError.self, "a vector needs a seed") {
                try Engine.checked { Tensor.gradients(of: x * x, with: [x]) }
            }
        }
    }

    @Test func aGraphCanBeKeptForAnotherCall() throws {
        try withNoLeaks {
            let x = leaf([3])
            let y = (x * x).sum()
            for _ in 0..<2 {
                let g = Tensor.gradients(of: y, with: [x], retainGraph: true)
                #expect(g[0].floats() == [6])
            }
            _ = Tensor.gradients(of: y, with: [x])
            #expect(throws: EngineError.self) {
                try Engine.checked { Tensor.gradients(of: y, with: [x]) }
            }
        }
    }

    @Test func withoutGradientRecordsNothingAndEndsWithItsBody() throws {
        try withNoLeaks {
            let x = leaf([1])
            #expect(!withoutGradient { (x * 2).requiresGrad })
            #expect((x * 2).requiresGrad)
            #expect(throws: Other.self) { try withoutGradient { throw Other() } }
            #expect((x * 2).requiresGrad, "restored on throw")
            withoutGradient {
                withoutGradient { #expect(!(x * 2).requiresGrad) }
                #expect(!(x * 2).requiresGrad, "the inner one does not end the outer")
            }
        }
    }

    @Test func detachedSharesValuesAndHasNoHistory() throws {
        try withNoLeaks {
            let x = leaf([1, 2])
            let other = (x * 1).detached()
            #expect(!other.requiresGrad && other.floats() == [1, 2])
            let view = x.detached()
            view.fill(5)
            #expect(x.floats() == [5, 5])
        }
    }

    /// Kept values are scaled by 1/(1 − p), the gradient is the same mask, and it is drawn from the
    /// generator alone.
    @Test func dropoutIsAScaledMask() throws {
        try withNoLeaks {
            let x = Tensor.ones([10_000])
            x.requiresGrad = true
            let y = dropout(x, p: 0.25, Generator(seed: 7))
            let values = y.floats()
            #expect(Set(values) == [0, Float(1) / 0.75])
            let kept = Double(values.count { $0 > 0 }) / 10_000
            #expect(abs(kept - 0.75) < 0.02)  // 4.6 standard deviations
            y.sum().backward()
            #expect(x.gradient?.floats() == values)
            #expect(dropout(x, p: 0.25, Generator(seed: 7)).floats() == values)
            #expect(dropout(x, p: 0.25, Generator(seed: 8)).floats() != values)
            #expect(dropout(x, p: 0, Generator(seed: 7)) === x)
            #expect(dropout(x, p: 1, Generator(seed: 7)).sum().item == 0)
        }
    }

    /// Backward is upstream · the given gradient, whatever the values are.
    @Test func attachedValuesHaveTheGivenGradient() throws {
        try withNoLeaks {
            let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3])
            x.requiresGrad = true
            let values = Tensor([10, 20] as [Float], [2])
            let gradient = Tensor([1, 0, -1, 2, 0.5, 4] as [Float], [2, 3])
            let y = values.attached(to: x * 2, gradient: gradient)
            #expect(y.requiresGrad && y.floats() == [10, 20])
            #expect(!values.requiresGrad, "the values themselves stay as they are")
            (y * Tensor([3, -1] as [Float], [2])).sum().backward()
            #expect(x.gradient?.floats() == [6, 0, -6, -4, -1, -8])
            #expect(!withoutGradient { values.attached(to: x, gradient: gradient) }.requiresGrad)
            // One value per element.
            x.clearGradient()
            gradient.attached(to: x, gradient: x.detached()).sum().backward()
            #expect(x.gradient?.floats() == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test func attachedValuesAreDifferentiatedOnce() throws {
        try withNoLeaks {
            let x = leaf([1, 2])
            let one = Tensor([1, 1] as [Float], [2])
            func error(_ body: () -> Void) -> String {
                do { try Engine.checked(body) } catch { return "\(error)" }
                return "no error"
            }
            let y = one.attached(to: x, gradient: one)
            let twice = error {
                _ = Tensor.gradients(of: y.sum(), with: [x], createGraph: true)
            }
            #expect(twice.contains("cannot be differentiated twice"), "\(twice)")
            let shapes = error { _ = one.attached(to: x, gradient: Tensor.ones([3])) }
            #expect(
                shapes
                    == "attached([2], [2], [3]): the gradient's shape [3] is not the input's, [2]")
            let rows = error { _ = Tensor.ones([3]).attached(to: x, gradient: one) }
            #expect(
                rows
                    == "attached([3], [2], [2]): the values' shape [3] does not begin the input's, [2]"
            )
        }
    }
}
