import Diagnostics
import Files
import Foundation
import Yams

/// A recipe file as a tree of YAML, before it becomes a `Recipe`: where `--set` and grids change it.
public struct RecipeFile {
    /// The path as the user wrote it, for messages.
    public let file: String
    private var root: Node

    /// Far above any real recipe; hostile ones are refused before they are parsed.
    static let sizeLimit = 256 << 10
    static let depthLimit = 40
    /// Aliases multiply: a few lines of them can stand for more values than memory holds.
    static let aliasLimit = 16
    static let nodeLimit = 1_000_000

    public init(path: String) throws(Problem) {
        try self.init(bytes: try readFile(path, limit: RecipeFile.sizeLimit), file: path)
    }

    public init(bytes: [UInt8], file: String) throws(Problem) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .notUTF8(file, bytes)
        }
        try self.init(text: text, file: file)
    }

    public init(text: String, file: String) throws(Problem) {
        self.file = file
        guard text.utf8.count <= RecipeFile.sizeLimit else { throw .recipeTooLarge(file) }
        guard let node = try RecipeFile.composed(text, file: file) else { throw .recipeEmpty(file) }
        guard case .mapping = node else { throw .recipeNotMapping(file) }
        root = node
    }

    /// The text as a tree, or nil if there is nothing in it.
    private static func composed(_ text: String, file: String) throws(Problem) -> Node? {
        if let line = tooDeep(text) { throw .recipeTooDeep(file, line: line) }
        guard aliases(in: text) <= aliasLimit else { throw .tooManyAliases(file) }
        do {
            guard let node = try Yams.compose(yaml: text) else { return nil }
            var left = nodeLimit
            guard fits(node, &left) else { throw Problem.recipeExpands(file) }
            if let (tag, line) = strangeTag(in: node) {
                throw Problem.strangeTag(file, line: line, tag)
            }
            return node
        } catch let problem as Problem {
            throw problem
        } catch {
            switch error as? YamlError {
            case .composer(let context?, let problem, let mark, _)?:
                throw .notYAML(file, line: mark.line, "\(context.text), \(problem)")
            case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
                .composer(_, let problem, let mark, _)?:
                throw .notYAML(file, line: mark.line, problem)
            case .reader(let problem, _, _, _)?: throw .notYAML(file, line: nil, problem)
            case .duplicatedKeysInMapping(let keys, let context)?:
                throw .keyTwice(file, line: context.mark.line, keys.first ?? "?")
            default: throw .notYAML(file, line: nil, "\(error)")
            }
        }
    }

    /// Whether a tree has at most `left` nodes, counted as often as aliases repeat them.
    private static func fits(_ node: Node, _ left: inout Int) -> Bool {
        left -= 1
        guard left > 0 else { return false }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let list):
            for item in list where !fits(item, &left) { return false }
        case .mapping(let pairs):
            for (key, value) in pairs where !fits(key, &left) || !fits(value, &left) {
                return false
            }
        }
        return true
    }

    /// The first tag that asks for something else than plain data.
    private static func strangeTag(in node: Node) -> (tag: String, line: Int?)? {
        let tag: Tag
        var children: [Node] = []
        switch node {
        case .alias: return nil
        case .scalar(let scalar): tag = scalar.tag
        case .sequence(let list): (tag, children) = (list.tag, Array(list))
        case .mapping(let pairs):
            (tag, children) = (pairs.tag, pairs.flatMap { [$0.key, $0.value] })
        }
        let plain =
            ["", "!"]
            + ["str", "seq", "map", "bool", "float", "int", "null"].map {
                "tag:yaml.org,2002:" + $0
            }
        // A scalar without a tag is resolved by its text: `<<`, dates and the like.
        let isResolved =
            if case .scalar(let scalar) = node { tag == Node(scalar.string).tag } else { false }
        if !plain.contains(tag.description), !isResolved {
            return (tag.description, node.mark?.line)
        }
        for child in children {
            if let found = strangeTag(in: child) { return found }
        }
        return nil
    }

    /// How many `*name` stand where a value or key begins.
    private static func aliases(in text: String) -> Int {
        var count = 0
        var before = UInt8(ascii: "\n")
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*"), "\n:-[{,?".utf8.contains(before) { count += 1 }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t") { before = byte }
        }
        return count
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
        try StrictDecoder(file: file).decode(type, from: root)
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
        guard value.utf8.count < 65_536,
            let node = try? RecipeFile.composed(value, file: "--set") ?? Node("")
        else { throw .notAssignment(assignment) }
        return try setting(String(assignment[..<equals]), to: node.unmarked)
    }

    public func setting(_ keyPath: String, to value: Node) throws(Problem) -> RecipeFile {
        let path = keyPath.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !path.contains(""), path.count <= RecipeFile.depthLimit else {
            throw .notAssignment(keyPath)
        }
        var copy = self
        copy.root = RecipeFile.set(path[...], to: value, in: root)
        return copy
    }

    /// Every value of `other`, laid over this file's.
    public func merging(_ other: Node) throws(Problem) -> RecipeFile {
        var copy = self
        copy.root = RecipeFile.merge(other, over: root)
        return copy
    }

    private static func merge(_ new: Node, over old: Node) -> Node {
        guard case .mapping(let changes) = new, case .mapping(var mapping) = old else { return new }
        for (key, value) in changes {
            mapping[key] = mapping[key].map { merge(value, over: $0) } ?? value
        }
        return .mapping(mapping)
    }

    private static func set(_ path: ArraySlice<String>, to value: Node, in node: Node?) -> Node {
        guard let key = path.first else { return value }
        var mapping = node?.mapping ?? Node.Mapping([])
        mapping[Node(key)] = set(path.dropFirst(), to: value, in: mapping[key])
        return .mapping(mapping)
    }

    /// The first line nested deeper than any recipe needs. The YAML parser recurses: this keeps
    /// hostile nesting (`[[[[…`, `- - - …`) away from the stack.
    private static func tooDeep(_ text: String) -> Int? {
        var depth = 0
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            var markers = 0
            var atStart = true
            var column = 0
            for byte in line.utf8 {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    depth += 1
                    atStart = false
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
                case UInt8(ascii: " "), UInt8(ascii: "\t"): if atStart { column += 1 }
                case UInt8(ascii: "-"), UInt8(ascii: "?"): if atStart { markers += 1 }
                default: atStart = false
                }
                if depth > depthLimit || markers > depthLimit || column > 10 * depthLimit {
                    return number + 1
                }
            }
        }
        return nil
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
}
