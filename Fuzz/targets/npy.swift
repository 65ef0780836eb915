// fuzzes: LabelText
// properties: LabelTextProperties

/// Any bytes keep the promises of `LabelTextProperties.matrix`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! LabelTextProperties.matrix([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
