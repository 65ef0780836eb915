// fuzzes: Training
// properties: TrainingProperties

/// Any bytes keep the promises of `TrainingProperties.records`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = try! TrainingProperties.records([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
