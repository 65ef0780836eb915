import TestSupport
import Testing
import Torch

/// The numbers of `torch.Generator().manual_seed(seed)` (fixture: scripts/fixtures/torch_ops.py).
@Suite(.takesTurns) struct GeneratorTests {
    static let fills: [String: @Sendable (Tensor, Generator) -> Void] = [
        "normal": { $0.fillNormal(mean: 0.5, std: 2, $1) },
        "uniform": { $0.fillUniform(-1, 3, $1) },
        "bernoulli": { $0.fillBernoulli(0.3, $1) },
    ]

    @Test(arguments: fills.keys.sorted(), [0, 20_250_716, 1 << 40 + 3 as UInt64])
    func equalsPyTorch(_ kind: String, seed: UInt64) throws {
        try withNoLeaks {
            for count in [7, 16, 37] {
                let reference = try OperatorTests.fixture.get()
                    .tensor("generator|\(kind).\(seed).\(count)")
                let x = Tensor.zeros([count])
                GeneratorTests.fills[kind]!(x, Generator(seed: seed))
                // Uniform and Bernoulli are integer arithmetic; the normal goes through vectorised
                // logarithms and cosines, which may differ by rounding between processors.
                if kind == "normal" {
                    try expectClose(x, reference, 1e-6)
                } else {
                    #expect(x.floats() == reference.floats())
                }
            }
        }
    }

    /// One generator goes on; a fresh one with the same seed starts again; another seed differs.
    @Test func aGeneratorIsAStream() throws {
        try withNoLeaks {
            func draw(_ generator: Generator) -> [Float] {
                let x = Tensor.empty([5])
                x.fillUniform(0, 1, generator)
                return x.floats()
            }
            let one = Generator(seed: 1)
            let first = draw(one)
            #expect(draw(one) != first)
            #expect(draw(Generator(seed: 1)) == first)
            #expect(draw(Generator(seed: 2)) != first)
        }
    }

    @Test func filledParametersStayLeaves() throws {
        try withNoLeaks {
            let w = Tensor.zeros([100])
            w.requiresGrad = true
            w.fillNormal(Generator(seed: 3))
            (w * w).sum().backward()
            try expectClose(w.gradient!.doubles(), w.doubles().map { 2 * $0 }, 0)
        }
    }
}
