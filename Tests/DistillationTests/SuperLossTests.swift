import Foundation
import TestSupport
import Testing
import Torch

@testable import Distillation

/// Confidence-aware weighting, and the function it rests on against scipy.
@Suite(.takesTurns) struct SuperLossTests {
    @Test func lambertAgreesWithScipy() throws {
        let file = try FixtureFile("logit-losses", in: .module)
        let x = try file.tensor("lambert.x").doubles()
        let expected = try file.tensor("lambert.w").doubles()
        for (x, w) in zip(x, expected) {
            let found = lambertW(x)
            #expect(abs(found - w) <= 4e-15 * abs(w), "W(\(x)) = \(found), scipy \(w)")
        }
    }

    @Test func lambertAtItsEnds() {
        #expect(lambertW(0) == 0)
        #expect(abs(lambertW(M_E) - 1) < 1e-15)
        #expect(abs(lambertW(-exp(-1)) + 1) < 2e-8)
        #expect(lambertW(-0.3679).isNaN && lambertW(-.infinity).isNaN && lambertW(.nan).isNaN)
        #expect(lambertW(.infinity) == .infinity)
        for x in [1e-320, .leastNonzeroMagnitude, -1e-320] { #expect(lambertW(x) == x) }
        let large = lambertW(.greatestFiniteMagnitude)
        #expect(abs(large + log(large) - log(Double.greatestFiniteMagnitude)) < 1e-12)
    }

    @Test(arguments: [DType.float64, .float32]) func fixture(_ dtype: DType) throws {
        try withNoLeaks {
            let file = try FixtureFile("logit-losses", in: .module)
            let losses = try file.tensor("super.losses").to(dtype)
            let superLoss = SuperLoss(classes: 10)
            // At the branch point W is a square root: half of the digits.
            let tolerance = dtype == .float64 ? 3e-8 : 2e-4
            try expectClose(
                superLoss.confidences(losses), file.tensor("super.sigma"), tolerance, "σ")
            losses.requiresGrad = true
            let values = superLoss(losses)
            try expectClose(values, file.tensor("super.values"), tolerance, "values")
            #expect(values.dtype == dtype)
            values.sum().backward()
            try expectClose(
                try #require(losses.gradient), superLoss.confidences(losses.detached()), 0)
        }
    }

    /// σ is the minimum of what it stands in, so the derivative of the value is σ.
    @Test func derivativeIsTheConfidence() throws {
        try withNoLeaks {
            let superLoss = SuperLoss(threshold: 1, regularisation: 0.5)
            let losses = [0.75, 0.9, 1, 1.3, 2, 5, 20]
            func values(_ shift: Double) -> [Double] {
                superLoss(Tensor(losses.map { $0 + shift }, [7])).doubles()
            }
            let h = 1e-6
            let slopes = zip(values(h), values(-h)).map { ($0 - $1) / (2 * h) }
            let sigma = superLoss.confidences(Tensor(losses, [7])).doubles()
            try expectClose(slopes, sigma, 1e-8)
            #expect(abs(sigma[2] - 1) < 1e-15, "the threshold itself is trusted as before")
            #expect(zip(sigma, sigma.dropFirst()).allSatisfy { $0 > $1 })
            for (loss, sigma) in zip(losses, sigma) {
                func value(_ s: Double) -> Double { (loss - 1) * s + 0.5 * log(s) * log(s) }
                #expect(value(sigma) <= min(value(sigma * 1.01), value(sigma * 0.99)))
            }
            let easy = superLoss.confidences(Tensor([0, -100] as [Double], [2])).doubles()
            #expect(easy.allSatisfy { abs($0 - M_E) < 1e-7 }, "never more than e")
        }
    }

    @Test func ofALogitLoss() throws {
        try withNoLeaks {
            let z = Logits(Tensor([2, 0.5, -1, 0, 3, 1] as [Double], [2, 3]))
            let loss = LogitLoss.crossEntropy(z, labels: Tensor([2, 1], [2]))
            let superLoss = SuperLoss(classes: 3)
            let whole = superLoss(loss)
            try expectClose(whole.values, superLoss(loss.values), 0)
            let sigma = superLoss.confidences(loss.values)
            try expectClose(whole.gradient, loss.gradient * sigma.unsqueezed(1), 0)
            let strange = superLoss(Tensor([Double.nan, .infinity], [2])).doubles()
            #expect(strange[0].isNaN && strange[1].isNaN)
        }
    }
}
