import Neural
import Torch

/// Relation modelling: what an encoder learns from two views of each sample, without a label.
public enum SelfSupervision: String, Codable, Sendable, CaseIterable {
    /// Chen and He, "Exploring Simple Siamese Representation Learning", 2020, arXiv 2011.10566: what
    /// summaries of the paper describe.
    case simSiam = "simsiam"
    /// Chen, Kornblith, Norouzi, Hinton, "A Simple Framework for Contrastive Learning of Visual
    /// Representations", 2020, arXiv 2002.05709: what the word "contrastive" of its abstract suggests.
    case simCLR = "simclr"
}

/// −½[ cos(p_1, sg v_2) + cos(p_2, sg v_1) ] per sample [N], in [−1, 1]; −1 is its best. No gradient
/// flows through v: without that stop all outputs would become one.
///
/// - Parameters: predictions p and projections v of the two views, [N, D].
public func simSiamLoss(
    predictions p: (Tensor, Tensor), projections v: (Tensor, Tensor)
) -> Tensor {
    func cosine(_ a: Tensor, _ b: Tensor) -> Tensor {
        (a.normalisedRows() * b.detached().normalisedRows()).sum(-1)
    }
    return (cosine(p.0, v.1) + cosine(p.1, v.0)) * -0.5
}

/// NT-Xent per sample [N]: the mean over its two views i of −log softmax(cos(v_i, v_j)/T) at the other view,
/// over all 2N − 1 other views j.
///
/// - Parameters:
///   - projections: of the two views, [N, D].
///   - temperature: T > 0; .5 for small images in the paper.
public func simCLRLoss(projections v: (Tensor, Tensor), temperature: Double) -> Tensor {
    let n = v.0.shape[0]
    let all = Tensor.concatenated([v.0, v.1])  // [2N, D]
    let shares = (all.cosines(with: all) / temperature)
        .filled(where: .diagonal(like: all), with: excluded).logSoftmax()  // [2N, 2N]
    let others = Tensor((0..<2 * n).map { ($0 + n) % (2 * n) }, [2 * n, 1]).to(all.device)
    let own = shares.gathered(1, others).reshaped([2, n])
    return -own.mean(0)
}

/// What stands behind an encoder while it learns without labels, and is thrown away then.
///
/// Projector g: three linear layers with batch norm, ReLU behind the first two, no shift or scale behind
/// the last (SimSiam's); SimCLR's: two layers, batch norm and ReLU behind the first. Predictor q, of
/// SimSiam alone: linear, batch norm, ReLU, linear, with a narrow middle.
public final class SelfSupervisionHead: Module {
    public let projector: Sequential
    public let predictor: Sequential?

    /// - Parameters:
    ///   - inputs: features of the encoder.
    ///   - dimension: of v; 2048 in SimSiam.
    ///   - hidden: the predictor's middle; a quarter of `dimension` in SimSiam.
    public init(
        _ kind: SelfSupervision, inputs: Int, dimension: Int, hidden: Int, generator: Generator
    ) {
        func linear(_ a: Int, _ b: Int, bias: Bool = false) -> Linear {
            Linear(a, b, bias: bias, generator: generator)
        }
        switch kind {
        case .simSiam:
            projector = Sequential(
                linear(inputs, dimension), BatchNorm1d(dimension), Activation(.relu),
                linear(dimension, dimension), BatchNorm1d(dimension), Activation(.relu),
                linear(dimension, dimension), BatchNorm1d(dimension, affine: false))
            predictor = Sequential(
                linear(dimension, hidden), BatchNorm1d(hidden), Activation(.relu),
                linear(hidden, dimension, bias: true))
        case .simCLR:
            projector = Sequential(
                linear(inputs, dimension), BatchNorm1d(dimension), Activation(.relu),
                linear(dimension, dimension, bias: true))
            predictor = nil
        }
    }

    /// v of features [N, inputs]: [N, dimension].
    public func callAsFunction(_ features: Tensor, mode: Mode) -> Tensor {
        projector(features, mode: mode)
    }

    /// The loss [N] of two views' features [N, inputs], and the two projections.
    public func loss(
        _ features: (Tensor, Tensor), temperature: Double, mode: Mode
    ) -> (values: Tensor, projections: (Tensor, Tensor)) {
        let v = (self(features.0, mode: mode), self(features.1, mode: mode))
        let full = (v.0.inLossPrecision, v.1.inLossPrecision)
        guard let predictor else {
            return (
                withPrecision(.float32, on: v.0.device) {
                    simCLRLoss(projections: full, temperature: temperature)
                }, full
            )
        }
        let p = (predictor(v.0, mode: mode), predictor(v.1, mode: mode))
        return (
            simSiamLoss(
                predictions: (p.0.inLossPrecision, p.1.inLossPrecision), projections: full),
            full
        )
    }
}

/// How far a representation is from having collapsed into one point: the standard deviation of each
/// channel of v/‖v‖ over the batch, averaged and divided by 1/√D. About 1 where directions are spread
/// evenly, 0 where all are the same.
///
/// - Parameter projections: [N, D].
public func embeddingStd(_ projections: Tensor) -> Tensor {
    let v = projections.normalisedRows()
    let std = v.variance(0, unbiased: false).sqrt().mean()
    return std * Double(projections.shape[1]).squareRoot()
}
