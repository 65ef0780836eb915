import Torch

/// Unnormalised scores [N, C] of a classifier. A wrapper, so that the arguments of a divergence
/// cannot be swapped or fed probabilities.
public struct Logits {
    public let tensor: Tensor

    public init(_ tensor: Tensor) { self.tensor = tensor }

    /// softmax(logits / T)
    public func probabilities(temperature: Double = 1) -> Probabilities {
        Probabilities(scaled(temperature).softmax())
    }
    /// log softmax(logits / T)
    public func logProbabilities(temperature: Double = 1) -> LogProbabilities {
        LogProbabilities(scaled(temperature).logSoftmax())
    }
    public var predictions: Tensor { tensor.argmax() }  // [N], int64

    /// The same values, through which no gradient flows.
    public var detached: Logits { Logits(tensor.detached()) }

    // Losses are computed in float32 even where autocast made the logits bfloat16.
    private func scaled(_ temperature: Double) -> Tensor {
        let logits = tensor.dtype == .float64 ? tensor : tensor.to(.float32)
        return temperature == 1 ? logits : logits / temperature
    }
}

/// Rows of [N, C] that are non-negative and sum to 1.
public struct Probabilities {
    public let tensor: Tensor
    public init(_ tensor: Tensor) { self.tensor = tensor }
}

/// Natural logarithms of probabilities [N, C].
public struct LogProbabilities {
    public let tensor: Tensor
    public init(_ tensor: Tensor) { self.tensor = tensor }
    public var probabilities: Probabilities { Probabilities(tensor.exp()) }
}
