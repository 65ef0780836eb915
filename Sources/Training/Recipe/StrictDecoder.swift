import Diagnostics
import Yams

/// Decodes `Codable` types from a YAML node, strictly: a key that no type asked for is refused, and
/// every complaint carries file, line and key path.
///
/// A recipe is only data: nothing in it is executed or imported, whatever it says.
struct StrictDecoder {
    let file: String
    /// Where in the file the node stands, for messages.
    var prefix: [String] = []
    /// Where a recipe's method is looked up.
    var methods = MethodRegistry.standard

    func decode<Value: Decodable>(_ type: Value.Type, from node: Node) throws(Problem) -> Value {
        let record = Record(file: file)
        do {
            let path = prefix.map(NameKey.init)
            let decoder = NodeDecoder(
                node: node, codingPath: path, record: record, userInfo: [.methods: methods])
            let value = try decoder.value(type)
            try record.refuseUnasked()
            return value
        } catch let problem as Problem {
            throw record.placed(problem)
        } catch let error as DecodingError {
            throw record.problem(error)
        } catch {
            throw Problem(.internal, "cannot read the recipe: \(error)", at: .file(file))
        }
    }

    /// What was in the file, and what of it was asked for.
    final class Record {
        let file: String
        private typealias Key = (name: String, line: Int?)
        private var present: [[String]: [Key]] = [:]
        /// The paths of `present` in the order in which they were met.
        private var order: [[String]] = []
        private var asked: [[String]: Set<String>] = [:]
        private var lines: [[String]: Int] = [:]

        init(file: String) { self.file = file }

        func saw(_ path: [String], _ mapping: Node.Mapping) {
            if present[path] == nil {
                present[path] = mapping.map { ($0.key.string ?? "?", $0.key.mark?.line) }
                order.append(path)
            }
            for (key, _) in mapping { lines[path + [key.string ?? "?"]] = key.mark?.line }
        }

        func ask(_ path: [String], _ key: String) {
            asked[path, default: []].insert(key)
        }

        func refuseUnasked() throws(Problem) {
            for path in order {
                let known = asked[path] ?? []
                for key in present[path] ?? [] where !known.contains(key.name) {
                    throw unknown(key.name, in: path, known: known)
                }
            }
        }

        private func unknown(_ key: String, in path: [String], known: Set<String>) -> Problem {
            Problem(
                .data, "unknown key \"\(Problem.oneLine(key, limit: 60))\"",
                at: place(path + [key]),
                hint: RecipeWords.hint(key: key, in: path, known: known.sorted()))
        }

        /// `FILE, line N, key.path`; for what `--set` brought there is no line.
        func place(_ path: [String]) -> Problem.Place {
            var detail: [String] = []
            for length in stride(from: path.count, to: 0, by: -1) {
                if let line = lines[Array(path.prefix(length))] {
                    detail.append("line \(line)")
                    break
                }
            }
            if !path.isEmpty {
                detail.append(Problem.oneLine(path.joined(separator: "."), limit: 120))
            }
            return Problem.Place(file: file, detail: detail)
        }

        /// A problem that names only a key path gets file and line.
        func placed(_ problem: Problem) -> Problem {
            var problem = problem
            guard problem.place?.file == nil else { return problem }
            let path = problem.place?.detail.first?.split(separator: ".").map(String.init) ?? []
            let rest = problem.place?.detail.dropFirst() ?? []
            var place = place(path)
            place.detail += rest
            problem.place = place
            return problem
        }

        func problem(_ error: DecodingError) -> Problem {
            switch error {
            case .keyNotFound(let key, let context):
                let path = strings(context.codingPath)
                // A required key that is missing is most often one that is misspelt.
                let extra = (present[path] ?? []).map(\.name)
                    .filter { asked[path]?.contains($0) != true }
                if let slip = RecipeWords.slip(for: key.stringValue, in: path, among: extra) {
                    return unknown(slip, in: path, known: [key.stringValue])
                }
                return Problem(
                    .data, "missing key \"\(key.stringValue)\"", at: place(path),
                    hint: path.isEmpty ? nil : "\(path.joined(separator: ".")) needs it")
            case .typeMismatch(_, let context), .valueNotFound(_, let context),
                .dataCorrupted(let context):
                if let problem = context.underlyingError as? Problem { return placed(problem) }
                return Problem(
                    .data, "wrong value", at: place(strings(context.codingPath)),
                    expected: context.debugDescription)
            @unknown default:
                return Problem(.data, "cannot read the recipe", at: .file(file))
            }
        }
    }
}

private func strings(_ path: [any CodingKey]) -> [String] {
    path.map { $0.intValue.map(String.init) ?? $0.stringValue }
}

private struct NameKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private struct IndexKey: CodingKey {
    let intValue: Int?
    var stringValue: String { String(intValue ?? 0) }
    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { nil }
}

