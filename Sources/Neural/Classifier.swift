import Torch

/// A network that maps samples to features and features to class logits.
///
/// The features are what enters the last linear layer, [N, D]; the relation and data-free methods
/// work on them.
public protocol Classifier: Module {
    /// The last layer; its `outputs` is the number of classes.
    var head: Linear { get }

    /// Samples [N, ...] to what the head sees, [N, head.inputs].
    func features(_ x: Tensor, mode: Mode) -> Tensor

    /// A network of the same architecture with freshly drawn weights.
    func fresh(generator: Generator) -> Self
}

extension Classifier {
    /// Features [N, D] to logits [N, classes].
    public func logits(fromFeatures features: Tensor) -> Tensor { head(features) }

    /// Samples [N, ...] to logits [N, classes].
    public func callAsFunction(_ x: Tensor, mode: Mode) -> Tensor {
        head(features(x, mode: mode))
    }

    public var classes: Int { head.outputs }

    /// A network of the same architecture with copies of these weights and buffers.
    public func replica() -> Self {
        let copy = fresh(generator: Generator(seed: 0))
        copy.copyState(from: self)
        return copy
    }
}
