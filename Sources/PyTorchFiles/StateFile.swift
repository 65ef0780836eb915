import Diagnostics
import Files
import SafeTensors

/// Tensors by name, from a safetensors file or from one that `torch.save` wrote: whichever the bytes
/// say it is.
public struct StateFile: Sendable {
    public struct Tensor: Equatable, Sendable {
        public let name: String
        public let dtype: SafeTensorsFile.DType
        /// Sizes of the dimensions, outermost first; empty for a scalar.
        public let shape: [Int]
        /// Number of elements.
        public var count: Int { shape.reduce(1, *) }
    }

    private enum Content: Sendable {
        case safeTensors(SafeTensorsFile)
        case pyTorch(PyTorchFile)
    }

    public let name: String
    /// For people: `safetensors`, `PyTorch zip archive`, `PyTorch file of before 1.6`.
    public let form: String
    /// See `PyTorchFile.part`.
    public let part: String
    /// See `PyTorchFile.ignored`.
    public let ignored: [String]
    /// See `PyTorchFile.skipped`.
    public let skipped: [String]
    public let tensors: [Tensor]
    private let content: Content

    /// - Parameters:
    ///   - name: what errors call the file.
    ///   - part: see `PyTorchFile`; safetensors files have no parts.
    public init(bytes: [UInt8], name: String, part: String? = nil) throws(Problem) {
        self.name = name
        let kind = FileKind(bytes)
        if kind != .safeTensors, kind?.canBePyTorch != true { throw .notWeights(name, kind, bytes) }
        if PyTorchFile.isOne(bytes) {
            let file = try PyTorchFile(bytes: bytes, name: name, part: part)
            (form, self.part, ignored) = (file.form.rawValue, file.part, file.ignored)
            skipped = file.skipped
            tensors = file.tensors.map { Tensor(name: $0.name, dtype: $0.dtype, shape: $0.shape) }
            content = .pyTorch(file)
        } else {
            let file = try SafeTensorsFile(bytes: bytes, name: name)
            if let part { throw .noPart(name, part, among: [StateDictionary.outermost]) }
            (form, self.part, ignored, skipped) = ("safetensors", "", [], [])
            tensors = file.tensors.map { Tensor(name: $0.name, dtype: $0.dtype, shape: $0.shape) }
            content = .safeTensors(file)
        }
    }

    public init(path: String, part: String? = nil, limit: Int = 4 << 30) throws(Problem) {
        try self.init(bytes: readFile(path, limit: limit), name: path, part: part)
    }

    /// The elements of a tensor, row-major and little-endian.
    public func bytes(of name: String) throws(Problem) -> [UInt8] {
        switch content {
        case .safeTensors(let file): Array(try file.bytes(of: name))
        case .pyTorch(let file): try file.bytes(of: name)
        }
    }

    /// The tensors that a match found, under the network's names, as a safetensors file in memory.
    public func renamed(_ match: NameMatch) throws(Problem) -> SafeTensorsFile {
        let known = Dictionary(
            tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var writer = SafeTensorsWriter()
        for pair in match.matched {
            guard let tensor = known[pair.from] else {
                throw .missingTensor(name, pair.from, among: Array(known.keys))
            }
            writer.add(
                pair.to, tensor.dtype, shape: tensor.shape, bytes: try bytes(of: pair.from))
        }
        return try SafeTensorsFile(bytes: writer.encoded(), name: name)
    }
}
