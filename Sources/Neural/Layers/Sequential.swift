import Torch

/// Modules one after the other, with the keys "0", "1", …
public final class Sequential: Module {
    public let layers: [any Module]

    public init(_ layers: [any Module]) { self.layers = layers }

    public convenience init(_ layers: any Module...) { self.init(layers) }

    public var keys: [String: String] { ["layers": ""] }

    /// A convolution or linear layer followed at once by a batch norm.
    public var foldablePairs: [FoldablePair] {
        zip(layers, layers.dropFirst()).compactMap { layer, next in
            guard let layer = layer as? any Foldable, let next = next as? BatchNorm else {
                return nil
            }
            return (layer, next)
        }
    }

    public subscript(_ index: Int) -> any Module { layers[index] }

    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        layers.reduce(x) { $1($0, mode: mode) }
    }
}
