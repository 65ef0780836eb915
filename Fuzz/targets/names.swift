// fuzzes: PyTorchFiles
// properties: NameMapProperties

/// Any bytes keep the promises of `NameMapProperties.rules`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! NameMapProperties.rules([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
