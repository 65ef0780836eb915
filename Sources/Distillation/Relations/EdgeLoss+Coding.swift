import Diagnostics

// In a recipe: `edge: mse`, `edge: {name: softmax, encoder-temperature: 0.1}`.

extension EdgeLoss: Codable {
    enum Name: String, Codable, CaseIterable {
        case softmax, plain, mse, distance, rkd, sp, cc, pkt, queue, neighbours
    }
    private enum Keys: String, CodingKey {
        case name, distance, angle, scale, gamma, size, count, temperature
        case encoder = "encoder-temperature"
        case student = "student-temperature"
    }

    /// What a recipe calls it.
    public var name: String { code.rawValue }

    private var code: Name {
        switch self {
        case .softmax: .softmax
        case .plain: .plain
        case .mse: .mse
        case .distance: .distance
        case .rkd: .rkd
        case .similarity: .sp
        case .correlation: .cc
        case .probabilistic: .pkt
        case .queue: .queue
        case .neighbours: .neighbours
        }
    }

    public init(from decoder: any Decoder) throws {
        let (name, values) = try NamedLoss.decode(Name.self, Keys.name, from: decoder)
        func positive(_ key: Keys, _ standard: Double) throws -> Double {
            try NamedLoss.number(key, or: standard, in: values, "above 0") { $0 > 0 && $0.isFinite }
        }
        func whole(_ key: Keys, _ standard: Int, _ range: ClosedRange<Int>) throws -> Int {
            guard let found = try values?.decodeIfPresent(Int.self, forKey: key) else {
                return standard
            }
            guard range.contains(found) else {
                let path = ((values?.codingPath ?? []) + [key]).map(\.stringValue)
                throw Problem.outOfRange(
                    path.joined(separator: "."), found: "\(found)",
                    expected: "\(range.lowerBound) to \(range.upperBound)")
            }
            return found
        }
        switch name {
        case .softmax:
            self = .softmax(
                encoder: try positive(.encoder, 0.1), student: try positive(.student, 0.2))
        case .plain: self = .plain
        case .mse: self = .mse
        case .distance: self = .distance
        case .rkd:
            let distance = try NamedLoss.number(Keys.distance, or: 25, in: values, "0 or more") {
                $0 >= 0 && $0.isFinite
            }
            let expected = distance > 0 ? "0 or more" : "above 0, as distance is 0"
            self = .rkd(
                distance: distance,
                angle: try NamedLoss.number(Keys.angle, or: 50, in: values, expected) {
                    $0 >= 0 && $0.isFinite && distance + $0 > 0
                })
        case .sp: self = .similarity(scale: try positive(.scale, 3000))
        case .cc: self = .correlation(gamma: try positive(.gamma, 0.4))
        case .pkt: self = .probabilistic(scale: try positive(.scale, 3e4))
        case .queue:
            self = .queue(
                size: try whole(.size, 4096, 1...65_536), encoder: try positive(.encoder, 0.07),
                student: try positive(.student, 0.2))
        case .neighbours:
            self = .neighbours(
                count: try whole(.count, 10, 1...1000), temperature: try positive(.temperature, 1))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .plain, .mse, .distance:
            var value = encoder.singleValueContainer()
            return try value.encode(name)
        default: break
        }
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(name, forKey: .name)
        switch self {
        case .plain, .mse, .distance: break
        case .softmax(let own, let student):
            try values.encode(own, forKey: .encoder)
            try values.encode(student, forKey: .student)
        case .rkd(let distance, let angle):
            try values.encode(distance, forKey: .distance)
            try values.encode(angle, forKey: .angle)
        case .similarity(let scale), .probabilistic(let scale):
            try values.encode(scale, forKey: .scale)
        case .correlation(let gamma): try values.encode(gamma, forKey: .gamma)
        case .queue(let size, let own, let student):
            try values.encode(size, forKey: .size)
            try values.encode(own, forKey: .encoder)
            try values.encode(student, forKey: .student)
        case .neighbours(let count, let temperature):
            try values.encode(count, forKey: .count)
            try values.encode(temperature, forKey: .temperature)
        }
    }
}
