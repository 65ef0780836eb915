import Foundation

/// A value of JSON whose type only its writer knows, such as what an objective keeps in a checkpoint;
/// and the one place that writes and reads JSON.
///
/// Members are sorted by name and slashes stand as they are, so that equal values have equal bytes.
/// JSON has no number for what is not finite: the words `inf`, `-inf` and `nan` stand for it, and are
/// read back.
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
        self = try JSON.read(JSON.self, JSON.encoder().encode(value))
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
        try JSON.read(type, JSON.text(self))
    }
}

extension JSON {
    /// `value` without any space or line break.
    public static func text(_ value: some Encodable) -> [UInt8] {
        // Only numbers that are not finite could fail, and they have their words.
        Array(try! encoder().encode(value))
    }

    /// The same with a line feed at its end.
    public static func line(_ value: some Encodable) -> [UInt8] { text(value) + [10] }

    /// The content of a file that people read too: indented, with a line feed at its end.
    public static func file(_ value: some Encodable) -> [UInt8] {
        let encoder = encoder()
        encoder.outputFormatting.insert(.prettyPrinted)
        return Array(try! encoder.encode(value)) + [10]
    }

    /// - Throws: `DecodingError`, or what the initialiser of `Value` throws.
    public static func read<Value: Decodable>(
        _ type: Value.Type, _ bytes: some Sequence<UInt8>
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: Data(bytes))
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }
}
