import Diagnostics
import Files
import Neural
import SafeTensors
import Torch

/// Weights in safetensors files, under PyTorch's `state_dict` names: what `safetensors.torch` saves
/// and loads.
public enum WeightsFile {
    /// The file's bytes. Tensors keep their element types; layouts become row-major.
    ///
    /// - Parameter state: as `Module.state` gives it.
    public static func encoded(
        _ state: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]
    ) throws(Problem) -> [UInt8] {
        try writer(state, metadata: metadata).encoded()
    }

    /// Writes the file so that a reader sees the old content or the new, never a mixture.
    public static func write(
        _ state: [(name: String, tensor: Tensor)], to path: String,
        metadata: [String: String] = [:], using files: some FileSystem = LocalFileSystem()
    ) throws(Problem) {
        try writer(state, metadata: metadata).write(to: path, using: files)
    }

    /// The tensors of a file by name, on the CPU.
    ///
    /// - Throws: a `Problem` for an element type that the engine does not have (U16, U32, U64).
    public static func tensors(of file: SafeTensorsFile) throws(Problem) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for entry in file.tensors {
            guard let dtype = DType(entry.dtype) else {
                throw .elementType(file.name, entry.name, entry.dtype.rawValue)
            }
            let bytes = try file.bytes(of: entry.name)
            tensors[entry.name] = Tensor(bytes: Array(bytes), entry.shape, dtype: dtype)
        }
        return tensors
    }

    /// The same for weights that are going to be used: refuses numbers that are not finite, or would
    /// not be as float32.
    public static func finiteTensors(of file: SafeTensorsFile) throws(Problem) -> [String: Tensor] {
        for entry in file.tensors {
            if let element = try file.firstNotFinite(in: entry.name) {
                throw .weightNotFinite(file.name, entry.name, element: element)
            }
        }
        return try tensors(of: file)
    }

    /// Reads a file and copies its tensors into `module`, all or nothing; see `Module.loadState`.
    ///
    /// - Returns: the file's metadata.
    @discardableResult
    public static func load(_ path: String, into module: any Module) throws(Problem)
        -> [String: String]
    {
        let file = try SafeTensorsFile(path: path)
        try module.loadState(from: tensors(of: file), source: path)
        return file.metadata
    }

    private static func writer(
        _ state: [(name: String, tensor: Tensor)], metadata: [String: String]
    ) -> SafeTensorsWriter {
        var writer = SafeTensorsWriter(metadata: metadata)
        for (name, tensor) in state {
            writer.add(
                name, SafeTensorsFile.DType(tensor.dtype), shape: tensor.shape,
                bytes: tensor.bytes())
        }
        return writer
    }
}

extension Torch.DType {
    init?(_ dtype: SafeTensorsFile.DType) {
        switch dtype {
        case .f32: self = .float32
        case .f64: self = .float64
        case .f16: self = .float16
        case .bf16: self = .bfloat16
        case .i64: self = .int64
        case .i32: self = .int32
        case .i16: self = .int16
        case .i8: self = .int8
        case .u8: self = .uint8
        case .bool: self = .bool
        case .u16, .u32, .u64: return nil
        }
    }
}

extension SafeTensorsFile.DType {
    init(_ dtype: Torch.DType) {
        switch dtype {
        case .float32: self = .f32
        case .float64: self = .f64
        case .float16: self = .f16
        case .bfloat16: self = .bf16
        case .int64: self = .i64
        case .int32: self = .i32
        case .int16: self = .i16
        case .int8: self = .i8
        case .uint8: self = .u8
        case .bool: self = .bool
        }
    }
}
