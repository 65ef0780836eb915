import Neural
import Torch

/// The noisy layer of NAYER (Tran et al., "NAYER: Noisy Layer Data Generation for Efficient and
/// Effective Data-free Knowledge Distillation", 2023, arXiv 2310.00258, §3): label embeddings in,
/// something different for every sample out.
///
///     n = BatchNorm(e)                        [B, d], by the batch's statistics
///     v_i = W_b n_i + c_b,   b = i / K        [B, r]
///
/// One pair (W_b, c_b) serves a block of K consecutive samples, one of each class; the last block may
/// be smaller. W is drawn from N(0, 1) and c is 0 for each batch that is synthesised, so the label
/// alone decides nothing but the class. Not scaled by fan-in: batch norm behind the generator's
/// first layer takes care of it. Deviation: the blocks' weights are one tensor, so that one batched
/// product does what ⌈B/K⌉ layers do.
public final class NoisyLayer: Module {
    public let norm: BatchNorm
    /// [blocks, r, d]
    public let weight: Parameter
    /// [blocks, r]
    public let bias: Parameter
    /// K
    public let blockSize: Int

    /// - Parameters:
    ///   - inputs: d.
    ///   - outputs: r.
    ///   - samples: B; there are ⌈B/blockSize⌉ blocks.
    public init(inputs: Int, outputs: Int, samples: Int, blockSize: Int, generator: Generator) {
        precondition(blockSize > 0 && samples > 0, "a noisy layer has samples and blocks")
        let blocks = (samples + blockSize - 1) / blockSize
        norm = BatchNorm(inputs)
        weight = Parameter(.empty([blocks, outputs, inputs]))
        bias = Parameter(.zeros([blocks, outputs]))
        self.blockSize = blockSize
        resample(generator)
    }

    public var blocks: Int { weight.tensor.shape[0] }

    /// New noise: W ~ N(0, 1), c = 0. The batch norm stays.
    public func resample(_ generator: Generator) {
        withoutGradient {
            weight.tensor.fillNormal(generator)
            bias.tensor.zero()
        }
    }

    /// - Parameter x: embeddings of the target labels [B, d], in blocks; B at most as made for.
    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        let (samples, width) = (x.shape[0], x.shape[1])
        let room = blocks * blockSize
        precondition(samples <= room, "more samples than the noisy layer has blocks for")
        var n = norm(x, mode: mode)
        if samples < room { n = n.padded([0, 0, 0, room - samples]) }
        let v =
            n.reshaped([blocks, blockSize, width]).matmul(weight.tensor.transposed())
            + bias.tensor.unsqueezed(1)  // [blocks, K, r]
        let flat = v.reshaped([room, v.shape[2]])
        return samples < room ? flat.narrowed(0, from: 0, count: samples) : flat
    }
}

/// Target labels of a batch in the order that a noisy layer with one block per set of classes needs:
/// ⌊B/K⌋ times 0, 1, …, K−1, then B mod K labels as `draw` gives them.
public func orderedLabels(_ batch: Int, classes: Int, draw: () -> Int) -> [Int] {
    let whole = batch / classes * classes
    return (0..<batch).map { $0 < whole ? $0 % classes : draw() }
}
