import Diagnostics
import Files
import Protobuf

extension ONNXModel {
    /// Protocol Buffers hold less than 2 GiB in a file.
    static let limit = 1 << 31

    /// The file. Equal models give equal bytes.
    ///
    /// - Throws: a `Problem` (`.internal`) for a graph that is none (see `check`), `.data` for one of
    ///   2 GiB or more.
    public func encoded() throws(Problem) -> [UInt8] {
        try graph.check()
        // Before anything is copied.
        let weights = graph.initialisers.reduce(0) { $0 + $1.bytes.count }
        guard weights < ONNXModel.limit else { throw .tooLarge(weights) }
        var file = ProtobufWriter()
        file.integer(1, format)
        file.text(2, producer)
        file.text(3, producerVersion)
        file.message(7) { graph.write(to: &$0) }
        file.message(8) {
            $0.text(1, "")  // the operators of ONNX itself
            $0.integer(2, operators)
        }
        for entry in metadata {
            file.message(14) {
                $0.text(1, entry.key)
                $0.text(2, entry.value)
            }
        }
        guard file.bytes.count < ONNXModel.limit else { throw .tooLarge(file.bytes.count) }
        return file.bytes
    }
}

extension ONNXGraph {
    /// Refuses a graph in which a value is used that nothing before makes, or is made twice.
    public func check() throws(Problem) {
        var known: Set<String> = []
        func define(_ name: String, _ what: String) throws(Problem) {
            guard !name.isEmpty, known.insert(name).inserted else {
                throw .badGraph("\(what) \"\(name)\" has no name of its own")
            }
        }
        for input in inputs { try define(input.name, "the input") }
        for tensor in initialisers { try define(tensor.name, "the tensor") }
        for node in nodes {
            for input in node.inputs where !input.isEmpty && !known.contains(input) {
                throw .badGraph("\(node.kind) uses \"\(input)\", which nothing before it makes")
            }
            for output in node.outputs { try define(output, "the result") }
        }
        guard !outputs.isEmpty else { throw .badGraph("no output") }
        for output in outputs where !known.contains(output.name) {
            throw .badGraph("nothing makes the output \"\(output.name)\"")
        }
    }

    fileprivate func write(to message: inout ProtobufWriter) {
        for node in nodes { message.message(1) { node.write(to: &$0) } }
        message.text(2, name)
        for tensor in initialisers { message.message(5) { tensor.write(to: &$0) } }
        for input in inputs { message.message(11) { input.write(to: &$0) } }
        for output in outputs { message.message(12) { output.write(to: &$0) } }
    }
}

extension ONNXNode {
    fileprivate func write(to message: inout ProtobufWriter) {
        for input in inputs { message.text(1, input) }
        for output in outputs { message.text(2, output) }
        message.text(3, outputs.first ?? "")
        message.text(4, kind)
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            message.message(5) {
                $0.text(1, name)
                attribute.write(to: &$0)
            }
        }
    }
}

extension ONNXAttribute {
    enum Kind: Int {
        case float = 1
        case int = 2
        case text = 3
        case ints = 7
    }

    /// The value and, behind it, its type, which readers insist on.
    fileprivate func write(to message: inout ProtobufWriter) {
        switch self {
        case .float(let value):
            message.float(2, value)
            message.integer(20, Kind.float.rawValue)
        case .int(let value):
            message.integer(3, value)
            message.integer(20, Kind.int.rawValue)
        case .text(let value):
            message.text(4, value)
            message.integer(20, Kind.text.rawValue)
        case .ints(let values):
            for value in values { message.integer(8, value) }
            message.integer(20, Kind.ints.rawValue)
        }
    }
}

extension ONNXTensor {
    fileprivate func write(to message: inout ProtobufWriter) {
        for extent in shape { message.integer(1, extent) }
        message.integer(2, element.rawValue)
        message.text(8, name)
        message.data(9, bytes)
    }
}

extension ONNXValue {
    fileprivate func write(to message: inout ProtobufWriter) {
        message.text(1, name)
        message.message(2) { type in
            type.message(1) { tensor in
                tensor.integer(1, element.rawValue)
                tensor.message(2) { shape in
                    for extent in self.shape {
                        shape.message(1) { dimension in
                            switch extent {
                            case .fixed(let size): dimension.integer(1, size)
                            case .free(let name): dimension.text(2, name)
                            }
                        }
                    }
                }
            }
        }
    }
}
