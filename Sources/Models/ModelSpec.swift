import Diagnostics

/// Which network, and with what options: the `model` part of a recipe. Options that are nil take
/// the network's default; options that the network does not have are refused.
public struct ModelSpec: Codable, Equatable, Sendable {
    /// One of `ModelRegistry.names`, or `wrn-d-k` with other d and k.
    public var name: String
    /// Multiplies the numbers of channels (ResNets, VGG, MobileNetV2); 0.05 to 4, default 1.
    public var width: Double?
    /// Dropout probability (MLP and WideResNet: 0 by default, MobileNetV2: 0.2); at least 0, below 1.
    public var dropout: Double?
    /// Widths of the hidden layers (MLP); default [256, 256]. Empty: a linear classifier.
    public var hidden: [Int]?

    public init(
        name: String, width: Double? = nil, dropout: Double? = nil, hidden: [Int]? = nil
    ) {
        self.name = name
        self.width = width
        self.dropout = dropout
        self.hidden = hidden
    }

    enum Option: String, CaseIterable {
        case width, dropout, hidden
    }

    var given: [Option] {
        [width.map { _ in .width }, dropout.map { _ in .dropout }, hidden.map { _ in .hidden }]
            .compactMap { $0 }
    }
}
