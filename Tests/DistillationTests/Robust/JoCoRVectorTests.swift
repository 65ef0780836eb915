import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// JoCoR by numbers, through the objective that training uses.
@Suite(.serialized, .takesTurns) struct JoCoRVectorTests {
    private struct Step {
        let losses: [Losses]
        let inputs: [Tensor]
        let objective: JoCoRObjective
    }

    /// Both networks' losses in the epoch in which R is .4.
    private func step(_ vector: MethodVectors, _ dtype: DType = .float64) throws -> Step {
        let inputs = try MethodVectors("inputs")
        let objective = JoCoRObjective(
            .init(lambda: try vector.number("lam"), selection: .init(ramp: 1)),
            forgetRate: .init(value: try vector.number("forget_rate")), samples: 6,
            clean: [3, 0, 2, 3, 0, 2])
        objective.move(to: 1)
        let z = try ["Z1", "Z2"].map { try inputs.matrix($0).to(dtype) }
        for z in z { z.requiresGrad = true }
        let outputs = z.map { StudentOutput(features: $0, logits: Logits($0)) }
        let batch = TrainingBatch(
            inputs: z[0], labels: Tensor(try inputs.ints("Y"), [6]), rows: .arange(6),
            isPlain: true)
        return Step(
            losses: (0..<2).map { objective.losses(of: $0, outputs, batch) }, inputs: z,
            objective: objective)
    }

    @Test(arguments: ["jocor_0.1", "jocor_0.9"]) func lossesByNumbers(_ name: String) throws {
        try withNoLeaks {
            let vector = try MethodVectors(name)
            for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 1e-6)] {
                let step = try step(vector, dtype)
                for losses in step.losses {
                    #expect(abs(losses.total.item - (try vector.number("loss"))) < tolerance)
                }
                let chosen = try Set(vector.ints("selected"))
                #expect(
                    step.objective.selections.all.ints()
                        == (0..<6).map { chosen.contains($0) ? 1 : 0 })
                step.losses[0].total.backward()
                #expect(step.inputs[1].gradient == nil, "the other network is held fixed")
                try expectClose(
                    try #require(step.inputs[0].gradient).doubles(), vector.numbers("grad_z1"),
                    max(tolerance, 1e-8))
            }
        }
    }

    /// Both networks select the same samples and have the same loss, to the last bit.
    @Test func bothNetworksSelectTheSame() throws {
        try withNoLeaks {
            let losses = try step(MethodVectors("jocor_0.9"), .float32).losses
            #expect(
                losses[0].metrics.map(\.name) == ["batch-loss", "forgotten", "label-precision"])
            for (a, b) in zip(
                losses[0].terms + losses[0].metrics, losses[1].terms + losses[1].metrics)
            {
                #expect(a.name == b.name && a.values.bytes() == b.values.bytes())
            }
            // Samples 0 and 1 are mislabelled; 0, 2 and 3 are selected.
            try expectClose(Array(losses[0].means()[3...]), [0.5, 2 / 3.0])
        }
    }

    /// The gradients of the two networks are those of one backward pass of the joint loss.
    @Test func gradientsAreThoseOfTheJointLoss() throws {
        try withNoLeaks {
            let inputs = try MethodVectors("inputs")
            let step = try step(MethodVectors("jocor_0.1"))
            for losses in step.losses { losses.total.backward() }
            let z = try ["Z1", "Z2"].map { try inputs.matrix($0) }
            for z in z { z.requiresGrad = true }
            let parts = jointLosses(
                Logits(z[0]), Logits(z[1]), labels: Tensor(try inputs.ints("Y"), [6]))
            let all = parts.crossEntropy * 0.9 + parts.disagreement * 0.1
            all.indexed(0, by: Tensor([0, 2, 3], [3])).mean().backward()
            for k in 0..<2 {
                try expectClose(
                    try #require(step.inputs[k].gradient), try #require(z[k].gradient), 1e-12)
            }
        }
    }
}
