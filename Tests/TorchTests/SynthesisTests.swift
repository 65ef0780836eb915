import TestSupport
import Testing
import Torch

/// The two operators of the search for images: a window per sample, and batch norm with a probe.
@Suite(.takesTurns) struct SynthesisOperatorTests {
    private func wave(_ shape: [Int], _ step: Double, dtype: DType = .float64) -> Tensor {
        let count = shape.reduce(1, *)
        return ((Tensor.arange(count, dtype: .float64) * step).sin() + 0.3).reshaped(shape)
            .to(dtype)
    }

    /// Every pixel by its definition, and the gradient by the same.
    @Test(arguments: [1, 3]) func windowsOfEverySample(_ channels: Int) throws {
        try withNoLeaks {
            let changes = [
                [0, 0, 0], [2, -1, 0], [-1, 2, 1], [1, 1, 1], [-5, 0, 0], [0, 9, 1],
            ]
            let (h, w) = (5, 4)
            let x = wave([changes.count, channels, h, w], 0.7)
            let up = wave([changes.count, channels, h, w], 1.3).doubles()
            let input = x.doubles()
            var expected = [Double](repeating: 0, count: input.count)
            var gradient = expected
            for (n, change) in changes.enumerated() {
                for c in 0..<channels {
                    for i in 0..<h {
                        for j in 0..<w {
                            let row = i + change[0]
                            let column = (change[2] == 1 ? w - 1 - j : j) + change[1]
                            guard 0..<h ~= row, 0..<w ~= column else { continue }
                            let to = ((n * channels + c) * h + i) * w + j
                            let from = ((n * channels + c) * h + row) * w + column
                            expected[to] = input[from]
                            gradient[from] += up[to]
                        }
                    }
                }
            }
            let rows = Tensor(changes.flatMap(\.self), [changes.count, 3])
            for dtype in [DType.float64, .float32] {
                let leaf = x.to(dtype).cloned().detached()
                leaf.requiresGrad = true
                let y = leaf.windowed(rows)
                try expectClose(y.doubles(), expected, 1e-6)
                (y * Tensor(up, y.shape).to(dtype)).sum().backward()
                try expectClose(leaf.gradient!.doubles(), gradient, 1e-6)
                // The same from channels-last memory.
                try expectClose(leaf.detached().channelsLast().windowed(rows).doubles(), expected)
            }
            #expect(throws: EngineError.self) {
                try Engine.checked { x.windowed(Tensor([0, 0], [1, 2])) }
            }
        }
    }

    /// Against what it stands for: a batch norm, and a mean and a variance beside it.
    @Test(arguments: [true, false]) func probeIsMeanAndVariance(_ isAffine: Bool) throws {
        try withNoLeaks {
            for (shape, isLast) in [
                ([4, 3, 5, 2], true), ([4, 3, 5, 2], false), ([6, 3], false),
            ] {
                for dtype in [DType.float64, .float32] {
                    let weight = isAffine ? wave([3], 2, dtype: dtype) : nil
                    let bias = isAffine ? wave([3], 3, dtype: dtype) : nil
                    let mean = wave([3], 1, dtype: dtype)
                    let variance = wave([3], 0.2, dtype: dtype) + 0.5
                    let base = wave(shape, 0.37, dtype: dtype)
                    func leaf() -> Tensor {
                        let x = isLast ? base.channelsLast() : base.cloned()
                        x.requiresGrad = true
                        return x
                    }
                    let dims = shape.count == 4 ? [0, 2, 3] : [0]
                    let (a, b) = (leaf(), leaf())
                    let found = probedBatchNorm(
                        a, weight: weight, bias: bias, runningMean: mean,
                        runningVariance: variance, eps: 1e-3)
                    let y = batchNorm(
                        b, weight: weight, bias: bias, runningMean: mean,
                        runningVariance: variance, training: false, eps: 1e-3)
                    let (m, v) =
                        dims.count == 3
                        ? (b.mean(0, 2, 3), b.variance(0, 2, 3, unbiased: false))
                        : (b.mean(0), b.variance(0, unbiased: false))
                    let tolerance = dtype == .float64 ? 1e-12 : 2e-6
                    try expectClose(found.output, y, tolerance)
                    try expectClose(found.mean, m, tolerance)
                    try expectClose(found.variance, v, tolerance)
                    let up = wave(shape, 0.11, dtype: dtype)
                    func loss(_ y: Tensor, _ m: Tensor, _ v: Tensor) -> Tensor {
                        (y * up).sum() + m.exp().sum() * 3 + (v * v).sum() * 5
                    }
                    loss(found.output, found.mean, found.variance).backward()
                    loss(y, m, v).backward()
                    try expectClose(a.gradient!, b.gradient!, tolerance * 5)
                    // Each output alone.
                    for part in 0..<3 {
                        let (a, b) = (leaf(), leaf())
                        let found = probedBatchNorm(
                            a, weight: weight, bias: bias, runningMean: mean,
                            runningVariance: variance)
                        let y = batchNorm(
                            b, weight: weight, bias: bias, runningMean: mean,
                            runningVariance: variance, training: false)
                        let spread =
                            dims.count == 3
                            ? b.variance(0, 2, 3, unbiased: false)
                            : b.variance(0, unbiased: false)
                        let middle = dims.count == 3 ? b.mean(0, 2, 3) : b.mean(0)
                        [found.output, found.mean, found.variance][part].squared().sum().backward()
                        [y, middle, spread][part].squared().sum().backward()
                        try expectClose(a.gradient!, b.gradient!, tolerance * 20)
                    }
                }
            }
        }
    }
}
