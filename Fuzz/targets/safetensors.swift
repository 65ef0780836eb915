// fuzzes: SafeTensors

import Diagnostics
import SafeTensors

/// Any bytes are refused with a `Problem`, or are a file that keeps every promise of the reader
/// and comes out of the writer with the same content.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let file: SafeTensorsFile
    do throws(Problem) {
        file = try SafeTensorsFile(bytes: bytes, name: "input")
    } catch {
        let sentence = error.description
        precondition(error.kind == .data && sentence.hasPrefix("input"))
        precondition(sentence.unicodeScalars.allSatisfy { $0 >= " " })
        return 0
    }
    var reached = file.tensors.first?.range.lowerBound ?? count
    var writer = SafeTensorsWriter(metadata: file.metadata)
    for tensor in file.tensors {
        precondition(tensor.range.lowerBound == reached)
        precondition(tensor.range.count == tensor.shape.reduce(tensor.dtype.size, *))
        reached = tensor.range.upperBound
        touch(tensor, of: file)
        writer.add(
            tensor.name, tensor.dtype, shape: tensor.shape,
            bytes: Array(try! file.bytes(of: tensor.name)))
    }
    precondition(reached == count)
    let copy = try! SafeTensorsFile(bytes: writer.encoded(), name: "copy")
    precondition(copy.metadata == file.metadata && copy.tensors.count == file.tensors.count)
    for tensor in file.tensors {
        precondition(copy[tensor.name]?.shape == tensor.shape)
        precondition(try! copy.bytes(of: tensor.name) == file.bytes(of: tensor.name))
    }
    return 0
}

/// Takes the values out; only BOOL and U64 have bytes that are no value.
private func touch(_ tensor: SafeTensorsFile.Entry, of file: SafeTensorsFile) {
    let count: Int? =
        switch tensor.dtype {
        case .bool: try? file.bools(of: tensor.name).count
        case .u64: try? file.ints(of: tensor.name).count
        case .f16, .bf16, .f32: try! file.floats(of: tensor.name).count
        case .f64: try! file.doubles(of: tensor.name).count
        default: try! file.ints(of: tensor.name).count
        }
    precondition(count == nil || count == tensor.count)
}
