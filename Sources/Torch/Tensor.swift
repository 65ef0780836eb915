import CTorch

/// An n-dimensional array of the engine, by reference: one handle, freed with the last reference.
///
/// Operators return new tensors and are recorded for gradients; what changes a tensor in place
/// says so in its name and is never recorded. A tensor without a handle is *poisoned*: the result
/// of an operator that failed inside `Engine.checked`; every operator on it yields poison again.
public final class Tensor: @unchecked Sendable {
    // The reference count inside is atomic; writers in place must own the tensor.
    let handle: ct_tensor?

    init(owning handle: ct_tensor?) { self.handle = handle }
    deinit { ct_free(handle) }

    static let poisoned = Tensor(owning: nil)
    public var isPoisoned: Bool { handle == nil }

    /// Runs one operator of the shim, with errors kept or trapped as `Engine.checked` says.
    ///
    /// - Parameter attributes: what a recorder has to know of it besides its arguments.
    @inline(__always)
    static func make(
        _ operation: StaticString, _ arguments: Tensor...,
        attributes: @autoclosure () -> [String: RecordedOperator.Attribute] = [:],
        call: (UnsafeMutablePointer<ct_tensor?>) -> ct_status
    ) -> Tensor {
        make(operation, list: arguments, attributes: attributes(), call: call)
    }

    static func make(
        _ operation: StaticString, list arguments: [Tensor],
        attributes: @autoclosure () -> [String: RecordedOperator.Attribute] = [:],
        call: (UnsafeMutablePointer<ct_tensor?>) -> ct_status
    ) -> Tensor {
        for argument in arguments where argument.isPoisoned { return .poisoned }
        var out: ct_tensor?
        guard Engine.check(call(&out), "\(operation)", arguments) else { return .poisoned }
        let made = Tensor(owning: out)
        OperatorRecorder.current?.note("\(operation)", arguments, attributes(), made)
        return made
    }

    /// For what changes `self` in place.
    @inline(__always)
    func mutate(_ operation: StaticString, _ others: Tensor..., call: (ct_tensor) -> ct_status) {
        guard let handle, !others.contains(where: \.isPoisoned) else { return }
        OperatorRecorder.current?.note("\(operation)", [self] + others, [:], nil)
        Engine.check(call(handle), "\(operation)", [self] + others)
    }
}

// MARK: - Making

extension Tensor {
    /// Float32 values in row-major order.
    public convenience init(_ values: [Float], _ shape: [Int]) {
        self.init(raw: values, shape, .float32)
    }
    /// Float64.
    public convenience init(_ values: [Double], _ shape: [Int]) {
        self.init(raw: values, shape, .float64)
    }
    /// Int64.
    public convenience init(_ values: [Int], _ shape: [Int]) {
        self.init(raw: values, shape, .int64)
    }
    /// Any type from its little-endian bytes in row-major order.
    public convenience init(bytes: [UInt8], _ shape: [Int], dtype: DType) {
        self.init(raw: bytes, shape, dtype)
    }

    private convenience init<Value>(raw values: [Value], _ shape: [Int], _ dtype: DType) {
        var out: ct_tensor?
        let status = values.withUnsafeBytes { bytes in
            shape.asInts { ct_from_bytes(bytes.baseAddress, bytes.count, $0, dtype.rawValue, &out) }
        }
        if status != 0 { Engine.fail("Tensor", [shape], String(cString: ct_last_error())) }
        self.init(owning: out)
    }

    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) -> Tensor {
        let code = device.code
        return make("full") { out in
            shape.asInts { ct_full($0, value, dtype.rawValue, code.kind, code.index, out) }
        }
    }

    public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu)
        -> Tensor
    {
        full(shape, 0, dtype: dtype, device: device)
    }

    public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu)
        -> Tensor
    {
        full(shape, 1, dtype: dtype, device: device)
    }

    /// Not initialised.
    public static func empty(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu)
        -> Tensor
    {
        let code = device.code
        return make("empty") { out in
            shape.asInts { ct_empty($0, dtype.rawValue, code.kind, code.index, out) }
        }
    }

    /// Zeros that all share one number in memory: a shape to look at. Nothing can write to it.
    public static func shapeOnly(_ shape: [Int]) -> Tensor { scalar(0).expanded(shape) }

    /// A tensor of rank 0.
    public static func scalar(_ value: Double, dtype: DType = .float32, device: Device = .cpu)
        -> Tensor
    {
        full([], value, dtype: dtype, device: device)
    }

    /// 0, 1, …, count − 1.
    public static func arange(_ count: Int, dtype: DType = .int64) -> Tensor {
        make("arange") { ct_arange(Int64(count), dtype.rawValue, $0) }
    }
}

// MARK: - Looking

