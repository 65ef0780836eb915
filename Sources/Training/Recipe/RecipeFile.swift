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
        if let line = RecipeFile.tooDeep(text) { throw .recipeTooDeep(file, line: line) }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw Problem.recipeEmpty(file) }
            guard case .mapping = node else { throw Problem.recipeNotMapping(file) }
            root = node
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .notYAML(file, "\(error)")
        }
    }

    /// Decodes the whole file as `type`.
    public func decoded<Value: Decodable>(_ type: Value.Type) throws(Problem) -> Value {
        try StrictDecoder(file: file).decode(type, from: root)
    }

    /// Whether the file has this key at its top level.
    public func has(_ key: String) -> Bool { root.mapping?[key] != nil }

    /// The file without some of its top-level keys.
    public func without(_ keys: String...) -> RecipeFile {
        var copy = self
        guard let mapping = root.mapping else { return self }
        copy.root = .mapping(
            .init(mapping.filter { !keys.contains($0.key.string ?? "") }.map { ($0.key, $0.value) }))
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
        guard RecipeFile.tooDeep(value) == nil, value.utf8.count < 65_536,
            let node = try? Yams.compose(yaml: value) ?? Node("")
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
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var markers = 0
            var atStart = true
            var column = 0
            for byte in line.utf8 {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1; atStart = false
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
