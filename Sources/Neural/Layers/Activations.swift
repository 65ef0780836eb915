import Torch

/// A function applied to each value, as a module without state. The same input gives the same
/// output in both modes.
public final class Activation: Module {
    public enum Function: Sendable, Equatable {
        case relu
        /// min(max(x, 0), 6).
        case relu6
        /// x for x ≥ 0, slope · x below.
        case leakyRelu(slope: Double)
        case sigmoid
        case tanh
        /// x Φ(x), exact.
        case gelu
        /// x σ(x).
        case silu
        case softplus
        case identity
    }

    public let function: Function

    public init(_ function: Function) { self.function = function }

    public func callAsFunction(_ x: Tensor, mode: Mode = .eval) -> Tensor {
        switch function {
        case .relu: x.relu()
        case .relu6: x.relu6()
        case .leakyRelu(let slope): x.leakyRelu(slope)
        case .sigmoid: x.sigmoid()
        case .tanh: x.tanh()
        case .gelu: x.gelu()
        case .silu: x.silu()
        case .softplus: x.softplus()
        case .identity: x
        }
    }
}
