import Diagnostics

/// Rules that turn a file's tensor names into those of a network.
///
/// The first rule whose pattern fits the whole name decides; a name that no rule fits stays as it is.
/// Names are cut at full stops. In a pattern, `*` stands for one or more characters between two
/// stops (once in each piece), and the piece `**` for one or more pieces (once in a pattern). The
/// stars of the new name take what the pattern's stars stood for, in their order. An empty
/// new name drops the tensor.
///
///     {from: "**.shortcut.*.*", to: "**.downsample.*.*"}
///     layer2.0.shortcut.1.bias → layer2.0.downsample.1.bias
public struct NameMap: Equatable, Sendable {
    public struct Rule: Codable, Equatable, Sendable {
        public var from: String
        public var to: String

        public init(_ from: String, _ to: String) { (self.from, self.to) = (from, to) }
    }

    public let name: String
    /// Cut into pieces once, because a file may have very many names.
    private let rules: [(from: Pattern, to: Pattern)]
    var ruleCount: Int { rules.count }

    public static func == (a: NameMap, b: NameMap) -> Bool {
        a.name == b.name
            && a.rules.elementsEqual(b.rules) { $0.from == $1.from && $0.to == $1.to }
    }

    private static let ruleLimit = 10_000

    /// - Parameter name: for reports: a path, or the name of a built-in map.
    /// - Throws: a `Problem` (`.data`) that names the rule which makes no sense.
    public init(name: String, rules: [Rule]) throws(Problem) {
        guard rules.count <= Self.ruleLimit else { throw .tooManyRules(name, Self.ruleLimit) }
        for (i, rule) in rules.enumerated() {
            if let fault = Self.fault(in: rule) { throw .badRule(name, i, rule.from, fault) }
        }
        self.init(unchecked: name, rules)
    }

    init(unchecked name: String, _ rules: [Rule]) {
        self.name = name
        self.rules = rules.map { (Self.pieces($0.from), Self.pieces($0.to)) }
    }

    /// The network's name for a tensor of the file; nil if a rule drops it.
    public func callAsFunction(_ name: String) -> String? { renaming(name).name }

    /// The same, and whether a rule fits.
    func renaming(_ name: String) -> (name: String?, isRuled: Bool) {
        let pieces = Self.pieces(name)
        for rule in rules {
            guard let stars = Self.fit(rule.from, pieces) else { continue }
            return (rule.to == [[]] ? nil : Self.filled(rule.to, stars), true)
        }
        return (name, false)
    }

    /// Names are compared by their bytes.
    private typealias Pattern = [[UInt8]]
    private static let star = UInt8(ascii: "*")
    private static let twoStars = [star, star]

    private static func pieces(_ name: String) -> Pattern {
        name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map(Array.init)
    }

    private static func fault(in rule: Rule) -> String? {
        guard !rule.from.isEmpty, rule.from.utf8.count <= 1024, rule.to.utf8.count <= 1024 else {
            return "an empty pattern, or more than 1024 bytes"
        }
        let from = pieces(rule.from)
        if from.count(where: { $0 == twoStars }) > 1 { return "** comes twice" }
        let hasTwo = { (piece: [UInt8]) in piece != twoStars && piece.count { $0 == star } > 1 }
        if from.contains(where: hasTwo) { return "two stars between two full stops" }
        let kinds = { (pieces: Pattern) in
            pieces.filter { $0.contains(star) }.map { $0 == twoStars }
        }
        let to = pieces(rule.to)
        if !rule.to.isEmpty, kinds(from) != kinds(to) || to.contains(where: hasTwo) {
            return "the stars of from and to differ"
        }
        return nil
    }

    /// What the stars stand for, or nil if the pattern does not fit.
    private static func fit(_ pattern: Pattern, _ pieces: Pattern) -> Pattern? {
        guard let wide = pattern.firstIndex(of: twoStars) else {
            return pattern.count == pieces.count ? stars(pattern[...], pieces[...]) : nil
        }
        let behind = pattern.count - wide - 1
        guard pieces.count > wide + behind,
            let first = stars(pattern[..<wide], pieces[..<wide]),
            let last = stars(pattern[(wide + 1)...], pieces[(pieces.count - behind)...])
        else { return nil }
        let middle = pieces[wide..<pieces.count - behind].joined(separator: [UInt8(ascii: ".")])
        return first + [Array(middle)] + last
    }

