import Diagnostics
import Models
import Neural

/// Who learns together in `mutual`: `peers: 3`, or one entry for each,
/// `peers: [{model: {name: lenet5}}, {model: {name: mlp}, optimizer: {kind: adam, learning-rate: 0.001}}]`.
public struct PeersOptions: Codable, Equatable, Sendable {
    /// One peer; what it does not say is the recipe's.
    public struct Peer: Codable, Equatable, Sendable {
        public var model: ModelSpec?
        public var optimizer: OptimizerOptions?
        public var schedule: Schedule?

        public init(
            model: ModelSpec? = nil, optimizer: OptimizerOptions? = nil, schedule: Schedule? = nil
        ) {
            self.model = model
            self.optimizer = optimizer
            self.schedule = schedule
        }
    }

    /// 2 to 16.
    public var each: [Peer]
    /// Every peer has an annotator of its own: the recipe's label noise drawn anew for the training
    /// labels of each peer but the first. Validation labels are the same for all.
    public var noisePerPeer: Bool

    public init(_ count: Int = 2, noisePerPeer: Bool = false) {
        each = Array(repeating: Peer(), count: count)
        self.noisePerPeer = noisePerPeer
    }

    private enum Keys: String, CodingKey {
        case peers
        case noisePerPeer = "noise-per-peer"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        self.init()
        if values.contains(.peers) {
            if let count = try? values.decode(Int.self, forKey: .peers) {
                try PeersOptions.check(count)
                self.init(count)
            } else {
                each = try values.decode([Peer].self, forKey: .peers)
                try PeersOptions.check(each.count)
            }
        }
        noisePerPeer = try values.decodeIfPresent(Bool.self, forKey: .noisePerPeer) ?? false
    }

    /// Two networks that are trained on the same labels, for methods of exactly such a pair.
    init(pairFrom decoder: any Decoder) throws {
        try self.init(from: decoder)
        guard each.count == 2 else {
            throw Problem.outOfRange(
                "method.peers", found: "\(each.count)", expected: "2 peers")
        }
        guard !noisePerPeer else {
            throw Problem.outOfRange(
                "method.noise-per-peer", found: "true",
                expected: "false: both networks have the same labels")
        }
    }

    private static func check(_ count: Int) throws(Problem) {
        guard (2...16).contains(count) else {
            throw .outOfRange("method.peers", found: "\(count)", expected: "2 to 16 peers")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        if each.allSatisfy({ $0 == Peer() }) {
            try values.encode(each.count, forKey: .peers)
        } else {
            try values.encode(each, forKey: .peers)
        }
        try values.encode(noisePerPeer, forKey: .noisePerPeer)
    }
}

extension PeersOptions {
    /// The network of each.
    public func models(in recipe: Recipe) -> [ModelSpec] { each.map { $0.model ?? recipe.model } }
}
