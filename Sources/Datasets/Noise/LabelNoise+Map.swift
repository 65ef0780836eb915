import Diagnostics

extension LabelNoise {
    /// Where the classes of asymmetric noise go: a named map, or one of the user's own.
    ///
    /// In a recipe a name (`map: cifar10`) or pairs (`map: {truck: automobile, 2: 0}`). Classes not
    /// named stay clean.
    public enum Map: Equatable, Sendable {
        /// truck → automobile, bird → airplane, deer → horse, cat ↔ dog (Patrini et al. 2017).
        case cifar10
        /// Each fine class → the next fine id of its true super-class, circular.
        case cifar100Superclass
        /// Each fine class → the next of its block {0–4}, {5–9}, …, circular. What several
        /// published code bases do, although these blocks are unrelated classes.
        case cifar100Blocks
        /// 7 → 1, 2 → 7, 3 → 8, 5 ↔ 6.
        case mnist
        /// T-shirt ↔ shirt, pullover ↔ coat, sandal → sneaker, sneaker → ankle boot: our choice of
        /// look-alikes, no paper's.
        case fashionMNIST
        /// From class to class, each a class name or a number.
        case explicit([String: String])

        static let named: [(name: String, map: Map)] = [
            ("cifar10", .cifar10), ("cifar100-superclass", .cifar100Superclass),
            ("cifar100-blocks", .cifar100Blocks), ("mnist", .mnist),
            ("fashion-mnist", .fashionMNIST),
        ]

        static var names: [String] { named.map(\.name) }

        /// The name in a recipe; `explicit` for the user's own.
        public var name: String { Map.named.first { $0.map == self }?.name ?? "explicit" }
    }

    /// CIFAR-100's super-class of each fine class.
    static let coarse = [
        4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11, 6, 11, 5, 10, 7, 6, 13,
        15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5, 5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4,
        17, 4, 2, 0, 17, 4, 18, 17, 10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13,
        15, 13, 16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13,
    ]
}

extension LabelNoise.Map: Codable {
    /// A class in a recipe: a number or a name.
    private struct Token: Codable {
        var text: String

        init(text: String) { self.text = text }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let number = Int(text), String(number) == text {
                try container.encode(number)
            } else {
                try container.encode(text)
            }
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let pairs = try? container.decode([String: Token].self) {
            self = .explicit(pairs.mapValues(\.text))
            return
        }
        let word = try container.decode(String.self)
        guard let map = Self.named.first(where: { $0.name == word })?.map else {
            let problem = Problem.unknownNoiseMap(word)
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: container.codingPath, debugDescription: problem.description,
                    underlyingError: problem))
        }
        self = map
    }

    public func encode(to encoder: any Encoder) throws {
        guard case .explicit(let pairs) = self else {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        // In a fixed order: a dictionary's own changes from process to process, and with it the bytes
        // of a resolved recipe.
        var container = encoder.container(keyedBy: ClassKey.self)
        for (source, target) in pairs.sorted(by: { $0.key < $1.key }) {
            try container.encode(Token(text: target), forKey: ClassKey(stringValue: source))
        }
    }

    /// The class that a pair of the map starts from.
    private struct ClassKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension LabelNoise.Map {
    /// The target of each class, itself where the class stays clean. Length `classCount`.
    /// Throws where the map belongs to another number of classes or names no class of this data.
    func targets(classCount: Int, classNames: [String]?) throws(Problem) -> [Int] {
        var targets = Array(0..<classCount)
        func check(_ expected: Int) throws(Problem) {
            guard classCount == expected else {
                throw .noiseMap(name, needs: expected, has: classCount)
            }
        }
        switch self {
        case .cifar10:
            try check(10)
            for (from, to) in [(9, 1), (2, 0), (4, 7), (3, 5), (5, 3)] { targets[from] = to }
        case .mnist:
            try check(10)
            for (from, to) in [(7, 1), (2, 7), (3, 8), (5, 6), (6, 5)] { targets[from] = to }
        case .fashionMNIST:
            try check(10)
            for (from, to) in [(0, 6), (6, 0), (2, 4), (4, 2), (5, 7), (7, 9)] {
                targets[from] = to
            }
        case .cifar100Blocks:
            try check(100)
            for fine in 0..<100 { targets[fine] = fine / 5 * 5 + (fine + 1) % 5 }
        case .cifar100Superclass:
            try check(100)
            for group in 0..<20 {
                let members = (0..<100).filter { LabelNoise.coarse[$0] == group }
                for (i, fine) in members.enumerated() {
                    targets[fine] = members[(i + 1) % members.count]
                }
            }
        case .explicit(let pairs):
            guard !pairs.isEmpty else { throw .emptyNoiseMap }
            let classes = ClassReader(
                classCount: classCount, classNames: classNames,
                words: pairs.flatMap { [$0.key, $0.value] })
            var seen: Set<Int> = []
            // Sorted, so that of several mistakes the same one is told each time.
            for (from, to) in pairs.sorted(by: { $0.key < $1.key }) {
                guard let a = classes[from] else { throw .noiseMapClass(from, from, classes) }
                guard let b = classes[to] else { throw .noiseMapClass(from, to, classes) }
                guard a != b else { throw .noiseMapIdentity(from) }
                guard seen.insert(a).inserted else { throw .noiseMapTwice(from, a) }
                targets[a] = b
            }
        }
        return targets
    }
}
