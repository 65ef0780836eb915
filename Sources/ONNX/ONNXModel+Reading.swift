import Diagnostics
import Files
import Protobuf

extension ONNXModel {
    /// Reads a file of the kind that `encoded` writes, to compare it with what was meant.
    ///
    /// Fields of the schema that no file of ours has are passed over where they change no number (doc
    /// strings, names of operators, shapes of inner values) and refused where they could.
    ///
    /// - Parameter name: the path, for the message.
    /// - Throws: a `Problem` (`.data`) with the byte for whatever is no such file.
    public init(bytes: [UInt8], name: String) throws(Problem) {
        let file = Reading(name)
        var graph: ONNXGraph?
        var (format, operators) = (0, 0)
        var (producer, version) = ("", "")
        var metadata: [Entry] = []
        try file.fields(bytes[...]) { field throws(Problem) in
            switch field.number {
            case 1: format = try file.integer(field)
            case 2: producer = try file.text(field)
            case 3: version = try file.text(field)
            case 7: graph = try ONNXGraph(file.data(field), file)
            case 8: operators = try file.operators(file.data(field))
            case 14: metadata.append(try file.entry(file.data(field)))
            case 20, 25: throw file.refused(field, "functions and training information")
            default: break
            }
        }
        guard let graph else { throw file.incomplete("no graph") }
        self.init(graph, producerVersion: version)
        (self.format, self.operators, self.producer) = (format, operators, producer)
        self.metadata = metadata
        try graph.check()
    }

    public func value(of key: String) -> String? { metadata.first { $0.key == key }?.value }
}

/// What reading one file needs to name it.
struct Reading {
    let name: String

    init(_ name: String) { self.name = name }

    typealias Field = ProtobufReader.Field

    func fields(
        _ bytes: ArraySlice<UInt8>, _ body: (Field) throws(Problem) -> Void
    ) throws(Problem) {
        try ProtobufReader.forEach(bytes, body) { .notONNX(name, $0.reason, at: $0.offset) }
    }

    func integer(_ field: Field) throws(Problem) -> Int {
        guard let value = field.value.integer else { throw kind(field) }
        return value
    }

    func text(_ field: Field) throws(Problem) -> String {
        guard let value = field.value.text else { throw kind(field) }
        return value
    }

    func data(_ field: Field) throws(Problem) -> ArraySlice<UInt8> {
        guard let value = field.value.data else { throw kind(field) }
        return value
    }

    /// Whole numbers one by one or packed.
    func add(_ field: Field, to values: inout [Int]) throws(Problem) {
        guard let bytes = field.value.data else {
            values.append(try integer(field))
            return
        }
        do {
            values += try ProtobufReader.packedIntegers(bytes)
        } catch {
            throw .notONNX(name, error.reason, at: error.offset)
        }
    }

    func kind(_ field: Field) -> Problem {
        .notONNX(name, "field \(field.number) is of another kind", at: field.offset)
    }

    func refused(_ field: Field, _ what: String) -> Problem {
        .notONNX(name, "\(what) are not read here", at: field.offset)
    }

    func incomplete(_ what: String) -> Problem { .notONNX(name, what, at: nil) }

    func operators(_ bytes: ArraySlice<UInt8>) throws(Problem) -> Int {
        var version = 0
        try fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1:
                guard try text(field).isEmpty else {
                    throw refused(field, "operators of others than ONNX")
                }
            case 2: version = try integer(field)
            default: break
            }
        }
        return version
    }

    func entry(_ bytes: ArraySlice<UInt8>) throws(Problem) -> ONNXModel.Entry {
        var entry = ONNXModel.Entry("", "")
        try fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1: entry.key = try text(field)
            case 2: entry.value = try text(field)
            default: break
            }
        }
        return entry
    }
}

extension ONNXGraph {
    init(_ bytes: ArraySlice<UInt8>, _ file: Reading) throws(Problem) {
        self.init(name: "")
        var graph = self
        try file.fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1: graph.nodes.append(try ONNXNode(file.data(field), file))
            case 2: graph.name = try file.text(field)
            case 5: graph.initialisers.append(try ONNXTensor(file.data(field), file))
            case 11: graph.inputs.append(try ONNXValue(file.data(field), file))
            case 12: graph.outputs.append(try ONNXValue(file.data(field), file))
            case 15: throw file.refused(field, "sparse tensors")
            default: break
            }
        }
        self = graph
    }
}

