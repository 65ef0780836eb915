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

    /// Tensors that a rule of the map fits.
    public var ruled = 0

    public var differences: Int { missing.count + unexpected.count + mismatched.count }

    /// - Parameter prefix: taken off those of the file's names that begin with it.
    /// - Throws: a `Problem` if two tensors of the file would get one name.
    init(
        _ file: StateFile, _ wanted: [Wanted], map: NameMap, prefix: String
    ) throws(Problem) {
        (self.map, self.prefix) = (map.name, prefix)
        let places = Dictionary(
            wanted.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var sources: [String: String] = [:]
        for tensor in file.tensors {
            let (new, isRuled) = map.renaming(Self.without(prefix, tensor.name))
            if isRuled { ruled += 1 }
            guard let to = new else {
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

    /// The match with the fewest differences, over the maps and over what can be taken off the
    /// names.
    ///
    /// Of equals, the one of the first map counts, and what training wrappers put before the names
    /// is taken off. Where a map of the user's has rules that fit some name, only such matches count,
    /// and of equals the one with the most: the map may be written for the names in the file or for
    /// those that are left without a prefix.
    public static func best(
        _ file: StateFile, _ wanted: [Wanted], among maps: [NameMap], isUsers: Bool = false
    ) throws(Problem) -> NameMatch {
        var best: NameMatch?
        var failure: Problem?
        for map in maps {
            // Every rule is tried on every name, first to find the prefixes, then with each of them.
            let work = map.ruleCount * file.tensors.count
            let prefixes = work > mostWork ? [""] : Self.prefixes(file.tensors.map(\.name), map)
            guard work * prefixes.count <= mostWork else {
                // No network that a built-in map is for has so many tensors.
                guard isUsers else { continue }
                throw .tooManyRules(map.name, mostWork / (file.tensors.count * prefixes.count))
            }
            for prefix in prefixes {
                let match: NameMatch
                do throws(Problem) {
                    match = try NameMatch(file, wanted, map: map, prefix: prefix)
                } catch {
                    failure = failure ?? error
                    continue
                }
                if best.map({ match.isBetter(than: $0, isUsers: isUsers) }) ?? true { best = match }
                // Nothing that follows could be better.
                if !isUsers, match.differences == 0 { return match }
            }
        }
        if let best { return best }
        throw failure ?? .noMap(file.name)
    }

    private func isBetter(than other: NameMatch, isUsers: Bool) -> Bool {
        if isUsers, (ruled > 0) != (other.ruled > 0) { return ruled > 0 }
        if differences != other.differences { return differences < other.differences }
        return isUsers && ruled > other.ruled
    }

    /// What training wrappers put before every name.
    private static let wrappers: Set<Substring> = ["module", "_orig_mod"]
    /// Rules times names: a few seconds.
    private static let mostWork = 20_000_000
    /// Deeper nesting than this is not looked for.
    private static let mostPieces = 8

    /// What could come off: the first pieces that all names share, as many as there are. First those
    /// of training wrappers, then nothing, then the others. Names that the map drops do not count.
    static func prefixes(_ names: [String], _ map: NameMap) -> [String] {
        var common: [Substring]?
        for name in names where map(name) != nil {
            // The last piece is the tensor's own.
            let pieces = name.split(
                separator: ".", maxSplits: mostPieces, omittingEmptySubsequences: false
            ).dropLast()
            common = common.map { zip($0, pieces).prefix { $0 == $1 }.map(\.0) } ?? Array(pieces)
            if common?.isEmpty == true { break }
        }
        let pieces = common ?? []
        let wrapped = pieces.prefix { wrappers.contains($0) }.count
        let counts = [wrapped] + (0...pieces.count).filter { $0 != wrapped }
        return counts.map { count in pieces.prefix(count).map { $0 + "." }.joined() }
    }

    private static func without(_ prefix: String, _ name: String) -> String {
        guard !prefix.isEmpty, name.utf8.starts(with: prefix.utf8) else { return name }
        return String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    private static func isCounter(_ name: String) -> Bool {
        name == "num_batches_tracked" || name.hasSuffix(".num_batches_tracked")
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
