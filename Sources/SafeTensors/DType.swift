extension SafeTensorsFile {
    /// The element types this target reads and writes; raw values are the format's names.
    public enum DType: String, CaseIterable, Sendable {
        case bool = "BOOL"
        case u8 = "U8"
        case i8 = "I8"
        case i16 = "I16"
        case u16 = "U16"
        case f16 = "F16"
        case bf16 = "BF16"
        case i32 = "I32"
        case u32 = "U32"
        case f32 = "F32"
        case f64 = "F64"
        case i64 = "I64"
        case u64 = "U64"

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .bool, .u8, .i8: 1
            case .i16, .u16, .f16, .bf16: 2
            case .i32, .u32, .f32: 4
            case .f64, .i64, .u64: 8
            }
        }

        /// Place in the order the cases stand in, which is the reference writer's: by size, then
        /// by type.
        var rank: Int { Self.allCases.firstIndex(of: self)! }

        /// Names the format has but Limbeck does not read: so that the error can tell a file of
        /// another program from a damaged one.
        static let unsupported = [
            "F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ",
            "F8_E5M2FNUZ", "C64",
        ]

        /// Bytes of a tensor of `shape`, or nil if they pass `Int.max` or a size is negative.
        func byteCount(of shape: [Int]) -> Int? {
            var count = size
            for dimension in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
                if overflow || dimension < 0 { return nil }
                count = product
            }
            return count
        }
    }
}