extension ONNXNode {
    init(_ bytes: ArraySlice<UInt8>, _ file: Reading) throws(Problem) {
        var node = ONNXNode("", [], [])
        try file.fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1: node.inputs.append(try file.text(field))
            case 2: node.outputs.append(try file.text(field))
            case 4: node.kind = try file.text(field)
            case 5:
                let (name, attribute) = try ONNXAttribute.read(file.data(field), file)
                node.attributes[name] = attribute
            case 7:
                guard try file.text(field).isEmpty else {
                    throw file.refused(field, "operators of others than ONNX")
                }
            default: break
            }
        }
        self = node
    }
}

extension ONNXAttribute {
    fileprivate static func read(
        _ bytes: ArraySlice<UInt8>, _ file: Reading
    ) throws(Problem) -> (String, ONNXAttribute) {
        var (name, kind) = ("", 0)
        var (float, int, text) = (Float(0), 0, "")
        var ints: [Int] = []
        try file.fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1: name = try file.text(field)
            case 2:
                guard let value = field.value.float else { throw file.kind(field) }
                float = value
            case 3: int = try file.integer(field)
            case 4: text = try file.text(field)
            case 8: try file.add(field, to: &ints)
            case 20: kind = try file.integer(field)
            default: break
            }
        }
        switch Kind(rawValue: kind) {
        case .float: return (name, .float(float))
        case .int: return (name, .int(int))
        case .text: return (name, .text(text))
        case .ints: return (name, .ints(ints))
        case nil: throw file.incomplete("the attribute \"\(name)\" is of type \(kind)")
        }
    }
}

extension ONNXTensor {
    fileprivate init(_ bytes: ArraySlice<UInt8>, _ file: Reading) throws(Problem) {
        var (name, type) = ("", 0)
        var shape: [Int] = []
        var content: [UInt8]?
        try file.fields(bytes) { field throws(Problem) in
            switch field.number {
            case 1: try file.add(field, to: &shape)
            case 2: type = try file.integer(field)
            case 8: name = try file.text(field)
            case 9: content = Array(try file.data(field))
            case 4, 5, 6, 7, 10, 11, 13:
                throw file.refused(field, "tensors in another form than raw data")
            default: break
            }
        }
        guard let element = ONNXElement(rawValue: type) else {
            throw file.incomplete("the tensor \"\(name)\" is of type \(type)")
        }
        var size = element.byteCount
        for extent in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else {
                throw file.incomplete("the tensor \"\(name)\" has the shape \(shape)")
            }
            size = product
        }
        guard let content, content.count == size else {
            throw file.incomplete(
                "the tensor \"\(name)\" has \(content?.count ?? 0) bytes where its shape \(shape) needs \(size)"
            )
        }
        self.init(name, element, shape: shape, bytes: content)
    }
}

extension ONNXValue {
    fileprivate init(_ bytes: ArraySlice<UInt8>, _ file: Reading) throws(Problem) {
        var (name, type) = ("", 0)
        var shape: [Extent] = []
        // TypeProto, its tensor, its shape, a dimension.
        try file.fields(bytes) { field throws(Problem) in
            if field.number == 1 { name = try file.text(field) }
            guard field.number == 2 else { return }
            try file.fields(file.data(field)) { field throws(Problem) in
                guard field.number == 1 else { throw file.refused(field, "values but tensors") }
                try file.fields(file.data(field)) { field throws(Problem) in
                    if field.number == 1 { type = try file.integer(field) }
                    guard field.number == 2 else { return }
                    try file.fields(file.data(field)) { field throws(Problem) in
                        guard field.number == 1 else { return }
                        var extent = Extent.free("")
                        try file.fields(file.data(field)) { field throws(Problem) in
                            switch field.number {
                            case 1: extent = .fixed(try file.integer(field))
                            case 2: extent = .free(try file.text(field))
                            default: break
                            }
                        }
                        shape.append(extent)
                    }
                }
            }
        }
        guard let element = ONNXElement(rawValue: type) else {
            throw file.incomplete("the value \"\(name)\" is of type \(type)")
        }
        self.init(name, element, shape)
    }
}
