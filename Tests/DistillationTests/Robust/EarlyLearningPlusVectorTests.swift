import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// ELR+ by numbers: where nothing is mixed and a network is its own peer, it is ELR.
@Suite(.serialized, .takesTurns) struct EarlyLearningPlusVectorTests {
    @Test func rampByNumbers() throws {
        let vector = try MethodVectors("sigmoid_rampup")
        let length = try vector.ints("length")[0]
        let steps = [0, 1, 10000, 20000, 40000, 50000]
        // The vector's numbers come in the order of their keys as text.
        let sorted = steps.sorted { "\($0)" < "\($1)" }
        try expectClose(
            sorted.map { sigmoidRamp(step: $0, over: length) }, vector.numbers("values"), 1e-15)
        #expect(sigmoidRamp(step: 0, over: 0) == 1)
    }

    @Test func withoutMixingItIsELR() throws {
        try withNoLeaks {
            let vector = try MethodVectors("elr")
            let inputs = try MethodVectors("inputs")
            for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 1e-6)] {
                let z = try inputs.matrix("Z1").to(dtype)
                z.requiresGrad = true
                let losses = earlyLearningPlusLosses(
                    Logits(z), labels: Tensor(try inputs.ints("Y"), [6]).oneHot(4).to(dtype),
                    memory: try vector.matrix("target_after_step1").to(dtype),
                    weight: try vector.number("lam"))
                #expect(abs(losses.total.item - (try vector.number("loss_step1"))) < tolerance)
                try expectClose(
                    losses.terms[1].values.doubles(), vector.numbers("reg_step1"), tolerance)
                losses.total.backward()
                try expectClose(
                    try #require(z.gradient).doubles(), vector.numbers("grad_step1_target_fixed"),
                    max(tolerance, 1e-8))
            }
        }
    }

    /// By hand, and a row that remembers nothing.
    @Test func rememberedLabelsByNumbers() throws {
        try withNoLeaks {
            let labels = Tensor([0.75, 0.25, 0, 1, 0, 0], [2, 3])
            let memory = Tensor([0.1, 0.3, 0.6, 0, 0, 0], [2, 3])
            try expectClose(
                rememberedLabels(labels, memory).doubles(), [0.5, 0.5, 0, 0, 0, 0], 1e-9)
        }
    }

    /// λ is ½ to 1, the partners are a permutation, and both follow from seed, epoch and step.
    @Test func mixing() throws {
        try withNoLeaks {
            func draw(_ step: Int, alpha: Double = 1) -> SampleMixing {
                SampleMixing(rows: 5, alpha: alpha, seed: 3, epoch: 2, step: step)
            }
            let many = (0..<200).map { draw($0).draw.lambda }
            #expect(many.allSatisfy { (0.5...1).contains($0) })
            #expect(abs(many.reduce(0, +) / 200 - 0.75) < 0.03, "uniform for α = 1")
            #expect(draw(7).draw.partners.sorted() == [0, 1, 2, 3, 4])
            #expect(draw(7).draw == draw(7).draw)
            #expect(draw(7).draw != draw(8).draw)
            let one = draw(7).draw
            let values = Tensor([0, 1, 2, 3, 4.0], [5, 1])
            let expected = one.partners.enumerated().map {
                one.lambda * Double($0.offset) + (1 - one.lambda) * Double($0.element)
            }
            try expectClose(one.mixed(values).doubles(), expected, 1e-12)
        }
    }
}