extension Tensor {
    /// Empty for a poisoned tensor, as for rank 0.
    public var shape: [Int] {
        guard let handle else { return [] }
        return (0..<ct_dim(handle)).map { Int(ct_size(handle, $0)) }
    }
    public var rank: Int { handle.map { Int(ct_dim($0)) } ?? 0 }
    public var count: Int { handle.map { Int(ct_numel($0)) } ?? 0 }
    public var dtype: DType { handle.flatMap { DType(rawValue: ct_dtype($0)) } ?? .float32 }
    public var device: Device {
        guard let handle else { return .cpu }
        var kind: Int32 = 0
        var index: Int32 = 0
        ct_device(handle, &kind, &index)
        return kind == CT_CUDA ? .cuda(Int(index)) : kind == CT_MPS ? .mps : .cpu
    }
    public var isContiguous: Bool { handle.map { ct_is_contiguous($0, false) } ?? true }
    public var isChannelsLast: Bool { handle.map { ct_is_contiguous($0, true) } ?? false }

    /// The values in row-major order as float32, whatever the dtype, layout and device.
    public func floats() -> [Float] { read(.float32) }
    public func doubles() -> [Double] { read(.float64) }
    public func ints() -> [Int] { read(.int64) }
    /// The values' bytes in row-major order, in the tensor's own dtype.
    public func bytes() -> [UInt8] { read(dtype, width: dtype.byteCount) }

    private func read<Value>(_ dtype: DType, width: Int = 1) -> [Value] {
        guard let handle else { return [] }
        OperatorRecorder.current?.note("read", [self], [:], nil)
        let total = count * width
        return [Value](unsafeUninitializedCapacity: total) { buffer, filled in
            let status = ct_read(
                handle, dtype.rawValue, buffer.baseAddress, total * MemoryLayout<Value>.stride)
            filled = Engine.check(status, "read", [self]) ? total : 0
        }
    }

    /// The value of a tensor with one element. Not-a-number if poisoned.
    public var item: Double {
        guard let handle else { return .nan }
        OperatorRecorder.current?.note("item", [self], [:], nil)
        var out = Double.nan
        Engine.check(ct_item(handle, &out), "item", [self])
        return out
    }
}

// MARK: - Copies, layout, in-place changes

extension Tensor {
    public func to(_ dtype: DType) -> Tensor {
        Tensor.make("to", self, attributes: ["type": .text("\(dtype)")]) {
            ct_to_dtype(handle, dtype.rawValue, $0)
        }
    }
    public func to(_ device: Device) -> Tensor {
        let code = device.code
        return Tensor.make("to", self, attributes: ["device": .text(device.description)]) {
            ct_to_device(handle, code.kind, code.index, $0)
        }
    }
    public func cloned() -> Tensor { Tensor.make("cloned", self) { ct_clone(handle, $0) } }
    /// Zeros of this tensor's shape, dtype, device *and memory layout*: what optimizer state needs.
    public func zerosLike() -> Tensor {
        let zeros = detached().cloned()
        zeros.zero()
        return zeros
    }
    /// The same storage without history.
    public func detached() -> Tensor { Tensor.make("detached", self) { ct_detach(handle, $0) } }
    public func contiguous() -> Tensor {
        Tensor.make("contiguous", self) { ct_contiguous(handle, false, $0) }
    }
    /// Rank 4 only: the same values with the channels innermost in memory.
    public func channelsLast() -> Tensor {
        Tensor.make("channelsLast", self) { ct_contiguous(handle, true, $0) }
    }
    /// Lays a parameter of rank 4 out with its channels innermost; values and identity stay.
    public func layOutChannelsLast() {
        let other = detached().channelsLast()
        mutate("layOutChannelsLast", other) { ct_set_data($0, other.handle) }
    }
    /// Moves the values of a parameter or buffer to another device; its identity stays.
    public func move(to device: Device) {
        let other = detached().to(device)
        mutate("move", other) { ct_set_data($0, other.handle) }
    }

    public func copy(from source: Tensor) { mutate("copy", source) { ct_copy($0, source.handle) } }
    public func fill(_ value: Double) { mutate("fill") { ct_fill($0, value) } }
    public func zero() { fill(0) }
    /// self += alpha · other
    public func addInPlace(_ other: Tensor, alpha: Double = 1) {
        mutate("addInPlace", other) { ct_add_in_place($0, other.handle, alpha) }
    }
    public func multiplyInPlace(_ factor: Double) {
        mutate("multiplyInPlace") { ct_mul_in_place($0, factor) }
    }
    public func fillNormal(mean: Double = 0, std: Double = 1, _ generator: Generator) {
        mutate("fillNormal") { ct_fill_normal($0, mean, std, generator.handle) }
    }
    public func fillUniform(_ low: Double, _ high: Double, _ generator: Generator) {
        mutate("fillUniform") { ct_fill_uniform($0, low, high, generator.handle) }
    }
    public func fillBernoulli(_ p: Double, _ generator: Generator) {
        mutate("fillBernoulli") { ct_fill_bernoulli($0, p, generator.handle) }
    }
}

// MARK: - Lists for the shim

extension [Int] {
    func asInts<Result>(_ body: (ct_ints) -> Result) -> Result {
        // Int is 64 bits wide on every platform of ours.
        withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: Int64.self) {
                body(ct_ints(values: $0.baseAddress, count: Int64($0.count)))
            }
        }
    }
}

extension [Tensor] {
    func asTensors<Result>(_ body: (ct_tensors) -> Result) -> Result {
        map(\.handle).withUnsafeBufferPointer {
            body(ct_tensors(values: $0.baseAddress, count: Int64($0.count)))
        }
    }
}
