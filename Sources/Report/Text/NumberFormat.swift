/// How a number is written: in the cells of a heat map and in tables of values.
public enum NumberFormat: Equatable, Sendable {
    case count
    /// So many digits after the point.
    case decimal(Int)
    /// Times 100, with so many digits, without the sign.
    case percent(Int)

    /// `value` as the format asks for it.
    public func text(_ value: Double) -> String {
        switch self {
        case .count: value == value.rounded() ? Numbers.fixed(value, 0) : Numbers.compact(value)
        case .decimal(let digits): Numbers.fixed(value, digits)
        case .percent(let digits): Numbers.fixed(value * 100, digits)
        }
    }

    /// Mean and standard deviation in the same way: `71.2 ± 0.4`. A count that is the same every time
    /// stands alone.
    public func text(_ estimate: Estimate) -> String {
        let mean = text(estimate.mean)
        guard let sd = estimate.sd, sd.isFinite, self != .count || sd > 0 else { return mean }
        return mean + " ± " + text(sd)
    }

    public var isPercent: Bool { if case .percent = self { true } else { false } }
}

/// In JSON a word: `count`, `decimal 2`, `percent 1`.
extension NumberFormat: Codable {
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        let words = try value.decode(String.self).split(separator: " ")
        let digits = words.count == 2 ? Int(words[1]) : nil
        switch (words.first, digits) {
        case ("count", nil) where words.count == 1: self = .count
        case ("decimal", let digits?): self = .decimal(digits)
        case ("percent", let digits?): self = .percent(digits)
        default:
            throw DecodingError.dataCorruptedError(
                in: value, debugDescription: "not count, decimal N or percent N")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .count: try value.encode("count")
        case .decimal(let digits): try value.encode("decimal \(digits)")
        case .percent(let digits): try value.encode("percent \(digits)")
        }
    }
}
