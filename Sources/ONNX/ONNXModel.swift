/// A network as an ONNX file holds it: a graph of operators and the facts that travel with it.
///
///     var graph = ONNXGraph(name: "digits")
///     graph.inputs = [ONNXValue("input", .float, [.free("batch"), .fixed(2)])]
///     graph.initialisers = [ONNXTensor("w", floats: [1, 2, 3, 4], shape: [2, 2])]
///     graph.nodes = [ONNXNode("Gemm", ["input", "w"], ["logits"], ["transB": .int(1)])]
///     graph.outputs = [ONNXValue("logits", .float, [.free("batch"), .fixed(2)])]
///     let bytes = try ONNXModel(graph, metadata: [("classes", #"["a","b"]"#)]).encoded()
///
/// Only what a classifier needs is here: tensors of the types of `ONNXElement`, attributes of whole
/// numbers, real numbers and texts, and no graph inside a graph. Files are those of ONNX's schema,
/// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
public struct ONNXModel: Equatable, Sendable {
    /// Version 17 of the operators: every runtime since 2022 has it, and nothing newer is needed.
    public static let operators = 17
    /// The version of the file format that goes with it.
    public static let format = 8

    public var graph: ONNXGraph
    public var format = ONNXModel.format
    public var operators = ONNXModel.operators
    public var producer = "limbeck"
    public var producerVersion: String
    /// Free texts by key, in the order of the file.
    public var metadata: [Entry]

    public struct Entry: Equatable, Sendable {
        public var key: String
        public var value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    public init(
        _ graph: ONNXGraph, producerVersion: String = "1.0",
        metadata: [(key: String, value: String)] = []
    ) {
        self.graph = graph
        self.producerVersion = producerVersion
        self.metadata = metadata.map { Entry($0.key, $0.value) }
    }
}

/// Operators, each after those whose results it uses.
public struct ONNXGraph: Equatable, Sendable {
    public var name: String
    public var nodes: [ONNXNode] = []
    /// Tensors that are part of the file: weights and constants.
    public var initialisers: [ONNXTensor] = []
    public var inputs: [ONNXValue] = []
    public var outputs: [ONNXValue] = []

    public init(name: String) { self.name = name }
}

/// One operator.
public struct ONNXNode: Equatable, Sendable {
    public var kind: String
    /// Names of values; an optional one that is left out is the empty name.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: ONNXAttribute]

    public init(
        _ kind: String, _ inputs: [String], _ outputs: [String],
        _ attributes: [String: ONNXAttribute] = [:]
    ) {
        self.kind = kind
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }
}

public enum ONNXAttribute: Equatable, Sendable {
    case float(Float)
    case int(Int)
    case text(String)
    case ints([Int])
}

/// Types of elements, by ONNX's numbers.
public enum ONNXElement: Int, Sendable, CaseIterable {
    case float = 1
    case uint8 = 2
    case int8 = 3
    case int32 = 6
    case int64 = 7
    case bool = 9

    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .float, .int32: 4
        case .int64: 8
        }
    }
}

/// The type and shape of an input or output.
public struct ONNXValue: Equatable, Sendable {
    public enum Extent: Equatable, Sendable {
        case fixed(Int)
        /// Any, under a name: what has the same name has the same extent.
        case free(String)
    }

    public var name: String
    public var element: ONNXElement
    public var shape: [Extent]

    public init(_ name: String, _ element: ONNXElement, _ shape: [Extent]) {
        self.name = name
        self.element = element
        self.shape = shape
    }
}

/// A tensor of the file.
public struct ONNXTensor: Equatable, Sendable {
    public var name: String
    public var element: ONNXElement
    /// Empty for a single number.
    public var shape: [Int]
    /// Row-major, little-endian.
    public var bytes: [UInt8]

    /// - Precondition: as many bytes as the shape says.
    public init(_ name: String, _ element: ONNXElement, shape: [Int], bytes: [UInt8]) {
        precondition(
            bytes.count == shape.reduce(element.byteCount, *), "the bytes of \(name) and its shape")
        self.name = name
        self.element = element
        self.shape = shape
        self.bytes = bytes
    }

    public init(_ name: String, floats: [Float], shape: [Int]) {
        self.init(
            name, .float, shape: shape, bytes: littleEndian(floats.lazy.map(\.bitPattern)))
    }

    public init(_ name: String, ints: [Int], shape: [Int]) {
        self.init(name, .int64, shape: shape, bytes: littleEndian(ints.lazy.map(Int64.init)))
    }

    public init(_ name: String, int8s: [Int8], shape: [Int]) {
        self.init(name, .int8, shape: shape, bytes: int8s.map { UInt8(bitPattern: $0) })
    }

    /// The values of a tensor of type `int64`; nil for others.
    public var ints: [Int]? {
        guard element == .int64 else { return nil }
        return stride(from: 0, to: bytes.count, by: 8).map { start in
            var bits: UInt64 = 0
            for i in 0..<8 { bits |= UInt64(bytes[start + i]) << (8 * i) }
            return Int(Int64(bitPattern: bits))
        }
    }

    /// The values of a tensor of type `float`; nil for others.
    public var floats: [Float]? {
        guard element == .float else { return nil }
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            var bits: UInt32 = 0
            for i in 0..<4 { bits |= UInt32(bytes[start + i]) << (8 * i) }
            return Float(bitPattern: bits)
        }
    }
}

private func littleEndian(_ values: some Sequence<some FixedWidthInteger>) -> [UInt8] {
    values.map(\.littleEndian).withUnsafeBytes { Array($0) }
}
