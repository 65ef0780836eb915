import Diagnostics

/// Values of tensors as Swift numbers, in row-major order. Every conversion is exact: an accessor
/// refuses the dtypes it would have to round.
extension SafeTensorsFile {
    /// The bytes of a tensor as they stand in the file; indices count from the file's beginning.
    public func bytes(of name: String) throws(Problem) -> ArraySlice<UInt8> {
        content[try entry(name).range]
    }

    /// The values of an F32, F16 or BF16 tensor.
    public func floats(of name: String) throws(Problem) -> [Float] {
        let entry = try entry(name)
        switch entry.dtype {
        case .f32: return load(entry) { (raw: UInt32) in Float(bitPattern: raw) }
        case .f16: return load(entry, Self.half)
        case .bf16: return load(entry) { (raw: UInt16) in Float(bitPattern: UInt32(raw) << 16) }
        default: throw .wrongDType(self.name, entry, "F32, F16 or BF16")
        }
    }

    /// The values of an F64, F32, F16 or BF16 tensor.
    public func doubles(of name: String) throws(Problem) -> [Double] {
        let entry = try entry(name)
        switch entry.dtype {
        case .f64: return load(entry) { (raw: UInt64) in Double(bitPattern: raw) }
        case .f32, .f16, .bf16: return try floats(of: name).map(Double.init)
        default: throw .wrongDType(self.name, entry, "F64, F32, F16 or BF16")
        }
    }

    /// The values of a tensor of signed or unsigned integers.
    ///
    /// - Throws: `Problem` also for a U64 above `Int.max`.
    public func ints(of name: String) throws(Problem) -> [Int] {
        let entry = try entry(name)
        switch entry.dtype {
        case .i8: return load(entry) { (raw: Int8) in Int(raw) }
        case .u8: return load(entry) { (raw: UInt8) in Int(raw) }
        case .i16: return load(entry) { (raw: Int16) in Int(raw) }
        case .u16: return load(entry) { (raw: UInt16) in Int(raw) }
        case .i32: return load(entry) { (raw: Int32) in Int(raw) }
        case .u32: return load(entry) { (raw: UInt32) in Int(raw) }
        case .i64: return load(entry) { (raw: Int64) in Int(raw) }
        case .u64:
            let values = load(entry) { (raw: UInt64) in raw }
            if let i = values.firstIndex(where: { $0 > UInt64(Int.max) }) {
                throw .integerTooLarge(self.name, entry, element: i, values[i])
            }
            return values.map(Int.init)
        default: throw .wrongDType(self.name, entry, "an integer dtype")
        }
    }

    /// The values of a BOOL tensor.
    ///
    /// - Throws: `Problem` also for a byte that is neither 0 nor 1.
    public func bools(of name: String) throws(Problem) -> [Bool] {
        let entry = try entry(name)
        guard entry.dtype == .bool else { throw .wrongDType(self.name, entry, "BOOL") }
        let raw = content[entry.range]
        if let i = raw.firstIndex(where: { $0 > 1 }) {
            throw .notBoolean(self.name, entry, element: i - raw.startIndex, raw[i])
        }
        return raw.map { $0 == 1 }
    }

    private func load<Raw: FixedWidthInteger, Value>(
        _ entry: Entry, _ convert: (Raw) -> Value
    ) -> [Value] {
        content.withUnsafeBytes { all in
            (0..<entry.count).map { i in
                // Only the data as a whole is aligned: a header need not be padded.
                let raw = all.loadUnaligned(
                    fromByteOffset: entry.range.lowerBound + i * MemoryLayout<Raw>.size,
                    as: Raw.self)
                return convert(Raw(littleEndian: raw))
            }
        }
    }

    /// IEEE 754 binary16 to binary32. By hand because `Float16` is missing on Intel Macs.
    private static func half(_ bits: UInt16) -> Float {
        let sign = UInt32(bits >> 15) << 31
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:  // zero and subnormals: fraction × 2⁻²⁴
            let value = Float(fraction) * 0x1p-24
            return sign == 0 ? value : -value
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
