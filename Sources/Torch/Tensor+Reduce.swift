import CTorch

// Reductions. An empty list of dimensions means all of them; negative ones count from the end.

extension Tensor {
    private func reduce(_ op: Int, _ dims: [Int], _ keep: Bool, _ name: StaticString) -> Tensor {
        Tensor.make(name, self) { out in
            dims.asInts { ct_reduce(Int32(op), handle, $0, keep, out) }
        }
    }

    public func sum(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_SUM, dims, keep, "sum")
    }
    public func mean(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_MEAN, dims, keep, "mean")
    }
    public func max(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_AMAX, dims, keep, "max")
    }
    public func min(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_AMIN, dims, keep, "min")
    }
    public func logSumExp(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_LOGSUMEXP, dims, keep, "logSumExp")
    }
    /// Euclidean norm.
    public func norm(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_NORM, dims, keep, "norm")
    }
    public func any(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_ANY, dims, keep, "any")
    }
    public func all(_ dims: Int..., keep: Bool = false) -> Tensor {
        reduce(CT_ALL, dims, keep, "all")
    }

    public func variance(_ dims: Int..., unbiased: Bool = true, keep: Bool = false) -> Tensor {
        Tensor.make("variance", self) { out in
            dims.asInts { ct_variance(handle, $0, unbiased, keep, out) }
        }
    }

    /// Int64 positions of the largest values; the first among equals.
    public func argmax(_ dim: Int = -1, keep: Bool = false) -> Tensor {
        Tensor.make("argmax", self) { ct_argmax(handle, Int64(dim), keep, $0) }
    }
    public func softmax(_ dim: Int = -1) -> Tensor {
        Tensor.make("softmax", self, attributes: ["dim": .int(dim)]) {
            ct_softmax(handle, Int64(dim), false, $0)
        }
    }
    public func logSoftmax(_ dim: Int = -1) -> Tensor {
        Tensor.make("logSoftmax", self) { ct_softmax(handle, Int64(dim), true, $0) }
    }

    /// The k largest along `dim`, in descending order.
    public func topK(_ k: Int, _ dim: Int = -1) -> (values: Tensor, indices: Tensor) {
        pair("topK") { ct_topk(handle, Int64(k), Int64(dim), $0, $1) }
    }
    /// Stable.
    public func sorted(_ dim: Int = -1, descending: Bool = false) -> (
        values: Tensor, indices: Tensor
    ) {
        pair("sorted") { ct_sort(handle, Int64(dim), descending, $0, $1) }
    }
    public func cumulativeSum(_ dim: Int) -> Tensor {
        Tensor.make("cumulativeSum", self) { ct_cumsum(handle, Int64(dim), $0) }
    }

    private func pair(
        _ name: StaticString,
        call: (UnsafeMutablePointer<ct_tensor?>, UnsafeMutablePointer<ct_tensor?>) -> ct_status
    ) -> (Tensor, Tensor) {
        if isPoisoned { return (.poisoned, .poisoned) }
        OperatorRecorder.current?.note("\(name)", [self], [:], nil)
        var a: ct_tensor?
        var b: ct_tensor?
        guard Engine.check(call(&a, &b), "\(name)", [self]) else { return (.poisoned, .poisoned) }
        return (Tensor(owning: a), Tensor(owning: b))
    }
}
