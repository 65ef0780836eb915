import Foundation
import SafeTensors
import Torch

/// A safetensors file under the `Fixtures` folder of a test target, as tensors of the engine.
public struct FixtureFile: Sendable {
    public let file: SafeTensorsFile

    /// - Parameter bundle: `Bundle.module` of the test target.
    public init(_ name: String, in bundle: Bundle) throws {
        guard
            let url = bundle.url(
                forResource: name, withExtension: "safetensors", subdirectory: "Fixtures")
        else { throw NotClose(description: "no fixture \(name).safetensors") }
        file = try SafeTensorsFile(path: url.path)
    }

    public var names: [String] { file.tensors.map(\.name) }
    public func has(_ name: String) -> Bool { file[name] != nil }

    /// The tensor with its own dtype; F32, F64, I64 and BOOL are what the fixtures hold.
    public func tensor(_ name: String) throws -> Tensor {
        let entry = try file.entry(name)
        let types: [SafeTensorsFile.DType: DType] = [
            .f32: .float32, .f64: .float64, .i64: .int64, .bool: .bool, .bf16: .bfloat16,
        ]
        guard let dtype = types[entry.dtype] else {
            throw NotClose(description: "\(name) has dtype \(entry.dtype)")
        }
        return Tensor(bytes: Array(try file.bytes(of: name)), entry.shape, dtype: dtype)
    }
}
