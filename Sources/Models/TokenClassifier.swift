import Neural
import Torch

/// A network on texts whose first step cannot be done by an engine alone: cutting a text into whole
/// numbers. What is behind that step takes these numbers, so that the network can be used elsewhere.
public protocol TokenClassifier: Classifier {
    /// Code points [N, 1, L] to int64 [N, T], on the CPU or where `x` is; 0 is padding.
    func tokens(of x: Tensor) -> Tensor
    /// Tokens [N, T] to what the head sees, [N, head.inputs]; `features` of a text is this of its tokens.
    func features(ofTokens tokens: Tensor, mode: Mode) -> Tensor
    /// T, or nil where it may be any.
    var tokenCount: Int? { get }
}
