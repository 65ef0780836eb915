import Torch

/// Rows of a table by index: int64 [...] to [..., width]; `weight` [count, width], N(0, 1) at first.
public final class Embedding: Module {
    public let weight: Parameter
    /// The index whose row starts at zero and gets no gradient.
    public let paddingIndex: Int?

    public init(_ count: Int, _ width: Int, paddingIndex: Int? = nil, generator: Generator) {
        weight = Parameter(table(count, width, paddingIndex, generator))
        self.paddingIndex = paddingIndex
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        embedding(x, weight.tensor, paddingIndex: paddingIndex)
    }
}

/// The mean of the table rows of each bag: int64 [N, L] to [N, width]. Entries equal to
/// `paddingIndex` do not count; a bag of nothing else gives zeros.
public final class EmbeddingBag: Module {
    public let weight: Parameter
    public let paddingIndex: Int?

    public init(_ count: Int, _ width: Int, paddingIndex: Int? = nil, generator: Generator) {
        weight = Parameter(table(count, width, paddingIndex, generator))
        self.paddingIndex = paddingIndex
    }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        OperatorRecorder.asOne(
            "meanOfRows", [x, weight.tensor], ["padding": .int(paddingIndex ?? -1)]
        ) {
            let (bags, length) = (x.shape[0], x.shape[1])
            let offsets = Tensor((0..<bags).map { $0 * length }, [bags]).to(x.device)
            return embeddingBag(
                x.flattened(from: 0), offsets: offsets, weight.tensor, paddingIndex: paddingIndex)
        }
    }
}

private func table(
    _ count: Int, _ width: Int, _ paddingIndex: Int?, _ generator: Generator
) -> Tensor {
    guard generator.makesValues else { return .shapeOnly([count, width]) }
    let weight = Tensor.empty([count, width])
    weight.fillNormal(generator)
    if let paddingIndex { weight.selected(0, paddingIndex).zero() }
    return weight
}
