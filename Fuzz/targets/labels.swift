// fuzzes: Datasets
// properties: DatasetProperties

/// Any bytes keep the promises of `DatasetProperties.labelFile`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! DatasetProperties.labelFile([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
