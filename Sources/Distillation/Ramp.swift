import Diagnostics
import Foundation

/// A number that changes from epoch to epoch: the weight of a term, the order of a divergence.
///
/// In a recipe a plain number, which is constant, or `{kind: cosine, from: 2, to: 0.5, over: 10}`:
/// from `from` in the first epoch to `to` after `over` epochs (all of the phase's, if not given), then
/// constant. With t = epoch / over, at most 1:
///
///     linear     from + (to − from) t
///     cosine     to + (from − to)(1 + cos πt)/2
///     geometric  from (to/from)^t, both above 0: a constant factor per epoch
public struct Ramp: Equatable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable { case linear, cosine, geometric }

    public var kind: Kind
    public var from: Double
    public var to: Double
    /// Epochs, at least 1; nil: all of the phase's.
    public var over: Int?

    public init(_ kind: Kind, from: Double, to: Double, over: Int? = nil) {
        self.kind = kind
        self.from = from
        self.to = to
        self.over = over
    }

    public init(_ constant: Double) { self.init(.linear, from: constant, to: constant) }

    public var isConstant: Bool { from == to }

    /// - Parameter epoch: counted from 0.
    public func value(epoch: Int, of epochs: Int) -> Double {
        // Also keeps a constant ∞ what it is.
        if isConstant { return from }
        let t = min(1, Double(epoch) / Double(max(1, over ?? epochs)))
        switch kind {
        case .linear: return from + (to - from) * t
        case .cosine: return to + (from - to) * (1 + cos(.pi * t)) / 2
        case .geometric: return from * pow(to / from, t)
        }
    }

    /// Refuses values outside `range`, which the words describe; `key` is the key path.
    package func check(_ key: String, _ expected: String, where isValid: (Double) -> Bool)
        throws(Problem)
    {
        for value in [from, to] where !isValid(value) {
            throw .outOfRange(key, found: "\(value)", expected: expected)
        }
        if !isConstant, !(from.isFinite && to.isFinite) {
            throw .outOfRange(key, found: "\(from) to \(to)", expected: "finite ends")
        }
        if kind == .geometric, !isConstant, !(from > 0 && to > 0) {
            throw .outOfRange(key, found: "\(from) to \(to)", expected: "both above 0 (geometric)")
        }
        if let over, !(1...100_000).contains(over) {
            throw .outOfRange("\(key).over", found: "\(over)", expected: "1 to 100000")
        }
    }
}

extension Ramp: Codable {
    private enum Keys: String, CodingKey { case kind, from, to, over }

    public init(from decoder: any Decoder) throws {
        if let number = try? decoder.singleValueContainer().decode(Double.self) {
            self.init(number)
            return
        }
        let values = try decoder.container(keyedBy: Keys.self)
        self.init(
            try values.decodeIfPresent(Kind.self, forKey: .kind) ?? .linear,
            from: try values.decode(Double.self, forKey: .from),
            to: try values.decode(Double.self, forKey: .to),
            over: try values.decodeIfPresent(Int.self, forKey: .over))
    }

    public func encode(to encoder: any Encoder) throws {
        if isConstant {
            var value = encoder.singleValueContainer()
            return try value.encode(from)
        }
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(from, forKey: .from)
        try values.encode(to, forKey: .to)
        try values.encodeIfPresent(over, forKey: .over)
    }
}
