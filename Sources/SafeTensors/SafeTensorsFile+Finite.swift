import Diagnostics

extension SafeTensorsFile {
    /// The first element of a tensor that is not finite, or would not be as float32; nil if there is
    /// none, and for tensors of integers.
    ///
    /// - Throws: `Problem` (`.data`) if there is no such tensor.
    public func firstNotFinite(in name: String) throws(Problem) -> Int? {
        let entry = try entry(name)
        // A number is infinite or none where all bits of the exponent are set.
        switch entry.dtype {
        case .f32: return first(entry) { (raw: UInt32) in raw & 0x7F80_0000 == 0x7F80_0000 }
        case .f16: return first(entry) { (raw: UInt16) in raw & 0x7C00 == 0x7C00 }
        case .bf16: return first(entry) { (raw: UInt16) in raw & 0x7F80 == 0x7F80 }
        case .f64:
            return first(entry) { (raw: UInt64) in !Float(Double(bitPattern: raw)).isFinite }
        default: return nil
        }
    }

    private func first<Raw: FixedWidthInteger>(
        _ entry: Entry, where isBad: (Raw) -> Bool
    ) -> Int? {
        content.withUnsafeBytes { all in
            (0..<entry.count).first { i in
                isBad(
                    Raw(
                        littleEndian: all.loadUnaligned(
                            fromByteOffset: entry.range.lowerBound + i * MemoryLayout<Raw>.size,
                            as: Raw.self)))
            }
        }
    }
}
