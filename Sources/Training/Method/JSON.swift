import Foundation

/// A value of JSON whose type only its writer knows: what an objective keeps in a checkpoint.
public enum JSON: Codable, Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    /// - Throws: if `value` cannot be written as JSON.
    public init(_ value: some Encodable) throws {
        self = try jsonDecoder().decode(JSON.self, from: Data(jsonLine(value)))
    }

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let found = try? value.decode(Bool.self) {
            self = .bool(found)
        } else if let found = try? value.decode(Int.self) {
            self = .int(found)
        } else if let found = try? value.decode(String.self) {
            // Before numbers: the decoder would read the words for what is not finite.
            self = .text(found)
        } else if let found = try? value.decode(Double.self) {
            self = .number(found)
        } else if let found = try? value.decode([JSON].self) {
            self = .list(found)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let own): try value.encode(own)
        case .int(let own): try value.encode(own)
        case .number(let own): try value.encode(own)
        case .text(let own): try value.encode(own)
        case .list(let own): try value.encode(own)
        case .object(let own): try value.encode(own)
        }
    }

    /// The value as its writer had it.
    public func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try jsonDecoder().decode(type, from: Data(jsonLine(self)))
    }
}
