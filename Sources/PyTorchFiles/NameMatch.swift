import Diagnostics
import SafeTensors

/// How the tensors of a file compare with those of a network, after a name map.
public struct NameMatch: Equatable, Sendable {
    public struct Pair: Equatable, Sendable, Codable {
        /// The file's name.
        public var from: String
        /// The network's.
        public var to: String
    }

    public struct Mismatch: Equatable, Sendable, Codable {
        public var from: String
        public var to: String
        /// `[64, 3, 7, 7]`, with the element type if that is the difference.
        public var found: String
        public var expected: String
    }

    /// A tensor that a network has.
    public struct Wanted: Equatable, Sendable {
        public var name: String
        public var shape: [Int]
        public var isFloatingPoint: Bool

        public init(_ name: String, _ shape: [Int], isFloatingPoint: Bool = true) {
            (self.name, self.shape, self.isFloatingPoint) = (name, shape, isFloatingPoint)
        }
    }

    public var map: String
    /// What stood before every name and was taken off: `module.`.
    public var prefix: String
    public var matched: [Pair] = []
    /// The network has them, the file does not.
    public var missing: [String] = []
    /// The file has them, the network does not: the file's names.
    public var unexpected: [String] = []
    public var mismatched: [Mismatch] = []
    /// Dropped by a rule of the map.
    public var dropped: [String] = []
    /// Counters of batches (`num_batches_tracked`), which do not matter for the output: those the
    /// network has and the file does not stay 0, those only the file has are ignored.
    public var counters: [String] = []

    public var differences: Int { missing.count + unexpected.count + mismatched.count }

    /// What training wrappers put before every name.
    static let prefixes = ["module.", "_orig_mod."]

    /// - Throws: a `Problem` if two tensors of the file would get one name.
    public init(
        _ file: StateFile, _ wanted: [Wanted], map: NameMap
    ) throws(Problem) {
        let prefix = Self.prefix(of: file.tensors.map(\.name))
        (self.map, self.prefix) = (map.name, prefix)
        let places = Dictionary(
            wanted.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var sources: [String: String] = [:]
        for tensor in file.tensors {
            let name = String(tensor.name.dropFirst(prefix.count))
            guard let to = map(name) else {
                dropped.append(tensor.name)
                continue
            }
            guard let place = places[to] else {
                if Self.isCounter(to) {
                    counters.append(tensor.name)
                } else {
                    unexpected.append(tensor.name)
                }
                continue
            }
            if let other = sources.updateValue(tensor.name, forKey: to) {
                throw .clash(file.name, other, tensor.name, to)
            }
            if tensor.shape != place.shape {
                mismatched.append(
                    Mismatch(
                        from: tensor.name, to: to, found: "\(tensor.shape)",
                        expected: "\(place.shape)"))
            } else if tensor.dtype.isFloatingPoint != place.isFloatingPoint {
                mismatched.append(
                    Mismatch(
                        from: tensor.name, to: to, found: tensor.dtype.rawValue,
                        expected: place.isFloatingPoint
                            ? "floating-point numbers" : "whole numbers"))
            } else {
                matched.append(Pair(from: tensor.name, to: to))
            }
        }
        for place in wanted where sources[place.name] == nil {
            if Self.isCounter(place.name) {
                counters.append(place.name)
            } else {
                missing.append(place.name)
            }
        }
    }

    /// The match with the fewest differences; of equals, the first map's.
    public static func best(
        _ file: StateFile, _ wanted: [Wanted], among maps: [NameMap]
    ) throws(Problem) -> NameMatch {
        var best: NameMatch?
        for map in maps {
            let match = try NameMatch(file, wanted, map: map)
            if match.differences < best?.differences ?? .max { best = match }
        }
        return best!
    }

    private static func isCounter(_ name: String) -> Bool {
        name.split(separator: ".").last == "num_batches_tracked"
    }

    private static func prefix(of names: [String]) -> String {
        var prefix = ""
        while !names.isEmpty,
            let next = prefixes.first(where: { p in names.allSatisfy { $0.hasPrefix(prefix + p) } })
        {
            prefix += next
        }
        return prefix
    }
}

extension SafeTensorsFile.DType {
    var isFloatingPoint: Bool {
        switch self {
        case .f16, .bf16, .f32, .f64: true
        default: false
        }
    }
}
