import Yams

/// Encodes a value as a YAML tree in which every number reads back as exactly the same number.
///
/// The encoder of Yams rounds to 15 digits, and a resumed run must find the recipe it began with.
final class NodeEncoder: Encoder {
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private enum Content {
        case none
        case scalar(Node)
        case list([NodeEncoder])
        case mapping([(key: String, value: NodeEncoder)])
    }
    private var content = Content.none

    fileprivate init(_ codingPath: [any CodingKey]) { self.codingPath = codingPath }

    static func node(of value: some Encodable) throws -> Node {
        let encoder = NodeEncoder([])
        try encoder.put(value)
        return encoder.node
    }

    private var node: Node {
        switch content {
        case .none: Node.mapping(.init([]))
        case .scalar(let node): node
        case .list(let items): .sequence(.init(items.map(\.node)))
        case .mapping(let pairs): .mapping(.init(pairs.map { ("\($0.key)".box(), $0.value.node) }))
        }
    }

    fileprivate func put<Value: Encodable>(_ value: Value) throws {
        switch value {
        case let number as Double: content = .scalar(Node(NodeEncoder.text(number)))
        case let number as Float: content = .scalar(Node(NodeEncoder.text(Double(number))))
        // Quoted where it would read as something else than text.
        case let word as String: content = .scalar(word.box())
        case let number as any FixedWidthInteger: content = .scalar(Node("\(number)"))
        case let flag as Bool: content = .scalar(Node(flag ? "true" : "false"))
        default: try value.encode(to: self)
        }
    }

    /// The shortest digits that read back as the same number.
    private static func text(_ number: Double) -> String {
        number.isFinite ? "\(number)" : number.isNaN ? ".nan" : number > 0 ? ".inf" : "-.inf"
    }

    fileprivate func child(_ key: some CodingKey) -> NodeEncoder {
        let child = NodeEncoder(codingPath + [key])
        var pairs: [(key: String, value: NodeEncoder)] = []
        if case .mapping(let old) = content { pairs = old }
        // A value that is encoded in parts may name a key twice: the later one counts.
        pairs.removeAll { $0.key == key.stringValue }
        content = .mapping(pairs + [(key.stringValue, child)])
        return child
    }

    fileprivate func item() -> NodeEncoder {
        let child = NodeEncoder(codingPath)
        var items: [NodeEncoder] = []
        if case .list(let old) = content { items = old }
        content = .list(items + [child])
        return child
    }

    fileprivate func putNull() { content = .scalar(Node("null")) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .none = content { content = .mapping([]) }
        return KeyedEncodingContainer(Keyed(encoder: self))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .none = content { content = .list([]) }
        return Unkeyed(encoder: self)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: NodeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    func encodeNil(forKey key: Key) { encoder.child(key).putNull() }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try encoder.child(key).put(value)
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { encoder.child(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.child(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { encoder }
    func superEncoder(forKey key: Key) -> any Encoder { encoder.child(key) }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let encoder: NodeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    private(set) var count = 0
    init(encoder: NodeEncoder) { self.encoder = encoder }
    private mutating func next() -> NodeEncoder {
        count += 1
        return encoder.item()
    }
    mutating func encodeNil() { next().putNull() }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try next().put(value) }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { next().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next().unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { next() }
}

private struct Single: SingleValueEncodingContainer {
    let encoder: NodeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    func encodeNil() { encoder.putNull() }
    func encode<Value: Encodable>(_ value: Value) throws { try encoder.put(value) }
}
