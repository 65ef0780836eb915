import Diagnostics
import Files
import Foundation
import Yams

/// A recipe file as a tree of YAML, before it becomes a `Recipe`: where `--set` and grids change it.
public struct RecipeFile {
    /// The path as the user wrote it, for messages.
    public let file: String
    private var root: Node
    /// Where its method is looked up.
    private let methods: MethodRegistry

    /// Far above any real recipe; hostile ones are refused before they are parsed.
    static let sizeLimit = 256 << 10
    static let depthLimit = 40
    /// Aliases multiply: a few lines of them can stand for more values than memory holds.
    static let aliasLimit = 16
    /// Of a recipe with its aliases written out; without aliases the size bounds the values.
    static let nodeLimit = 200_000

    /// - Parameter methods: a program with methods of its own adds them here.
    public init(path: String, methods: MethodRegistry = .standard) throws(Problem) {
        let text = try readText(path, limit: RecipeFile.sizeLimit)
        try self.init(text: text, file: path, methods: methods)
    }

    public init(bytes: [UInt8], file: String) throws(Problem) {
        try self.init(text: try Files.text(of: bytes, file: file), file: file)
    }

    public init(
        text: String, file: String, methods: MethodRegistry = .standard
    ) throws(Problem) {
        self.file = file
        self.methods = methods
        guard text.utf8.count <= RecipeFile.sizeLimit else { throw .recipeTooLarge(file) }
        guard let node = try RecipeFile.composed(text, file: file) else { throw .recipeEmpty(file) }
        guard case .mapping = node else { throw .recipeNotMapping(file) }
        root = node
    }

    /// The text as a tree, or nil if there is nothing in it.
    private static func composed(_ text: String, file: String) throws(Problem) -> Node? {
        let text = RecipeText(text, file: file)
        try text.check()
        return try text.composed()
    }

    /// Runs `body`; a problem of it that names only a key path of this file gets file and line.
    public func placing<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let problem as Problem {
            guard problem.place?.file == nil, let path = problem.place?.detail.first,
                let key = path.split(whereSeparator: { $0 == "." || $0 == "[" }).first,
                has(String(key))
            else { throw problem }
            var placed = problem
            var names: [Substring] = path.split(separator: ".")
            var line: Int?
            var node: Node? = root
            while let name = names.first, case .mapping(let mapping)? = node,
                let (key, value) = mapping.first(where: { $0.key.string == String(name) })
            {
                line = key.mark?.line ?? line
                node = value
                names.removeFirst()
            }
            placed.place = Problem.Place(
                file: file, detail: (line.map { ["line \($0)"] } ?? []) + problem.place!.detail)
            throw placed
        }
    }

    /// Decodes the whole file as `type`.
    public func decoded<Value: Decodable>(_ type: Value.Type) throws(Problem) -> Value {
        let whole = try root.withPresets(methods, file: file)
        return try StrictDecoder(file: file, methods: methods).decode(type, from: whole)
    }

    /// Whether the file has this key at its top level.
    public func has(_ key: String) -> Bool { root.mapping?[key] != nil }

    /// The word at a key path, if there is one.
    public func word(_ path: String...) -> String? {
        path.reduce(root as Node?) { $0?.mapping?[$1] }?.string
    }

    /// The file without some of its top-level keys.
    public func without(_ keys: String...) -> RecipeFile {
        var copy = self
        guard let mapping = root.mapping else { return self }
        copy.root = .mapping(
            .init(mapping.filter { !keys.contains($0.key.string ?? "") }.map { ($0.key, $0.value) })
        )
        return copy
    }

    /// The value at a top-level key, as a file of its own.
    public func part(_ key: String) -> Node? { root.mapping?[key] }

    /// Sets `key.path=value`; the value is read as YAML, so that numbers, words and lists work.
    public func setting(_ assignment: String) throws(Problem) -> RecipeFile {
        guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
            throw .notAssignment(assignment)
        }
        let value = String(assignment[assignment.index(after: equals)...])
        // Nothing would silently be the default.
        guard value.utf8.count < 65_536, !value.allSatisfy(\.isWhitespace),
            let node = try? RecipeFile.composed(value, file: "--set") ?? Node("")
        else { throw .notAssignment(assignment) }
        return try setting(String(assignment[..<equals]), to: node.unmarked)
    }

    public func setting(_ keyPath: String, to value: Node) throws(Problem) -> RecipeFile {
        guard isKeyPath(keyPath) else { throw .notAssignment(keyPath) }
        let path = keyPath.split(separator: ".").map(String.init)
        var copy = self
        copy.root = RecipeFile.set(path[...], to: value, in: root)
        return copy
    }

    /// Whether a word names a place in a recipe: keys with full stops between them.
    func isKeyPath(_ word: String) -> Bool {
        let path = word.split(separator: ".", omittingEmptySubsequences: false)
        return !path.contains("") && path.count <= RecipeFile.depthLimit
            && path.allSatisfy { NameRule.fault(in: $0) == nil }
    }

    /// Every value of `other`, laid over this file's.
    public func merging(_ other: Node) throws(Problem) -> RecipeFile {
        var copy = self
        copy.root = RecipeFile.merge(other, over: root)
        return copy
    }

    static func merge(_ new: Node, over old: Node) -> Node {
        guard case .mapping(let changes) = new, case .mapping(let mapping) = old else { return new }
        // A mapping of Yams searches its keys one by one, which takes too long in a file of many.
        var pairs = mapping.map { ($0.key, $0.value) }
        var places = Dictionary(
            pairs.indices.map { (pairs[$0].0.string ?? "", $0) }, uniquingKeysWith: { $1 })
        for (key, value) in changes {
            if let place = places[key.string ?? ""] {
                pairs[place].1 = merge(value, over: pairs[place].1)
            } else {
                places[key.string ?? ""] = pairs.count
                pairs.append((key, value))
            }
        }
        return .mapping(.init(pairs))
    }

    private static func set(_ path: ArraySlice<String>, to value: Node, in node: Node?) -> Node {
        guard let key = path.first else { return value }
        var mapping = node?.mapping ?? Node.Mapping([])
        mapping[Node(key)] = set(path.dropFirst(), to: value, in: mapping[key])
        return .mapping(mapping)
    }
}

extension Node {
    /// Without line numbers: they would point into another text than the recipe.
    var unmarked: Node {
        switch self {
        case .scalar(let scalar): .scalar(.init(scalar.string, scalar.tag, scalar.style))
        case .sequence(let list): .sequence(.init(list.map(\.unmarked)))
        case .mapping(let mapping):
            .mapping(.init(mapping.map { ($0.key.unmarked, $0.value.unmarked) }))
        case .alias: self
        }
    }
}

extension RecipeFile {
    /// Sets a key to a word as it is, however it would read as YAML.
    public func setting(_ keyPath: String, word: String) throws(Problem) -> RecipeFile {
        try setting(keyPath, to: Node(word, Tag(.str), .doubleQuoted))
    }

    /// Sets a key to a list of words as they are.
    public func setting(_ keyPath: String, words: [String]) throws(Problem) -> RecipeFile {
        try setting(
            keyPath, to: Node.sequence(.init(words.map { Node($0, Tag(.str), .doubleQuoted) })))
    }
}