    private static func stars(
        _ pattern: ArraySlice<[UInt8]>, _ pieces: ArraySlice<[UInt8]>
    ) -> Pattern? {
        var found: Pattern = []
        for (pattern, piece) in zip(pattern, pieces) {
            guard let star = pattern.firstIndex(of: star) else {
                if pattern != piece { return nil }
                continue
            }
            let (head, tail) = (pattern[..<star], pattern[(star + 1)...])
            guard piece.count > head.count + tail.count, piece.starts(with: head),
                piece.suffix(tail.count).elementsEqual(tail)
            else { return nil }
            found.append(Array(piece.dropFirst(head.count).dropLast(tail.count)))
        }
        return found
    }

    private static func filled(_ to: Pattern, _ stars: Pattern) -> String {
        var stars = stars[...]
        let pieces = to.map { piece in
            guard let star = piece.firstIndex(of: star), let text = stars.popFirst() else {
                return piece
            }
            return piece == twoStars ? text : piece[..<star] + text + piece[(star + 1)...]
        }
        let name = Array(pieces.joined(separator: [UInt8(ascii: ".")]))
        return String(decoding: name, as: UTF8.self)
    }
}

extension NameMap {
    /// The names are the network's own.
    public static let same = NameMap(unchecked: "same", [])

    /// ResNets for CIFAR whose last layer is `linear` and whose shortcuts are `shortcut`.
    public static let linearShortcut = NameMap(
        unchecked: "linear-shortcut",
        [.init("linear.*", "fc.*"), .init("**.shortcut.*.*", "**.downsample.*.*")])

    /// ResNets for CIFAR whose stem is `conv1`, whose stages are `conv2_x` to `conv5_x`, and whose blocks
    /// are one `residual_function` each.
    public static let residualFunction = NameMap(
        unchecked: "residual-function",
        [.init("conv1.0.*", "conv1.*"), .init("conv1.1.*", "bn1.*")]
            + (2...5).flatMap { stage in
                [("0", "conv1"), ("1", "bn1"), ("3", "conv2"), ("4", "bn2")].map {
                    Rule(
                        "conv\(stage)_x.*.residual_function.\($0.0).*",
                        "layer\(stage - 1).*.\($0.1).*")
                } + [.init("conv\(stage)_x.*.shortcut.*.*", "layer\(stage - 1).*.downsample.*.*")]
            })

    /// VGG with batch norm whose convolutions, batch norms, ReLUs and pools are counted through as
    /// `features.N`, for our blocks; nil for other networks.
    ///
    /// The numbers of a stack that pools elsewhere differ, so that its names do not fit: weights
    /// are never put into a network that computes something else.
    /// - Parameters:
    ///   - wanted: the network's names.
    ///   - pooledBlocks: the blocks with a pool behind them.
    public static func features(_ wanted: [String], pooledBlocks: Set<Int>) -> NameMap? {
        let wanted = Set(wanted)
        guard wanted.contains("block0.0.weight"), wanted.contains("classifier.weight") else {
            return nil
        }
        var rules: [Rule] = []
        var at = 0
        for block in 0..<5 {
            var layer = 0
            while wanted.contains("block\(block).\(layer).weight") {
                rules.append(.init("features.\(at).*", "block\(block).\(layer).*"))
                rules.append(.init("features.\(at + 1).*", "block\(block).\(layer + 1).*"))
                at += 3
                layer += 3
            }
            if pooledBlocks.contains(block) { at += 1 }
        }
        return NameMap(unchecked: "features", rules)
    }

    /// Those that `--map` knows by name.
    public static let builtIn = ["same", "linear-shortcut", "residual-function", "features"]
}
