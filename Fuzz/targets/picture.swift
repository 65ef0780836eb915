// fuzzes: Pictures
// properties: PictureProperties

/// Any bytes keep the promises of `PictureProperties.picture`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! PictureProperties.picture([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
