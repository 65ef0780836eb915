import Models
import Neural
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The full-network virtual step, on a network of two layers in float64.
@Suite(.takesTurns) struct FullNetworkTests {
    private struct Tiny {
        let weights: [Tensor]
        let x = uniforms([5, 3], -1, 1, seed: 21)
        let labels = Tensor([0, 2, 1, 2, 0], [5])
        let teacher = uniforms([5, 3], -2, 2, seed: 22)
        let validation = uniforms([7, 3], -1, 1, seed: 23)
        let validationLabels = Tensor([0, 1, 2, 2, 1, 0, 0], [7])

        init(hidden: Bool) {
            weights =
                hidden
                ? [
                    uniforms([4, 3], -1, 1, seed: 24), uniforms([4], -1, 1, seed: 25),
                    uniforms([3, 4], -1, 1, seed: 26), uniforms([3], -1, 1, seed: 27),
                ]
                : [uniforms([3, 3], -1, 1, seed: 26), uniforms([3], -1, 1, seed: 27)]
            for weight in weights { weight.requiresGrad = true }
        }

        func logits(_ x: Tensor, _ w: [Tensor]) -> Logits {
            w.count == 2
                ? Logits(linear(x, w[0], w[1]))
                : Logits(linear(linear(x, w[0], w[1]).tanh(), w[2], w[3]))
        }
        func losses(_ w: [Tensor]) -> [Tensor] {
            let z = logits(x, w)
            return [
                crossEntropy(z, labels: labels),
                distillationLoss(student: z, teacher: Logits(teacher), temperature: 4),
            ]
        }
        func validationLoss(_ w: [Tensor]) -> Tensor {
            crossEntropy(logits(validation, w), labels: validationLabels).mean()
        }
        func virtualStep(_ perturbation: Double = 1e-4) -> FullNetworkVirtualStep {
            FullNetworkVirtualStep(
                network: weights, sampleCount: 5, perturbation: perturbation,
                groupLosses: { losses(weights) }, validationLoss: { validationLoss(weights) })
        }
    }

    /// ⟨∇ℓ_k(i), ∇M(θ')⟩ with one backward pass per sample and loss.
    @Test func perSampleGradients() throws {
        try withNoLeaks {
            let tiny = Tiny(hidden: true)
            let mix = uniforms([5, 2], 0, 1, seed: 28)
            let rate = 0.5
            let before = tiny.weights.map { $0.bytes() }
            let virtualStep = tiny.virtualStep()
            let found = virtualStep.gradient(weights: mix, rate: rate)
            #expect(tiny.weights.map { $0.bytes() } == before, "the weights are back")
            // By hand.
            func gradients(_ value: Tensor) -> [Tensor] {
                Tensor.gradients(of: value, with: tiny.weights)
            }
            let total =
                (tiny.losses(tiny.weights)[0] * mix.selected(1, 0)).sum()
                + (tiny.losses(tiny.weights)[1] * mix.selected(1, 1)).sum()
            let stepped = zip(tiny.weights, gradients(total)).map { weight, gradient in
                let moved = (weight - gradient * (rate / 5)).detached()
                moved.requiresGrad = true
                return moved
            }
            let slope = Tensor.gradients(of: tiny.validationLoss(stepped), with: stepped)
            var expected: [Double] = []
            for i in 0..<5 {
                for k in 0..<2 {
                    let own = gradients(tiny.losses(tiny.weights)[k].selected(0, i))
                    let product = zip(own, slope).reduce(0) { $0 + ($1.0 * $1.1).sum().item }
                    expected.append(-rate / 5 * product)
                }
            }
            #expect(relativeError(found.gradient.doubles(), expected) < 1e-7)
            try expectClose([found.loss], [tiny.validationLoss(stepped).item], 1e-12)
            // And the validation loss itself, by central differences in w.
            let numeric = centralDifferences(mix) {
                virtualStep.prepare(weights: $0)
                return virtualStep.loss(rate: rate)
            }
            #expect(relativeError(found.gradient.doubles(), numeric) < 1e-6)
            // At the student as it is.
            let plain = gradients(tiny.validationLoss(tiny.weights))
            let first = gradients(tiny.losses(tiny.weights)[0].selected(0, 3))
            let product = zip(first, plain).reduce(0) { $0 + ($1.0 * $1.1).sum().item }
            try expectClose(
                [virtualStep.alignments(rate: 0).doubles()[6]], [product], 1e-8, "row 3, loss 0")
        }
    }

    /// A network that is nothing but a last layer has the same virtual step either way.
    @Test func agreesWithTheLastLayer() throws {
        try withNoLeaks {
            let tiny = Tiny(hidden: false)
            let mix = uniforms([5, 2], 0, 1, seed: 29)
            let whole = tiny.virtualStep().gradient(weights: mix, rate: 0.8)
            let batch = TrainingBatch(
                inputs: tiny.x, labels: tiny.labels, rows: tiny.labels, isPlain: true)
            let z = tiny.logits(tiny.x, tiny.weights)
            let losses: [MixableLoss] = [
                .labels(), .teacher(temperature: 4) { _ in Logits(tiny.teacher) },
            ]
            let last = LastLayerVirtualStep(
                MixingGroup(features: tiny.x, gradients: losses.map { $0.gradient(z, batch) }),
                MixingValidation(
                    features: tiny.validation, weight: tiny.weights[0], bias: tiny.weights[1],
                    labels: tiny.validationLabels)
            ).gradient(weights: mix, rate: 0.8)
            #expect(relativeError(whole.gradient.doubles(), last.gradient.doubles()) < 1e-7)
            try expectClose([whole.loss], [last.loss], 1e-12)
        }
    }

    /// Where the validation loss is flat, nothing is preferred and nothing divides by 0.
    @Test func flatValidationLoss() throws {
        try withNoLeaks {
            let tiny = Tiny(hidden: true)
            let virtualStep = FullNetworkVirtualStep(
                network: tiny.weights, sampleCount: 5, groupLosses: { tiny.losses(tiny.weights) },
                validationLoss: { (tiny.weights[0] * 0).sum() })
            #expect(virtualStep.alignments(rate: 0).doubles() == [Double](repeating: 0, count: 10))
        }
    }
}
