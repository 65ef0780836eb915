import TestSupport
import Testing
import Torch

/// The fused updates on numbers that can be checked in the head. Whole optimizers are compared with
/// PyTorch in NeuralTests.
@Suite(.takesTurns) struct UpdatesTests {
    private func vector(_ values: Float...) -> Tensor { Tensor(values, [values.count]) }

    /// g = 1 + .5·2 = 2; v = 2 on the first step whatever the dampening; p = 2 − .1·2.
    /// Then g = 1 + .5·1.8 = 1.9; v = .5·2 + .8·1.9 = 2.52; p = 1.8 − .1·2.52.
    @Test func sgdWithDampening() throws {
        try withNoLeaks {
            let p = vector(2)
            let v = vector(0)
            func step(first: Bool) {
                Updates.sgd(
                    [p], [vector(1)], momenta: [v], learningRate: 0.1, momentum: 0.5,
                    dampening: 0.2,
                    weightDecay: 0.5, nesterov: false, firstStep: first)
            }
            step(first: true)
            try expectClose(p.doubles() + v.doubles(), [1.8, 2], 1e-6)
            step(first: false)
            try expectClose(p.doubles() + v.doubles(), [1.548, 2.52], 1e-6)
        }
    }

    /// v = g; p = 0 − 1·(g + .5 v).
    @Test func sgdNesterov() throws {
        try withNoLeaks {
            let p = vector(0, 0)
            Updates.sgd(
                [p], [vector(2, -4)], momenta: [vector(0, 0)], learningRate: 1, momentum: 0.5,
                weightDecay: 0, nesterov: true, firstStep: false)
            #expect(p.floats() == [-3, 6])
        }
    }

    /// The first step of Adam is rate · sign(g), whatever the size of g.
    @Test func adamsFirstStep() throws {
        try withNoLeaks {
            let p = vector(1, 1)
            let step = Tensor.scalar(0)
            Updates.adam(
                [p], [vector(1e-3, -50)], means: [vector(0, 0)], squares: [vector(0, 0)],
                steps: [step], learningRate: 0.25, beta1: 0.9, beta2: 0.999, eps: 1e-12,
                weightDecay: 0,
                decoupled: false)
            try expectClose(p.doubles(), [0.75, 1.25], 1e-6)
            #expect(step.item == 1)
        }
    }

    /// AdamW with zero gradients only decays: p (1 − rate · wd).
    @Test func adamWDecaysApart() throws {
        try withNoLeaks {
            let p = vector(8)
            Updates.adam(
                [p], [vector(0)], means: [vector(0)], squares: [vector(0)],
                steps: [Tensor.scalar(0)], learningRate: 0.5, beta1: 0.9, beta2: 0.999, eps: 1e-8,
                weightDecay: 0.5, decoupled: true)
            #expect(p.floats() == [6])
        }
    }

    @Test func lerpMovesByAPart() throws {
        try withNoLeaks {
            let a = vector(0, 8)
            let b = Tensor([4] as [Double], [1])
            Updates.lerp([a, b], toward: [vector(4, 0), Tensor([0] as [Double], [1])], by: 0.25)
            #expect(a.floats() == [1, 6] && b.doubles() == [3])
        }
    }

    /// ‖(3, 0, 4)‖ = 5. Below the limit nothing changes, not even by rounding.
    @Test func clipNormScalesAllAlike() throws {
        try withNoLeaks {
            let a = vector(3, 0)
            let b = vector(4)
            #expect(abs(Updates.clipNorm([a, b], to: 5.1) - 5) < 1e-6)
            #expect(a.floats() == [3, 0] && b.floats() == [4])
            #expect(abs(Updates.clipNorm([a, b], to: 2.5) - 5) < 1e-6)
            try expectClose(a.doubles() + b.doubles(), [1.5, 0, 2], 1e-6)
            #expect(Updates.clipNorm([], to: 1) == 0)
        }
    }

    /// The kernels walk raw memory: gradients and state in another layout must not be mixed up.
    @Test func layoutsMayDiffer() throws {
        try withNoLeaks {
            let values = (0..<24).map(Float.init)
            let expected = values.map { -$0 }
            let gradient = Tensor(values, [2, 3, 2, 2])
            for (parameterLast, gradientLast) in [(true, false), (false, true), (true, true)] {
                let zeros = Tensor.zeros([2, 3, 2, 2])
                let p = parameterLast ? zeros.channelsLast() : zeros
                let v = Tensor.zeros([2, 3, 2, 2])
                Updates.sgd(
                    [p], [gradientLast ? gradient.channelsLast() : gradient], momenta: [v],
                    learningRate: 1,
                    momentum: 0.9, weightDecay: 0, nesterov: false, firstStep: false)
                #expect(p.floats() == expected)
                #expect(v.floats() == values && v.isChannelsLast == parameterLast)
            }
        }
    }

    @Test func refusesWhatDoesNotFit() throws {
        try withNoLeaks {
            func sgd(_ p: Tensor, _ g: [Tensor], _ v: [Tensor]) throws {
                try Engine.checked {
                    Updates.sgd(
                        [p], g, momenta: v, learningRate: 1, momentum: 0.9, weightDecay: 0,
                        nesterov: false,
                        firstStep: false)
                }
            }
            let p = vector(1, 1)
            #expect(throws: EngineError.self, "shape") { try sgd(p, [vector(1)], [vector(0, 0)]) }
            #expect(throws: EngineError.self, "state") { try sgd(p, [vector(1, 1)], [vector(0)]) }
            #expect(throws: EngineError.self, "count") { try sgd(p, [], [vector(0, 0)]) }
            #expect(throws: EngineError.self, "dtype") {
                try sgd(p, [vector(1, 1).to(.float64)], [vector(0, 0)])
            }
            #expect(throws: EngineError.self, "gaps") {
                try sgd(
                    Tensor.zeros([2, 2]).selected(1, 0), [vector(1, 1)], [vector(0, 0)])
            }
            #expect(throws: EngineError.self, "lists") {
                try Engine.checked { Updates.lerp([p], toward: [], by: 1) }
            }
            #expect(p.floats() == [1, 1])
        }
    }
}
