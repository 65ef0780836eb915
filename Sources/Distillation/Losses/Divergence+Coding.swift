import Diagnostics

// In a recipe: `divergence: kl`, or `divergence: {name: renyi, order: 1.5}`.

/// A word, or a mapping with `name` and that name's parameters: how a recipe names a loss.
enum NamedLoss {
    /// - Returns: the name, and where its parameters stand if there are any.
    static func decode<Name: Decodable, Keys: CodingKey>(
        _ name: Name.Type, _ key: Keys, from decoder: any Decoder
    ) throws -> (name: Name, parameters: KeyedDecodingContainer<Keys>?) {
        guard let values = try? decoder.container(keyedBy: Keys.self) else {
            return (try decoder.singleValueContainer().decode(Name.self), nil)
        }
        return (try values.decode(Name.self, forKey: key), values)
    }

    /// A number in `range` (said in words for the reader), or the default if it is not given.
    static func number<Keys: CodingKey>(
        _ key: Keys, or standard: Double, in values: KeyedDecodingContainer<Keys>?,
        _ expected: String, where isValid: (Double) -> Bool
    ) throws -> Double {
        guard let number = try values?.decodeIfPresent(Double.self, forKey: key) else {
            return standard
        }
        guard isValid(number) else {
            let path = ((values?.codingPath ?? []) + [key]).map(\.stringValue)
            throw Problem.outOfRange(
                path.joined(separator: "."), found: "\(number)", expected: expected)
        }
        return number
    }
}

extension Divergence: Codable {
    enum Name: String, Codable, CaseIterable {
        case kl
        case reverseKL = "reverse-kl"
        case jensenShannon = "jensen-shannon"
        case renyi
    }
    private enum Keys: String, CodingKey { case name, order, weight }

    /// The default order, 2, is that of the authors' code; the default weight ½.
    public init(from decoder: any Decoder) throws {
        let (name, values) = try NamedLoss.decode(Name.self, Keys.name, from: decoder)
        switch name {
        case .kl: self = .kl
        case .reverseKL: self = .reverseKL
        case .jensenShannon:
            self = .jensenShannon(
                weight: try NamedLoss.number(
                    .weight, or: 0.5, in: values, "above 0 and below 1"
                ) { $0 > 0 && $0 < 1 })
        case .renyi:
            self = .renyi(
                order: try NamedLoss.number(.order, or: 2, in: values, "0 or more (.inf too)") {
                    $0 >= 0
                })
        }
    }

    var name: Name {
        switch self {
        case .kl: .kl
        case .reverseKL: .reverseKL
        case .jensenShannon: .jensenShannon
        case .renyi: .renyi
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .kl, .reverseKL:
            var value = encoder.singleValueContainer()
            try value.encode(name.rawValue)
        case .jensenShannon(let weight):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(name, forKey: .name)
            try values.encode(weight, forKey: .weight)
        case .renyi(let order):
            var values = encoder.container(keyedBy: Keys.self)
            try values.encode(name, forKey: .name)
            try values.encode(order, forKey: .order)
        }
    }
}
