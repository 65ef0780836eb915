import TestSupport
import Testing
import Torch

@testable import Distillation
@testable import Training

/// Mixup and the truncated loss by the numbers of their vectors.
@Suite(.takesTurns) struct MixupTests {
    @Test func mixup() throws {
        try withNoLeaks {
            let (inputs, vector) = (try MethodVectors("inputs"), try MethodVectors("mixup"))
            let draw = MixupDraw(
                lambda: try vector.number("lam"), partners: try vector.ints("permutation"))
            try expectClose(
                draw.mixed(try vector.matrix("x")).doubles(), vector.numbers("mixed_x"), 1e-12)
            let (z, y) = (try inputs.matrix("Z1"), Tensor(try inputs.ints("Y"), [6]))
            let expected = try vector.number("loss_on_Z1")
            for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5)] {
                let found = draw.loss(.crossEntropy(), Logits(z.to(dtype)), labels: y)
                try expectClose([found.mean().item], [expected], tolerance)
            }
            // The same as cross-entropy with the mixed soft label, in values and gradient.
            let onehot = y.oneHot(4).to(.float64)
            let soft = LogitLoss.crossEntropy(Logits(z), Probabilities(draw.mixed(onehot)))
            let leaf = z.cloned()
            leaf.requiresGrad = true
            let values = draw.loss(.crossEntropy(), Logits(leaf), labels: y)
            try expectClose(values, soft.values, 1e-12)
            values.sum().backward()
            try expectClose(try #require(leaf.gradient), soft.gradient, 1e-12)
        }
    }

    /// Any loss is mixed: λ ℓ(y) + (1 − λ) ℓ(y_π), by finite differences.
    @Test func mixedGradients() throws {
        try withNoLeaks {
            let inputs = try MethodVectors("inputs")
            let (z, y) = (try inputs.matrix("Z1"), Tensor(try inputs.ints("Y"), [6]))
            let draw = MixupDraw(lambda: 0.7, partners: [1, 2, 0, 3, 5, 4])
            for loss in [LabelLoss.generalised(), .bootstrapHard(), .symmetric()] {
                let leaf = z.cloned()
                leaf.requiresGrad = true
                draw.loss(loss, Logits(leaf), labels: y).sum().backward()
                let expected = MethodVectors.differences(z, step: 1e-5) {
                    draw.loss(loss, Logits($0), labels: y).sum().item
                }
                try expectClose(try #require(leaf.gradient).doubles(), expected, 2e-8, loss.name)
            }
        }
    }

    @Test func truncatedLoss() throws {
        try withNoLeaks {
            let (inputs, vector) = (try MethodVectors("inputs"), try MethodVectors("gce_truncated"))
            let (z, y) = (try inputs.matrix("Z1"), try inputs.ints("Y"))
            let labels = Tensor(y, [6])
            let p = Logits(z).probabilities().tensor.gathered(1, labels.unsqueezed(1)).doubles()
            let (weights, _) = truncatedWeights(
                p, labels: y, before: [1, 1, 1, 1, 1, 1], threshold: 0.5)
            // Of class 2 sample 2 is left, so that sample 5 may go; of class 0 sample 0.
            #expect(weights == (try vector.numbers("weights")))
            let w = Tensor(weights, [6])
            func loss(_ z: Tensor) -> LogitLoss {
                Training.truncatedLoss(
                    Logits(z), labels: labels, weights: w, q: 0.7, threshold: 0.5)
            }
            try expectClose(loss(z).values.doubles(), vector.numbers("per_sample"), 1e-12)
            try expectClose(
                loss(z.to(.float32)).values.doubles(), vector.numbers("per_sample"), 1e-5)
            let expected = MethodVectors.differences(z, step: 1e-5) { loss($0).values.sum().item }
            try expectClose(loss(z).gradient.doubles(), expected, 2e-8)
        }
    }

    /// A class of which nothing would be left keeps what it had.
    @Test func noClassVanishes() {
        let (weights, spared) = truncatedWeights(
            [0.9, 0.2, 0.4, 0.1, 0.5], labels: [0, 0, 1, 1, 2], before: [0, 1, 1, 0, 1],
            threshold: 0.5)
        #expect(weights == [1, 0, 1, 0, 1] && spared == [1, 2])
    }
}
