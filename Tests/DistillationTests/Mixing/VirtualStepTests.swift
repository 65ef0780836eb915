import Neural
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The closed form of the virtual step.
@Suite(.takesTurns) struct VirtualStepTests {
    private static let routes: [LastLayerVirtualStep.Route] = [.products, .kernel]

    /// Losses, their gradients, the virtual step and both meta-gradients against the golden numbers.
    @Test(arguments: routes, [DType.float64, .float32])
    func golden(_ route: LastLayerVirtualStep.Route, _ dtype: DType) throws {
        try withNoLeaks {
            let golden = try GoldenMix()
            let tolerance = dtype == .float64 ? 1e-10 : 1e-5
            let features = matrix(golden.features, dtype)
            let weight = matrix(golden.weight, dtype)
            let bias = Tensor(golden.b, [golden.b.count]).to(dtype)
            let z = Logits(linear(features, weight, bias))
            try expectClose(z.tensor, matrix(golden.logits), tolerance, "logits")
            let batch = TrainingBatch(
                inputs: features, labels: Tensor(golden.y, [4]), rows: Tensor(golden.y, [4]),
                isPlain: true)
            let teachers = golden.teacherLogits.map { logits in
                MixableLoss.teacher(temperature: golden.temperature) { _ in
                    Logits(matrix(logits, dtype))
                }
            }
            let losses = [.labels()] + teachers
            let values = losses.map { $0.values(z, batch) }
            let expected = [golden.ceLoss] + golden.kdLoss
            for (found, wanted) in zip(values, expected) {
                try expectClose(found.doubles(), wanted, tolerance, "losses")
            }
            let gradients = losses.map { $0.gradient(z, batch) }
            for (found, wanted) in zip(gradients, [golden.gradCE] + golden.gradKD) {
                #expect(found.dtype == dtype)
                try expectClose(found, matrix(wanted), tolerance, "logit gradients")
            }
            let validation = MixingValidation(
                features: matrix(golden.validationFeatures, dtype), weight: weight, bias: bias,
                labels: Tensor(golden.yval, [5]))
            let virtualStep = LastLayerVirtualStep(
                MixingGroup(features: features, gradients: gradients), validation, route: route)
            #expect(virtualStep.sampleCount == 4 && golden.s == 0.25)
            let found = virtualStep.gradient(weights: matrix(golden.w, dtype), rate: golden.eta)
            #expect(found.gradient.dtype == dtype)
            try expectClose([found.loss], [golden.metaValue], tolerance, "value")
            try expectClose(found.gradient, matrix(golden.metaGradW), tolerance, "gradient")
            try expectClose(
                virtualStep.firstOrderGradient(rate: golden.eta), matrix(golden.metaGradFirstOrder),
                tolerance, "first order")
            // The stepped layer gives the same validation logits.
            let moved = linear(
                matrix(golden.validationFeatures), matrix(golden.lookaheadW),
                Tensor(golden.lookaheadb, [3]))
            let value = crossEntropy(Logits(moved), labels: validation.labels).mean().item
            try expectClose([found.loss], [value], tolerance, "explicit virtual step")
            // One teacher, λ.
            let share = Tensor(golden.convexLambda, [4, 1]).to(dtype)
            let convex = LastLayerVirtualStep(
                MixingGroup(features: features, gradients: Array(gradients.prefix(2))), validation,
                route: route)
            let slopes = convex.gradient(
                weights: MixingRule.convexClamp.weights(share), rate: golden.eta)
            try expectClose(
                MixingRule.convexClamp.pulledBack(slopes.gradient, at: share).doubles(),
                golden.metaGradConvexLambda, tolerance, "λ")
        }
    }