private struct NodeDecoder: Decoder {
    let node: Node
    let codingPath: [any CodingKey]
    let record: StrictDecoder.Record
    let userInfo: [CodingUserInfoKey: Any]

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .mapping(let mapping) = node else { throw mismatch("a mapping (key: value)") }
        record.saw(strings(codingPath), mapping)
        if let (key, value) = RecipeWords.decimalComma(in: mapping) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath, debugDescription: "",
                    underlyingError: Problem.decimalComma(
                        (strings(codingPath) + [key]).joined(separator: "."), value)))
        }
        return KeyedDecodingContainer(Keyed(mapping: mapping, decoder: self))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .sequence(let sequence) = node else { throw mismatch("a list") }
        return Unkeyed(nodes: Array(sequence), decoder: self)
    }
    func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

    func mismatch(_ expected: String, hint: String? = nil) -> DecodingError {
        let found: String
        switch node {
        case .scalar where isNull: found = "nothing"
        case .scalar(let scalar): found = "\"\(Problem.oneLine(scalar.string, limit: 40))\""
        case .mapping: found = "a mapping"
        case .sequence: found = "a list"
        case .alias: found = "an alias"
        }
        let problem = Problem(
            .data, "wrong value",
            at: Problem.Place(detail: [strings(codingPath).joined(separator: ".")]),
            found: found, expected: expected, hint: hint)
        return .dataCorrupted(
            .init(codingPath: codingPath, debugDescription: expected, underlyingError: problem))
    }

    func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        switch type {
        case is String.Type:
            guard case .scalar(let scalar) = node else { throw mismatch("a word") }
            return scalar.string as! Value
        case is Bool.Type: return try scalar(Bool.construct(from:), "true or false")
        case is Double.Type: return try scalar(Double.construct(from:), "a number")
        case is Float.Type: return try scalar(Float.construct(from:), "a number")
        case is Int.Type: return try scalar(Int.construct(from:), "a whole number")
        case is UInt64.Type: return try scalar(UInt64.construct(from:), "a whole number, 0 or more")
        default:
            do {
                return try Value(from: self)
            } catch DecodingError.dataCorrupted(let context)
                where context.underlyingError == nil && Value.self is any CaseIterable.Type
            {
                // A word that is no case of an enumeration.
                throw choices(Value.self as! any CaseIterable.Type)
            }
        }
    }

    private func scalar<Found, Value>(_ construct: (Node.Scalar) -> Found?, _ name: String) throws
        -> Value
    {
        guard case .scalar(let scalar) = node else { throw mismatch(name) }
        // In this order: the library reads 4:30 as a number of base 60, and traps where it is too large.
        guard !RecipeWords.isAmbiguous(scalar, Value.self), let value = construct(scalar) else {
            throw mismatch(name, hint: RecipeWords.hint(value: scalar, Value.self))
        }
        return value as! Value
    }

    private func choices(_ type: any CaseIterable.Type) -> DecodingError {
        func words<T: CaseIterable>(_: T.Type) -> [String] {
            T.allCases.map { ($0 as? any RawRepresentable)?.rawValue as? String ?? "\($0)" }
        }
        let known = words(type)
        guard case .scalar(let scalar) = node else { return mismatch("a word") }
        let problem = Problem(
            .data, "unknown word \"\(Problem.oneLine(scalar.string, limit: 40))\"",
            at: Problem.Place(detail: [strings(codingPath).joined(separator: ".")]),
            hint: RenamedWords.value(scalar.string, among: known).map(RenamedWords.hint)
                ?? Suggestion.hint(for: scalar.string, among: known))
        return .dataCorrupted(
            .init(codingPath: codingPath, debugDescription: "", underlyingError: problem))
    }

    func at(_ key: any CodingKey, _ node: Node) -> NodeDecoder {
        NodeDecoder(
            node: node, codingPath: codingPath + [key], record: record, userInfo: userInfo)
    }

    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
            return false
        }
        return ["", "~", "null"].contains(scalar.string)
    }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let names: [String]
    private let nodes: [String: Node]
    let decoder: NodeDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { names.compactMap(Key.init(stringValue:)) }

    // A mapping searches its keys one by one: too slow for a hostile file with many of them. By
    // their text, so that the key 9 of a class map is found whatever type YAML gives it.
    init(mapping: Node.Mapping, decoder: NodeDecoder) {
        self.decoder = decoder
        names = mapping.compactMap(\.key.string)
        nodes = Dictionary(
            mapping.compactMap { pair in pair.key.string.map { ($0, pair.value) } },
            uniquingKeysWith: { first, _ in first })
    }

    func contains(_ key: Key) -> Bool {
        decoder.record.ask(strings(codingPath), key.stringValue)
        return nodes[key.stringValue] != nil
    }
    private func found(_ key: Key) throws -> NodeDecoder {
        decoder.record.ask(strings(codingPath), key.stringValue)
        guard let node = nodes[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: ""))
        }
        return decoder.at(key, node)
    }
    func decodeNil(forKey key: Key) throws -> Bool { try found(key).isNull }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try found(key).value(type)
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try found(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try found(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try found(key) }
}

private struct Unkeyed: UnkeyedDecodingContainer {
    let nodes: [Node]
    let decoder: NodeDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    var currentIndex = 0
    var count: Int? { nodes.count }
    var isAtEnd: Bool { currentIndex >= nodes.count }

    init(nodes: [Node], decoder: NodeDecoder) {
        self.nodes = nodes
        self.decoder = decoder
    }
    private mutating func next() throws -> NodeDecoder {
        guard !isAtEnd else { throw decoder.mismatch("a longer list") }
        defer { currentIndex += 1 }
        return decoder.at(IndexKey(currentIndex), nodes[currentIndex])
    }
    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, decoder.at(IndexKey(currentIndex), nodes[currentIndex]).isNull else {
            return false
        }
        currentIndex += 1
        return true
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try next().value(type)
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next().unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct Single: SingleValueDecodingContainer {
    let decoder: NodeDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    func decodeNil() -> Bool { decoder.isNull }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try decoder.value(type)
    }
}
