// fuzzes: Datasets
// properties: DatasetProperties

/// Any bytes keep the promises of `DatasetProperties.idx`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! DatasetProperties.idx([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