    /// Every rule's whole chain against central differences of an explicit virtual step.
    @Test(arguments: MixingRule.allCases, [2, 3, 4])
    func differences(_ rule: MixingRule, _ losses: Int) throws {
        try withNoLeaks {
            for (hasBias, route) in [(true, Self.routes[0]), (true, .kernel), (false, .products)] {
                let mix = RandomMix(k: losses, hasBias: hasBias, seed: UInt64(losses))
                let parameters = uniforms(
                    [6, rule.parameterCount(losses: losses)], 0.1, 0.9, seed: 7)
                let rate = 0.7
                let virtualStep = mix.virtualStep(route)
                let found = virtualStep.gradient(weights: rule.weights(parameters), rate: rate)
                let numeric = centralDifferences(parameters) {
                    mix.loss(weights: rule.weights($0), rate: rate)
                }
                let pulled = rule.pulledBack(found.gradient, at: parameters).doubles()
                #expect(relativeError(pulled, numeric) < 1e-7)
                try expectClose(
                    [found.loss], [mix.loss(weights: rule.weights(parameters), rate: rate)], 1e-12)
            }
        }
    }

    /// m_ik = −η s Σ_j (h_i·h_j + 1) g_ik·r_j, summed by hand, and the two routes with one another.
    @Test(arguments: [true, false]) func kernelView(_ hasBias: Bool) throws {
        try withNoLeaks {
            let mix = RandomMix(hasBias: hasBias, seed: 3)
            let weights = uniforms([6, 3], 0, 1.5, seed: 4)
            let (h, hv) = (mix.features.doubles(), mix.validationFeatures.doubles())
            // R at the student as it is.
            let z = linear(mix.validationFeatures, mix.weight, mix.bias)
            let residual = ((z.softmax() - mix.validationLabels.oneHot(4).to(.float64)) / 9)
                .doubles()
            let g = mix.gradients.map { $0.doubles() }
            var expected: [Double] = []
            for i in 0..<6 {
                for k in 0..<3 {
                    var sum = 0.0
                    for j in 0..<9 {
                        var kernel = hasBias ? 1.0 : 0
                        for f in 0..<5 { kernel += h[i * 5 + f] * hv[j * 5 + f] }
                        for c in 0..<4 {
                            sum += kernel * g[k][i * 4 + c] * residual[j * 4 + c]
                        }
                    }
                    expected.append(-0.3 / 6 * sum)
                }
            }
            for route in Self.routes {
                try expectClose(
                    mix.virtualStep(route).firstOrderGradient(rate: 0.3).doubles(), expected, 1e-13)
            }
            let both = Self.routes.map { route in
                mix.virtualStep(route).gradient(weights: weights, rate: 0.9)
            }
            try expectClose(both[0].gradient, both[1].gradient, 1e-13)
            try expectClose([both[0].loss], [both[1].loss], 1e-13)
        }
    }

    /// ⟨A D, R⟩ = ⟨D, Aᵀ R⟩ for both routes, with and without a bias.
    @Test(arguments: routes, [true, false])
    func adjoint(_ route: LastLayerVirtualStep.Route, _ hasBias: Bool) throws {
        try withNoLeaks {
            let virtualStep = RandomMix(hasBias: hasBias, seed: 5).virtualStep(route)
            let d = uniforms([6, 4], -1, 1, seed: 6)
            let r = uniforms([9, 4], -1, 1, seed: 7)
            let left = (virtualStep.moved(d) * r).sum().item
            let right =
                (d * virtualStep.pulled { r.narrowed(0, from: $0.lowerBound, count: $0.count) })
                .sum()
                .item
            #expect(abs(left - right) < 1e-12 && abs(left) > 1e-3)
        }
    }

    /// The first-order variant's relative error falls in proportion to η.
    @Test func firstOrderLimit() throws {
        try withNoLeaks {
            let mix = RandomMix(seed: 8)
            let weights = uniforms([6, 3], 0, 1.5, seed: 9)
            let errors = [1e-1, 1e-2, 1e-3, 1e-4].map { rate in
                relativeError(
                    mix.virtualStep().firstOrderGradient(rate: rate).doubles(),
                    mix.virtualStep().gradient(weights: weights, rate: rate).gradient.doubles())
            }
            for (a, b) in zip(errors, errors.dropFirst()) {
                #expect((7...13).contains(a / b), "\(errors)")
            }
        }
    }

