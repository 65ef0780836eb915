import Diagnostics

/// What the generator is told of the classes: the `embeddings` part of a recipe.
///
///     embeddings: one-hot
///     embeddings: random                            # or {kind: random, dimension: 384, seed: 0}
///     embeddings: table                             # MiniLM vectors of the known data sets
///     embeddings: {kind: file, file: labels.csv}
///     embeddings: {kind: minilm, folder: minilm, prompt: "a photo of a {name}", clean: true}
///     embeddings: {kind: glove, folder: glove}
public enum EmbeddingOptions: Equatable, Hashable, Sendable {
    case oneHot
    case random(dimension: Int, seed: UInt64)
    /// Computed before, part of the program: see `LabelTable`.
    case table
    case file(String)
    /// all-MiniLM-L6-v2 in `folder`.
    case miniLM(folder: String, text: LabelPrompt)
    /// GloVe vectors in `folder`: the average over the words of a name.
    case gloVe(folder: String)

    /// As many dimensions as MiniLM gives, so that a comparison changes nothing else.
    public static let randomDimension = 384

    /// The files that the vectors come from, in a fixed order.
    public var files: [String] {
        switch self {
        case .oneHot, .random, .table: []
        case .file(let path): [path]
        case .miniLM(let folder, _): SentenceEncoder.files.map { "\(folder)/\($0)" }
        case .gloVe(let folder): GloVe.files.map { "\(folder)/\($0)" }
        }
    }

    /// The vectors of `classes`, in their order.
    ///
    /// - Throws: a `Problem` in one line: files that are missing or wrong, a class without a vector.
    public func load(classes: [String]) throws(Problem) -> LabelEmbeddings {
        switch self {
        case .oneHot: try .oneHot(classes: classes)
        case .random(let dimension, let seed):
            try .random(classes: classes, dimension: dimension, seed: seed)
        case .file(let path): try .file(path, classes: classes)
        case .table: try .table(classes: classes)
        case .miniLM(let folder, let text):
            try .miniLM(folder: folder, text: text, classes: classes)
        case .gloVe(let folder): try .gloVe(folder: folder, classes: classes)
        }
    }
}

/// The sentence that a text encoder reads for a class.
public struct LabelPrompt: Equatable, Hashable, Sendable {
    /// `{name}` stands for the class; it occurs at least once.
    public var prompt: String
    /// Whether `_` and `-` of a name become spaces. Case and everything else stay.
    public var clean: Bool

    /// The template that the paper reports as the best (after a summary of it); its code writes
    /// "a image of".
    public static let standard = LabelPrompt(prompt: "a photo of a {name}", clean: true)

    public init(prompt: String, clean: Bool) {
        self.prompt = prompt
        self.clean = clean
    }

    /// Whether the class occurs in it.
    public var isUsable: Bool { prompt.contains("{name}") }

    /// The text of one class.
    public func text(of name: String) -> String {
        var name = name
        if clean { name = String(name.map { $0 == "_" || $0 == "-" ? " " : $0 }) }
        return prompt.replacing("{name}", with: name)
    }
}

extension EmbeddingOptions: Codable {
    enum Kind: String, Codable, CaseIterable {
        case oneHot = "one-hot"
        case random, table, file, minilm, glove
    }

    private enum Keys: String, CodingKey {
        case kind, dimension, seed, file, folder, prompt, clean
    }

    var kind: Kind {
        switch self {
        case .oneHot: .oneHot
        case .random: .random
        case .table: .table
        case .file: .file
        case .miniLM: .minilm
        case .gloVe: .glove
        }
    }

    public init(from decoder: any Decoder) throws {
        guard let values = try? decoder.container(keyedBy: Keys.self) else {
            switch try decoder.singleValueContainer().decode(Kind.self) {
            case .oneHot: self = .oneHot
            case .random: self = .random(dimension: Self.randomDimension, seed: 0)
            case .table: self = .table
            case let kind: throw Problem.needsMapping(Self.path(decoder.codingPath), kind)
            }
            return
        }
        func path(_ key: Keys) -> String { Self.path(values.codingPath + [key]) }
        switch try values.decode(Kind.self, forKey: .kind) {
        case .oneHot: self = .oneHot
        case .table: self = .table
        case .random:
            let dimension =
                try values.decodeIfPresent(Int.self, forKey: .dimension) ?? Self.randomDimension
            guard (1...LabelEmbeddings.largestDimension).contains(dimension) else {
                throw Problem.outOfRange(
                    path(.dimension), found: "\(dimension)",
                    expected: "1 to \(LabelEmbeddings.largestDimension)")
            }
            self = .random(
                dimension: dimension,
                seed: try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0)
        case .file: self = .file(try values.decode(String.self, forKey: .file))
        case .minilm:
            let standard = LabelPrompt.standard
            let text = LabelPrompt(
                prompt: try values.decodeIfPresent(String.self, forKey: .prompt) ?? standard.prompt,
                clean: try values.decodeIfPresent(Bool.self, forKey: .clean) ?? standard.clean)
            guard text.isUsable else {
                throw Problem.promptWithoutName(path(.prompt), text.prompt)
            }
            self = .miniLM(
                folder: try values.decode(String.self, forKey: .folder), text: text)
        case .glove: self = .gloVe(folder: try values.decode(String.self, forKey: .folder))
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map(\.stringValue).joined(separator: ".")
    }

    public func encode(to encoder: any Encoder) throws {
        if self == .oneHot || self == .table {
            var value = encoder.singleValueContainer()
            return try value.encode(kind.rawValue)
        }
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(kind, forKey: .kind)
        switch self {
        case .oneHot, .table: break
        case .random(let dimension, let seed):
            try values.encode(dimension, forKey: .dimension)
            try values.encode(seed, forKey: .seed)
        case .file(let path): try values.encode(path, forKey: .file)
        case .miniLM(let folder, let text):
            try values.encode(folder, forKey: .folder)
            try values.encode(text.prompt, forKey: .prompt)
            try values.encode(text.clean, forKey: .clean)
        case .gloVe(let folder): try values.encode(folder, forKey: .folder)
        }
    }
}
