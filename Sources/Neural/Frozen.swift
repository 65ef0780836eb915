import Torch

/// A teacher: evaluation mode, no gradient, and out of reach of any optimizer.
///
/// It holds a copy of the network as it is at this moment: training the original further does not
/// change it. No parameter of the copy asks for gradients, and there is no way to get at them but
/// `state`, which is for saving. Batch norms behind a convolution or linear layer are folded into
/// it, which saves their passes and changes the logits by rounding only.
public final class Frozen {
    private let network: any Classifier
    private let adapter: InputAdapter?
    /// How many batch norms were folded away.
    public let foldedBatchNorms: Int

    /// - Parameters:
    ///   - folding: false keeps the batch norms, for comparison.
    ///   - adapter: what turns the inputs it will be given into those it knows.
    public init(_ model: any Classifier, folding: Bool = true, adapter: InputAdapter? = nil) {
        self.adapter = adapter
        network = model.replica()
        for (_, parameter) in network.parameters { parameter.requiresGrad = false }
        foldedBatchNorms = folding ? network.foldBatchNorms() : 0
    }

    public var classes: Int { network.classes }
    public var featureCount: Int { network.head.inputs }

    /// Names and tensors of the unfolded network, for saving. Not to be changed.
    public var state: [(name: String, tensor: Tensor)] { network.state }

    public func move(to device: Device) {
        network.move(to: device)
        adapter?.move(to: device)
    }

    private func adapted(_ x: Tensor) -> Tensor { adapter?(x) ?? x }

    /// Samples [N, ...] to logits [N, classes], not recorded.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        withoutGradient { network(adapted(x), mode: .eval) }
    }

    /// Samples [N, ...] to features [N, D], not recorded.
    public func features(_ x: Tensor) -> Tensor {
        withoutGradient { network.features(adapted(x), mode: .eval) }
    }

    /// Features and logits of one pass, not recorded.
    public func featuresAndLogits(_ x: Tensor) -> (features: Tensor, logits: Tensor) {
        withoutGradient {
            let features = network.features(adapted(x), mode: .eval)
            return (features, network.logits(fromFeatures: features))
        }
    }

    /// Logits [N, classes] through which the gradient reaches `x` (and nothing of the teacher):
    /// for methods that search for inputs.
    public func recorded(_ x: Tensor) -> Tensor { network(adapted(x), mode: .eval) }

    /// The same with the features [N, D].
    public func recordedWithFeatures(_ x: Tensor) -> (features: Tensor, logits: Tensor) {
        let features = network.features(adapted(x), mode: .eval)
        return (features, network.logits(fromFeatures: features))
    }

    /// The same, and every batch norm tells `probe` what it sees. For networks
    /// frozen without folding.
    public func recorded(
        _ x: Tensor, probe: BatchProbe
    ) -> (features: Tensor, logits: Tensor) {
        precondition(foldedBatchNorms == 0, "folded batch norms cannot be probed")
        let features = network.features(adapted(x), mode: .probe(probe))
        return (features, network.logits(fromFeatures: features))
    }
}
