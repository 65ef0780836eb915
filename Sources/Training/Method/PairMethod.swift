import Diagnostics
import Models

/// A method of exactly two networks that learn side by side from the same labels: options of its own, and
/// who learns. What all of them share is here; targets and objectives are theirs.
public protocol PairMethod: Method {
    associatedtype Options: Codable
    var options: Options { get }
    var peers: PeersOptions { get }
    init(_ options: Options, peers: PeersOptions)
}

extension PairMethod {
    public init(from decoder: any Decoder) throws {
        self.init(try Options(from: decoder), peers: try PeersOptions(pairFrom: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        try options.encode(to: encoder)
        try peers.encode(to: encoder)
    }

    public func students(_ recipe: Recipe) -> [ModelSpec] { peers.models(in: recipe) }

    public func check(_ recipe: Recipe) throws(Problem) { try recipe.check(peers) }
}
