import Foundation
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The virtual step's golden numbers (scripts/fixtures/adaptive_mixing.py says where they come from).
struct GoldenMix: Decodable {
    let temperature: Double
    let eta: Double
    let s: Double
    let features: [[Double]]
    let validationFeatures: [[Double]]
    let weight: [[Double]]
    let b: [Double]
    let y: [Int]
    let yval: [Int]
    let teacherLogits: [[[Double]]]
    let w: [[Double]]
    let logits: [[Double]]
    let gradCE: [[Double]]
    let gradKD: [[[Double]]]
    let ceLoss: [Double]
    let kdLoss: [[Double]]
    let lookaheadW: [[Double]]
    let lookaheadb: [Double]
    let metaValue: Double
    let metaGradW: [[Double]]
    let metaGradFirstOrder: [[Double]]
    let convexLambda: [Double]
    let metaGradConvexLambda: [Double]

    enum CodingKeys: String, CodingKey {
        case temperature = "T"
        case features = "H"
        case validationFeatures = "Hval"
        case weight = "W"
        case eta, s, b, y, yval, teacherLogits, w, logits, gradCE, gradKD, ceLoss, kdLoss
        case lookaheadW, lookaheadb, metaValue, metaGradW, metaGradFirstOrder, convexLambda
        case metaGradConvexLambda
    }

    init() throws {
        let url = try #require(
            Bundle.module.url(
                forResource: "adaptive-mixing", withExtension: "json", subdirectory: "Fixtures"))
        self = try JSONDecoder().decode(GoldenMix.self, from: Data(contentsOf: url))
    }
}

func matrix(_ rows: [[Double]], _ dtype: DType = .float64) -> Tensor {
    Tensor(rows.flatMap(\.self), [rows.count, rows[0].count]).to(dtype)
}

/// A last layer with random everything, float64, and its virtual step by explicit arithmetic that
/// shares nothing with `LastLayerVirtualStep`.
struct RandomMix {
    let features: Tensor
    let weight: Tensor
    let bias: Tensor?
    let gradients: [Tensor]
    let validationFeatures: Tensor
    let validationLabels: Tensor

    init(
        _ b: Int = 6, v: Int = 9, c: Int = 4, d: Int = 5, k: Int = 3, hasBias: Bool = true,
        seed: UInt64 = 1
    ) {
        var draw = Draw(seed: seed, .tests)
        func normals(_ shape: [Int], _ scale: Double = 1) -> Tensor {
            Tensor((0..<shape.reduce(1, *)).map { _ in scale * draw.normal() }, shape)
        }
        features = normals([b, d]).relu()
        weight = normals([c, d], 0.7)
        bias = hasBias ? normals([c], 0.3) : nil
        let labels = Tensor((0..<b).map { _ in draw.below(c) }, [b])
        let z = Logits(linear(features, weight, bias))
        let batch = TrainingBatch(inputs: z.tensor, labels: labels, rows: labels, isPlain: true)
        var losses = [MixableLoss.labels()]
        for _ in 1..<k {
            let teacher = Logits(normals([b, c], 3))
            losses.append(.teacher(temperature: 4) { _ in teacher })
        }
        gradients = losses.map { $0.gradient(z, batch) }
        validationFeatures = normals([v, d]).relu()
        validationLabels = Tensor((0..<v).map { _ in draw.below(c) }, [v])
    }

    var group: MixingGroup { MixingGroup(features: features, gradients: gradients) }
    var validation: MixingValidation {
        MixingValidation(
            features: validationFeatures, weight: weight, bias: bias, labels: validationLabels)
    }
    /// Two validation samples at a time.
    func virtualStep(_ route: LastLayerVirtualStep.Route? = nil) -> LastLayerVirtualStep {
        LastLayerVirtualStep(
            group, validation, hasBias: bias != nil, repeats: 1, route: route, chunkSize: 8)
    }

    /// M after a step on (W, b), written out.
    func loss(weights w: Tensor, rate: Double) -> Double {
        var direction = Tensor.zeros(gradients[0].shape, dtype: .float64)
        for (k, g) in gradients.enumerated() {
            direction = direction + g * w.narrowed(1, from: k, count: 1)
        }
        let scale = rate / Double(features.shape[0])
        let stepped = weight - direction.transposed().matmul(features) * scale
        let bias = bias.map { $0 - direction.sum(0) * scale }
        return crossEntropy(
            Logits(linear(validationFeatures, stepped, bias)), labels: validationLabels
        )
        .mean().item
    }
}

/// Central differences of `value` with respect to every entry of `point`, float64.
func centralDifferences(
    _ point: Tensor, step: Double = 1e-5, _ value: (Tensor) -> Double
) -> [Double] {
    let numbers = point.doubles()
    return numbers.indices.map { i in
        var (up, down) = (numbers, numbers)
        up[i] += step
        down[i] -= step
        return (value(Tensor(up, point.shape)) - value(Tensor(down, point.shape))) / (2 * step)
    }
}

/// Uniform numbers, float64.
func uniforms(_ shape: [Int], _ low: Double, _ high: Double, seed: UInt64) -> Tensor {
    var draw = Draw(seed: seed, .tests)
    return Tensor(
        (0..<shape.reduce(1, *)).map { _ in low + (high - low) * draw.uniform() }, shape)
}
