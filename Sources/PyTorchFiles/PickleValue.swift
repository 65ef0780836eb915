import SafeTensors

/// What a restricted pickle can hold. Containers are numbers of nodes in the machine, so that
/// values are small, sharing costs nothing and a cycle cannot hurt.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    /// Where the text's bytes lie in the file.
    case text(Range<Int>)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case storage(Int)
    case tensor(Int)
    /// Something harmless that nobody will look at: a device, an element type, raw bytes, a set.
    case opaque
    /// What the machine does not know and has not built; see `PickleMachine.Foreign`.
    case foreign(Int)

    /// The node of a tuple or a list.
    var sequence: Int? {
        switch self {
        case .tuple(let node), .list(let node): node
        default: nil
        }
    }
}

/// The names that the machine knows. They are words for it: no class is looked up, nothing is called.
enum PickleGlobal: Equatable {
    case orderedDictionary, rebuildTensor, rebuildParameter, size, device, dtype
    case storage(SafeTensorsFile.DType)

    init?(_ name: String) {
        switch name {
        case "collections.OrderedDict": self = .orderedDictionary
        case "torch._utils._rebuild_tensor_v2": self = .rebuildTensor
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            self = .rebuildParameter
        case "torch.Size": self = .size
        case "torch.device": self = .device
        case "torch.float64", "torch.float32", "torch.float16", "torch.bfloat16", "torch.int64",
            "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool":
            self = .dtype
        case "torch.DoubleStorage": self = .storage(.f64)
        case "torch.FloatStorage": self = .storage(.f32)
        case "torch.HalfStorage": self = .storage(.f16)
        case "torch.BFloat16Storage": self = .storage(.bf16)
        case "torch.LongStorage": self = .storage(.i64)
        case "torch.IntStorage": self = .storage(.i32)
        case "torch.ShortStorage": self = .storage(.i16)
        case "torch.CharStorage": self = .storage(.i8)
        case "torch.ByteStorage": self = .storage(.u8)
        case "torch.BoolStorage": self = .storage(.bool)
        default: return nil
        }
    }
}

/// A run of numbers that tensors look into.
struct PickleStorage {
    let key: [UInt8]
    let dtype: SafeTensorsFile.DType
    let count: Int
}

/// A view of a storage: element (i₀, i₁, …) is number offset + Σ iₖ·strideₖ.
struct PickleTensor {
    let storage: Int
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    var count: Int { shape.reduce(1, *) }

    /// Whether the elements lie one after the other; sizes of 1 may have any stride.
    var isContiguous: Bool {
        var step = 1
        for (size, stride) in zip(shape, strides).reversed() {
            if size != 1, stride != step { return false }
            step *= size
        }
        return true
    }

    /// Nil unless every element lies in a storage of `available` elements and there are no more of
    /// them than it has (an expanded tensor could stand for more values than memory holds).
    init?(storage: Int, available: Int, offset: Int, shape: [Int], strides: [Int]) {
        guard shape.count == strides.count, offset >= 0, offset <= available,
            shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
        else { return nil }
        (self.storage, self.offset, self.shape, self.strides) = (storage, offset, shape, strides)
        if shape.contains(0) {
            // Nothing is there, but `count` and the checks of others must not overflow.
            guard shape.allSatisfy({ $0 <= 1 << 40 }) else { return nil }
            var product = 1
            for size in shape {
                let (next, overflow) = product.multipliedReportingOverflow(by: max(1, size))
                if overflow || next > 1 << 48 { return nil }
                product = next
            }
            return
        }
        var (last, count) = (offset, 1)
        for (size, stride) in zip(shape, strides) {
            let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, carry) = last.addingReportingOverflow(reach)
            let (product, high) = count.multipliedReportingOverflow(by: size)
            if overflow || carry || high || product > available { return nil }
            (last, count) = (sum, product)
        }
        guard last < available else { return nil }
    }
}
