import Diagnostics
import Files

/// The tensors of one safetensors file, checked in full before any of them is handed out.
///
///     let file = try SafeTensorsFile(path: "student.safetensors")
///     let weight = try file.floats(of: "fc.weight")
///
/// Layout (huggingface/safetensors, format specification): 8 bytes, the header's length N in
/// little-endian; N bytes of UTF-8 JSON that start with `{` and may end in spaces; then the
/// tensors' bytes, row-major and little-endian.
///
/// Invariant: the ranges of `tensors`, in order, cover the data from its first byte to the last
/// byte of the file without hole or overlap, and each is exactly as long as dtype and shape say.
///
/// Stricter than the reference reader: duplicate and unknown keys, names that differ only in
/// Unicode normalisation (Swift calls them equal), names over 1,024 bytes or with more than 30
/// combining marks in a row, and more than 64 dimensions are refused. The limits bound the work a
/// hostile header can ask for. Memory is a small multiple of the file.
/// Does not read dtypes of less than a byte, 8-bit floats or complex numbers.
public struct SafeTensorsFile: Sendable {
    /// The header may have at most this many bytes (the reference's limit).
    public static let headerLimit = 100_000_000
    /// Names of tensors and metadata keys may have at most this many UTF-8 bytes.
    public static let nameLimit = NameRule.limit
    /// Tensors may have at most this many dimensions.
    public static let rankLimit = 64

    /// One tensor: what it is called, what its elements are, and where its bytes lie.
    public struct Entry: Equatable, Sendable {
        public let name: String
        public let dtype: DType
        /// Sizes of the dimensions, outermost first; empty for a scalar.
        public let shape: [Int]
        /// Where the tensor's bytes lie, counted from the beginning of the file.
        public let range: Range<Int>
        /// Number of elements.
        public var count: Int { range.count / dtype.size }
    }

    /// What errors call the file: its path, as a rule.
    public let name: String
    /// The free text of `__metadata__`; empty if the file has none.
    public let metadata: [String: String]
    /// The tensors in the order of their bytes; empty ones stand before what begins where they do.
    public let tensors: [Entry]

    let content: [UInt8]
    private let index: [String: Int]

    /// Checks `bytes` against the whole contract.
    ///
    /// - Parameter name: what errors call the file.
    /// - Throws: `Problem` of kind `.data` that names the byte or the tensor.
    public init(bytes: [UInt8], name: String) throws(Problem) {
        let layout = try bytes.withUnsafeBytes { bytes in
            Result { () throws(Problem) in try SafeTensorsLayout(bytes, name: name) }
        }.get()
        (tensors, metadata) = (layout.tensors, layout.metadata)
        index = [String: Int](
            uniqueKeysWithValues: tensors.enumerated().map { ($0.element.name, $0.offset) })
        content = bytes
        self.name = name
    }

    /// Reads and checks the file at `path`.
    ///
    /// - Parameter limit: files of more bytes are refused before they are read.
    /// - Throws: `Problem`: `.io` if it cannot be read, `.data` if it breaks the contract.
    public init(path: String, limit: Int = 4 << 30) throws(Problem) {
        try self.init(bytes: readFile(path, limit: limit), name: path)
    }

    /// The tensor called `name`, or nil.
    public subscript(name: String) -> Entry? { index[name].map { tensors[$0] } }

    /// The tensor called `name`.
    ///
    /// - Throws: `Problem` (`.data`) that suggests the nearest name if there is no such tensor.
    public func entry(_ name: String) throws(Problem) -> Entry {
        guard let entry = self[name] else {
            throw .missingTensor(self.name, name, among: tensors.map(\.name))
        }
        return entry
    }

    /// Whether the writer can give a tensor this name, and the reader take it.
    package static func isUsableName(_ name: String) -> Bool {
        name.utf8.count <= nameLimit && name != "__metadata__" && NameRule.isStreamSafe(name)
    }
}
