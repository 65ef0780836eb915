import Diagnostics

/// Which network, and with what options: the `model` part of a recipe. Options that are nil take
/// the network's default; options that the network does not have are refused.
public struct ModelSpec: Codable, Equatable, Sendable {
    /// One of `ModelRegistry.names`, or `wrn-d-k` with other d and k.
    public var name: String
    /// Multiplies the numbers of channels and units (ResNets, WideResNets, VGG, MobileNetV2,
    /// GoogLeNet, text networks); 0.05 to 4, default 1.
    public var width: Double?
    /// Dropout probability (MLP and WideResNet: 0 by default, MobileNetV2: 0.2, GoogLeNet: 0.4,
    /// VGG16-BN and CharCNN: 0.5); at least 0, below 1.
    public var dropout: Double?
    /// Widths of the hidden layers (MLP); default [256, 256]. Empty: a linear classifier. Residual MLP: one,
    /// default four times the inputs.
    public var hidden: [Int]?
    /// Rows of the table of hashed words (fastText); 1 to 2²⁴, default 2¹⁷.
    public var buckets: Int?
    /// Characters that the network looks at (CharCNN); at least 123, at most the data's
    /// `length`, default 300 or the data's, if that is less.
    public var length: Int?

    public init(
        name: String, width: Double? = nil, dropout: Double? = nil, hidden: [Int]? = nil,
        buckets: Int? = nil, length: Int? = nil
    ) {
        self.name = name
        self.width = width
        self.dropout = dropout
        self.hidden = hidden
        self.buckets = buckets
        self.length = length
    }

    enum Option: String, CaseIterable {
        case width, dropout, hidden, buckets, length
    }

    var given: [Option] {
        [
            width.map { _ in .width }, dropout.map { _ in .dropout }, hidden.map { _ in .hidden },
            buckets.map { _ in .buckets }, length.map { _ in .length },
        ].compactMap { $0 }
    }
}
