// fuzzes: PyTorchFiles

import Diagnostics
import PyTorchFiles

/// Any bytes are refused with a `Problem`, or are a file that gives every tensor it promises.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let file: PyTorchFile
    do throws(Problem) {
        file = try PyTorchFile(bytes: bytes, name: "input")
    } catch {
        let sentence = error.description
        precondition(error.kind == .data && sentence.hasPrefix("input"))
        precondition(sentence.unicodeScalars.allSatisfy { $0 >= " " })
        return 0
    }
    for tensor in file.tensors {
        // Only truth values have bytes that are none.
        guard let content = try? file.bytes(of: tensor.name) else {
            precondition(tensor.dtype == .bool)
            continue
        }
        precondition(content.count == tensor.shape.reduce(tensor.dtype.size, *))
    }
    return 0
}