    /// The closed form against steps of the optimizers themselves, with a filled momentum buffer
    /// and weight decay: they move the point of the virtual step and scale the gradient by 1, or by
    /// 1 + μ for Nesterov's.
    @Test(arguments: [(0.0, false), (0.9, false), (0.9, true)])
    func optimizerFactor(_ momentum: Double, _ nesterov: Bool) throws {
        try withNoLeaks {
            let mix = RandomMix(seed: 10)
            let options = OptimizerOptions(
                kind: .sgd, learningRate: 0.2, momentum: momentum, nesterov: nesterov,
                weightDecay: 0.05)
            let velocity = uniforms([4, 5], -1, 1, seed: 11)
            let biasVelocity = uniforms([4], -1, 1, seed: 12)
            /// (W, b) after one step along the mix's gradient.
            func stepped(_ weights: Tensor) -> (Tensor, Tensor) {
                var direction = Tensor.zeros([6, 4], dtype: .float64)
                for (k, g) in mix.gradients.enumerated() {
                    direction = direction + g * weights.narrowed(1, from: k, count: 1)
                }
                let layer = [mix.weight.cloned(), mix.bias!.cloned()]
                let sgd = SGD(
                    parameters: [("weight", layer[0]), ("bias", layer[1])], options: options)
                for (buffer, value) in zip(sgd.state, [velocity, biasVelocity]) {
                    buffer.tensor.copy(from: value)
                }
                sgd.update(
                    [0, 1],
                    gradients: [
                        direction.transposed().matmul(mix.features) / 6, direction.sum(0) / 6,
                    ],
                    learningRate: options.learningRate, weightDecay: options.weightDecay)
                return (layer[0], layer[1])
            }
            let weights = uniforms([6, 3], 0, 1.5, seed: 13)
            let numeric = centralDifferences(weights) {
                let (weight, bias) = stepped($0)
                return crossEntropy(
                    Logits(linear(mix.validationFeatures, weight, bias)),
                    labels: mix.validationLabels
                ).mean().item
            }
            // Where the step goes without any gradient of the mix.
            let (weight, bias) = stepped(.zeros([6, 3], dtype: .float64))
            let virtualStep = LastLayerVirtualStep(
                mix.group,
                MixingValidation(
                    features: mix.validationFeatures, weight: weight, bias: bias,
                    labels: mix.validationLabels))
            let rate = virtualStepRate(options.learningRate, options)
            #expect(rate == 0.2 * (nesterov ? 1.9 : 1))
            let found = virtualStep.gradient(weights: weights, rate: rate).gradient
            #expect(relativeError(found.doubles(), numeric) < 1e-7)
        }
    }

    /// Inside a bfloat16 region everything stays float32, and bfloat16 features are taken.
    @Test func staysInFloat32() throws {
        try withNoLeaks {
            let mix = RandomMix(seed: 14)
            let weights = uniforms([6, 3], 0, 1, seed: 15).to(.float32)
            let features = mix.features.to(.bfloat16)
            func gradient() -> Tensor {
                let validation = MixingValidation(
                    features: mix.validationFeatures.to(.bfloat16), weight: mix.weight.to(.float32),
                    bias: mix.bias!.to(.float32), labels: mix.validationLabels)
                let group = MixingGroup(
                    features: features, gradients: mix.gradients.map { $0.to(.float32) })
                return LastLayerVirtualStep(group, validation).gradient(weights: weights, rate: 0.5)
                    .gradient
            }
            let plain = gradient()
            let inside = withPrecision(.bfloat16) { gradient() }
            #expect(plain.dtype == .float32 && inside.bytes() == plain.bytes())
            // Features alone are rounded: within bfloat16's 2⁻⁸ of the float64 result.
            let exact = mix.virtualStep().gradient(weights: weights.to(.float64), rate: 0.5)
                .gradient
            #expect(relativeError(plain.doubles(), exact.doubles()) < 0.02)
        }
    }

    /// The cheaper way is chosen by the sizes.
    @Test func route() throws {
        try withNoLeaks {
            func chosen(_ b: Int, _ v: Int, _ c: Int, _ d: Int) -> LastLayerVirtualStep.Route {
                let mix = RandomMix(b, v: v, c: c, d: d, seed: 16)
                return LastLayerVirtualStep(mix.group, mix.validation, repeats: 5).route
            }
            #expect(chosen(12, 12, 10, 64) == .kernel)
            #expect(chosen(64, 100, 10, 8) == .products)
        }
    }
}
