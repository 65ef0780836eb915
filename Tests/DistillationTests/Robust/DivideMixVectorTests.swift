import Diagnostics
import Distillation
import TestSupport
import Testing
import Torch

@testable import Training

/// DivideMix by numbers: targets, mixing and the loss of one step.
@Suite(.serialized, .takesTurns) struct DivideMixVectorTests {
    private func probabilities(_ name: String) throws -> Tensor {
        Logits(try MethodVectors("inputs").matrix(name)).probabilities().tensor
    }

    private func labels() throws -> Tensor {
        Tensor(try MethodVectors("inputs").ints("Y"), [6]).oneHot(4).to(.float64)
    }

    private func refined() throws -> Tensor {
        refinedLabels(
            try labels(), clean: Tensor(try MethodVectors("dividemix").numbers("w"), [6]),
            predictions: meanPrediction([try probabilities("Z1"), try probabilities("Z2")]),
            temperature: 0.5)
    }

    private func guessed() throws -> Tensor {
        let first = try probabilities("Z1")
        return sharpened(
            meanPrediction([
                first, try probabilities("Z2"), try probabilities("ZT"), first.flipped([0]),
            ]), temperature: 0.5)
    }

    @Test func targetsByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("dividemix")
            try expectClose(try refined().doubles(), vector.numbers("refined"), 1e-12)
            try expectClose(try guessed().doubles(), vector.numbers("co_guessed"), 1e-12)
            // Row i of the labelled half with row i of the other one.
            let both = Tensor.concatenated([try refined(), try guessed()])
            let targets = MixupDraw(
                lambda: try vector.number("mix_lambda"), partners: (0..<12).map { ($0 + 6) % 12 }
            ).mixed(both)
            try expectClose(
                targets.narrowed(0, from: 0, count: 6).doubles(),
                vector.numbers("mixed_targets"), 1e-12)
        }
    }

    @Test func lossByNumbers() throws {
        try withNoLeaks {
            let vector = try MethodVectors("dividemix")
            let inputs = try MethodVectors("inputs")
            for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 1e-6)] {
                let targets = try vector.matrix("mixed_targets").to(dtype)
                let logits = Tensor.concatenated([
                    try inputs.matrix("Z1"), try inputs.matrix("Z2"),
                ]).to(dtype)
                let losses = mixMatchLosses(
                    Logits(logits), targets: .concatenated([targets, targets]), labelled: 6,
                    unlabelledWeight: DivideMixOptions().unlabelledWeight(at: 14))
                #expect(losses.terms.map(\.name) == ["cross-entropy", "unlabelled", "prior"])
                try expectClose(
                    losses.means(),
                    [
                        vector.number("Lx_on_Z1"), vector.number("Lu_on_Z2"),
                        vector.number("penalty"),
                    ], tolerance)
                #expect(
                    abs(losses.total.item - (try vector.number("total_lambda25_epoch14")))
                        < tolerance)
            }
        }
    }

    /// Without unlabelled rows there is no term of them.
    @Test func everythingTrusted() throws {
        try withNoLeaks {
            let logits = try MethodVectors("inputs").matrix("Z1")
            let losses = mixMatchLosses(
                Logits(logits), targets: try labels(), labelled: 6, unlabelledWeight: 25)
            #expect(losses.terms.map(\.name) == ["cross-entropy", "prior"])
        }
    }

    @Test func rampByNumbers() throws {
        let options = DivideMixOptions()
        for (epoch, weight) in [
            (9.5, 0.0), (10, 0), (14, 6.25), (18, 12.5), (26, 25), (40, 25),
        ] {
            #expect(abs(options.unlabelledWeight(at: epoch) - weight) < 1e-12)
        }
        #expect(
            try MethodVectors("dividemix").numbers("ramp")
                == ["10", "14", "18", "26", "40", "9.5"].map {
                    options.unlabelledWeight(at: Double($0)!)
                })
    }

    @Test func confidencePenaltyByNumbers() throws {
        try withNoLeaks {
            let z = try MethodVectors("inputs").matrix("Z1")
            #expect(
                abs(
                    negativeEntropy(Logits(z)).mean().item
                        - (try MethodVectors("dividemix").number("neg_entropy_Z1"))) < 1e-12)
            // Where the network is sure: 0, and no gradient that is not finite.
            let sure = Tensor([300, -300, 0] as [Float], [1, 3])
            sure.requiresGrad = true
            let values = negativeEntropy(Logits(sure))
            values.sum().backward()
            #expect(values.doubles() == [0])
            let gradient = try #require(sure.gradient).doubles()
            #expect(gradient.allSatisfy { $0.isFinite })
        }
    }

    /// The gradient of the whole loss against finite differences.
    @Test func gradient() throws {
        try withNoLeaks {
            let inputs = try MethodVectors("inputs")
            let targets = Tensor.concatenated([try refined(), try guessed()])
            let z = Tensor.concatenated([try inputs.matrix("Z1"), try inputs.matrix("Z2")])
            func loss(_ z: Tensor) -> Tensor {
                mixMatchLosses(Logits(z), targets: targets, labelled: 6, unlabelledWeight: 3).total
            }
            z.requiresGrad = true
            loss(z).backward()
            try expectClose(
                try #require(z.gradient).doubles(),
                MethodVectors.differences(z.detached()) { loss($0).item }, 1e-8)
        }
    }
}
