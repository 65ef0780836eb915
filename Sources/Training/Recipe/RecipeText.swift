import Diagnostics
import Yams

/// The text of a recipe before and while it becomes a tree.
///
/// The YAML parser recurses, follows aliases without end and hashes whole trees that are keys. What
/// would take it more than a moment is therefore found in the text first, with the line breaks and
/// the names of aliases that the parser itself knows.
struct RecipeText {
    let text: String
    let file: String

    init(_ text: String, file: String) {
        self.text = text
        self.file = file
    }

    /// What can be said of the text alone.
    func check() throws(Problem) {
        if let line = lineNestedTooDeeply { throw .recipeTooDeep(file, line: line) }
        if let line = lineWithTooManyMarks { throw .recipeMarks(file, line: line) }
    }

    /// The tree, or nil if there is nothing in the text.
    func composed() throws(Problem) -> Node? {
        if let bare = withoutAliases {
            let size = try parsed(bare)?.size ?? 0
            guard size <= RecipeFile.nodeLimit else { throw .recipeExpands(file) }
            return try parsed(text)?.node
        }
        return try parsed(text)?.node
    }

    /// The tree of a text, checked, and its size.
    private func parsed(_ text: String) throws(Problem) -> (node: Node, size: Int)? {
        do {
            // The default would look into the environment.
            let parser = try Yams.Parser(yaml: text, encoding: .utf8)
            guard let node = try parser.singleRoot() else { return nil }
            // A node's anchor lives as long as its parser.
            return try withExtendedLifetime(parser) {
                var tree = RecipeTree(file: file)
                return (node, try tree.size(of: node))
            }
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

    // MARK: Aliases

    /// Stands where an alias stood in `withoutAliases`.
    static let aliasMark: Unicode.Scalar = "\u{e000}"

    /// The text with a word in the place of every alias, so that the parser repeats nothing; nil if
    /// the text has no alias.
    ///
    /// An alias is an asterisk and a name that an anchor (`&name`) gives. Such asterisks inside
    /// quotes and comments are replaced too, which does no harm: the tree is only measured. After an
    /// alias YAML allows nothing that would change the structure, so the word ends where it ended.
    var withoutAliases: String? {
        let bytes = Array(text.utf8)
        let anchors = Set(names(after: UInt8(ascii: "&"), in: bytes).map(\.name))
        let aliases = names(after: UInt8(ascii: "*"), in: bytes).filter {
            anchors.contains($0.name)
        }
        guard !aliases.isEmpty else { return nil }
        var out: [UInt8] = []
        var done = 0
        for alias in aliases {
            out += bytes[done..<alias.place]
            out += String(RecipeText.aliasMark).utf8
            out += alias.name
            done = alias.place + 1 + alias.name.count
            // `{*a:b}` has the key `*a`; a word would go on behind the colon.
            if done < bytes.count, bytes[done] == UInt8(ascii: ":") {
                out += Array(": ".utf8)
                done += 1
            }
        }
        return String(decoding: out + bytes[done...], as: UTF8.self)
    }

    /// Every run of letters, digits, `_` and `-` (what libyaml takes for a name) behind `sign`.
    private func names(after sign: UInt8, in bytes: [UInt8]) -> [(place: Int, name: [UInt8])] {
        var found: [(place: Int, name: [UInt8])] = []
        var place = 0
        while place < bytes.count {
            guard bytes[place] == sign else {
                place += 1
                continue
            }
            let name = bytes[(place + 1)...].prefix { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            if !name.isEmpty { found.append((place, Array(name))) }
            place += name.count + 1
        }
        return found
    }

    // MARK: Depth

    /// The lines as YAML counts them: it knows five line breaks.
    private var lines: [Substring.UnicodeScalarView] {
        text.unicodeScalars.split(omittingEmptySubsequences: false) { $0.isLineBreak }
    }

    /// The number of the line at `index`, counted from 1; CR LF is one break.
    private func line(at index: String.Index) -> Int {
        var count = 1
        var before: Unicode.Scalar = " "
        for scalar in text.unicodeScalars[..<index] {
            if scalar.isLineBreak, !(scalar == "\n" && before == "\r") { count += 1 }
            before = scalar
        }
        return count
    }

    /// The first line nested deeper than any recipe needs: open brackets, and columns at which
    /// blocks are open (a block ends with the first line that is indented less).
    var lineNestedTooDeeply: Int? {
        var brackets = 0
        var columns: [Int] = []
        for line in lines {
            var column = 0
            var isStart = true
            for scalar in line {
                if isStart {
                    switch scalar {
                    case " ", "\t", "\u{feff}": break
                    default:
                        // `- `, `? ` and `: ` open a block each, and so does what follows them.
                        while let last = columns.last, last >= column { columns.removeLast() }
                        columns.append(column)
                        isStart = scalar == "-" || scalar == "?" || scalar == ":"
                    }
                }
                switch scalar {
                case "[", "{": brackets += 1
                case "]", "}": brackets = max(0, brackets - 1)
                default: break
                }
                column += 1
                if brackets + columns.count > RecipeFile.depthLimit {
                    return self.line(at: line.startIndex)
                }
            }
        }
        return nil
    }

    // MARK: Combining marks

    /// The first line with more combining marks in a row than `NameRule` allows, written out or as
    /// escapes: hashing and comparing such text takes for ever.
    var lineWithTooManyMarks: Int? {
        var run = 0
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            var value: Unicode.Scalar? = scalar
            let start = rest.startIndex
            rest.removeFirst()
            if scalar == "\\", let kind = rest.first, let count = ["x": 2, "u": 4, "U": 8][kind] {
                let digits = rest.dropFirst().prefix(count)
                // At the end of the text there may be fewer.
                if digits.count == count, let code = UInt32(String(digits), radix: 16) {
                    value = Unicode.Scalar(code)
                    rest.removeFirst(count + 1)
                }
            }
            guard let value else { continue }
            if !value.isASCII, value.properties.canonicalCombiningClass != .notReordered {
                run += 1
                if run > 30 { return line(at: start) }
            } else if value != "\\", value != " ", value != "\t", !value.isLineBreak {
                // A break behind a backslash joins lines inside quotes: it does not end a run.
                run = 0
            }
        }
        return nil
    }
}

extension Unicode.Scalar {
    /// Whether YAML ends a line here.
    fileprivate var isLineBreak: Bool {
        self == "\n" || self == "\r" || self == "\u{85}" || self == "\u{2028}"
            || self == "\u{2029}"
    }
}

/// Checks a tree and measures it.
private struct RecipeTree {
    let file: String
    /// How many aliases were met.
    private var aliases = 0
    /// Values under each anchor, with the aliases inside written out.
    private var sizes: [String: Int] = [:]

    init(file: String) { self.file = file }

    /// How many values a tree has with its aliases written out.
    ///
    /// - Throws: for a tag that is not plain data, a key that is no word or is given twice, and a
    ///   word that `NameRule` does not allow.
    mutating func size(of node: Node) throws(Problem) -> Int {
        var size = 1
        switch node {
        case .alias: break
        case .scalar(let scalar):
            if let name = aliased(scalar) {
                aliases += 1
                guard aliases <= RecipeFile.aliasLimit else { throw .tooManyAliases(file) }
                return sizes[name] ?? 1
            }
            try check(scalar.tag, node)
            if let fault = NameRule.fault(in: scalar.string) {
                throw .recipeWord(file, line: node.mark?.line, fault)
            }
        case .sequence(let list):
            try check(list.tag, node)
            for item in list { size = added(size, try self.size(of: item)) }
        case .mapping(let pairs):
            try check(pairs.tag, node)
            var seen: Set<String> = []
            for (key, value) in pairs {
                guard case .scalar(let word) = key, aliased(word) == nil else {
                    throw .recipeKey(file, line: key.mark?.line)
                }
                size = added(size, try self.size(of: key))
                guard seen.insert(word.string).inserted else {
                    throw .keyTwice(file, line: key.mark?.line ?? 0, word.string)
                }
                size = added(size, try self.size(of: value))
            }
        }
        if let anchor = node.anchor { sizes[anchor.rawValue] = size }
        return size
    }

    private func added(_ a: Int, _ b: Int) -> Int {
        let (sum, isTooLarge) = a.addingReportingOverflow(b)
        return isTooLarge ? Int.max : sum
    }

    /// The name of the alias that the word stands for in `RecipeText.withoutAliases`.
    private func aliased(_ scalar: Node.Scalar) -> String? {
        guard scalar.style == .plain, scalar.string.unicodeScalars.first == RecipeText.aliasMark
        else { return nil }
        return String(scalar.string.unicodeScalars.dropFirst())
    }

    /// Refuses tags that ask for something else than plain data. Without a tag, a word is resolved
    /// by its text, which is always plain.
    private func check(_ tag: Tag, _ node: Node) throws(Problem) {
        let name = tag.description
        let plain = ["str", "seq", "map", "bool", "float", "int", "null"]
        guard
            name.isEmpty || name == "!"
                || plain.contains(where: { name == "tag:yaml.org,2002:\($0)" })
        else {
            // A key without a tag has been resolved by now: `<<` is one like any other.
            if case .scalar(let scalar) = node, tag == Node(scalar.string).tag { return }
            throw .strangeTag(file, line: node.mark?.line, name)
        }
    }
}
