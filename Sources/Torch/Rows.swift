import CTorch

/// A tensor [N] or [N, k] with a row of state for every sample, which a batch reads and changes at the
/// rows of its samples.
///
///     let targets = Rows("targets", count: samples, width: classes)
///     targets.write(batch.rows, targets.read(batch.rows) * 0.7 + probabilities * 0.3)
///
/// A call takes time and memory for its B rows, never for N. It is not recorded for gradients: what it
/// reads is a constant. The rows of a call are int64 [B], each at least 0 and below N. They may lie on
/// the CPU wherever the store is, and should: the host checks them, and would have to wait for a GPU.
/// A call that is refused changes nothing.
public final class Rows {
    /// The tensor's name in a checkpoint.
    public let name: String
    /// The live tensor of all rows.
    public let all: Tensor

    /// - Parameter values: the first ones [N] or [N, k]; they are copied.
    public init(_ name: String, _ values: Tensor) {
        self.name = name
        all = withoutGradient { values.detached().contiguous().cloned() }
    }

    /// - Parameters:
    ///   - width: k of a store [N, k]; nil for [N].
    ///   - value: of every element at first.
    public convenience init(
        _ name: String, count: Int, width: Int? = nil, value: Double = 0,
        dtype: DType = .float32, device: Device = .cpu
    ) {
        let shape = [count] + (width.map { [$0] } ?? [])
        self.init(name, .full(shape, value, dtype: dtype, device: device))
    }

    /// N
    public var count: Int { all.shape.first ?? 0 }
    public var device: Device { all.device }

    /// What a checkpoint keeps.
    public var state: [(name: String, tensor: Tensor)] { [(name, all)] }

    /// The values [B] or [B, k] of `rows`, in their order; a row may be asked for several times.
    public func read(_ rows: Tensor) -> Tensor {
        Tensor.make("Rows.read", all, rows) { ct_row_read(all.handle, rows.handle, $0) }
    }

    /// Replaces the values of `rows`, which must all differ: which of two writes to a row would last is
    /// not the same on every device.
    ///
    /// - Parameter values: [B] or [B, k], of the store's dtype and on its device.
    public func write(_ rows: Tensor, _ values: Tensor) {
        all.mutate("Rows.write", rows, values) { ct_row_write($0, rows.handle, values.handle) }
    }

    /// Adds to the values of `rows`. What comes for the same row several times is all added, on the CPU
    /// in the order of `rows`.
    ///
    /// - Parameter values: [B] or [B, k], of the store's dtype and on its device.
    public func add(_ rows: Tensor, _ values: Tensor) {
        all.mutate("Rows.add", rows, values) { ct_row_add($0, rows.handle, values.handle) }
    }
}
