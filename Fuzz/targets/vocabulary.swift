// fuzzes: LabelText
// properties: LabelTextProperties

/// Any bytes keep the promises of `LabelTextProperties.vocabulary`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! LabelTextProperties.vocabulary(
        [UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
