import CTorch

// Views and rearrangements, with PyTorch's rules (−1 in `reshaped` is inferred).

extension Tensor {
    public func reshaped(_ shape: [Int]) -> Tensor {
        Tensor.make("reshaped", self) { out in shape.asInts { ct_reshape(handle, $0, out) } }
    }
    /// Joins all dimensions from `from` on.
    public func flattened(from: Int = 1) -> Tensor {
        Tensor.make("flattened", self, attributes: ["from": .int(from)]) {
            ct_flatten(handle, Int64(from), $0)
        }
    }
    public func transposed(_ i: Int = -2, _ j: Int = -1) -> Tensor {
        Tensor.make("transposed", self) { ct_transpose(handle, Int64(i), Int64(j), $0) }
    }
    public func permuted(_ order: [Int]) -> Tensor {
        Tensor.make("permuted", self, attributes: ["order": .ints(order)]) { out in
            order.asInts { ct_permute(handle, $0, out) }
        }
    }
    public func squeezed(_ dim: Int) -> Tensor {
        Tensor.make("squeezed", self, attributes: ["dim": .int(dim)]) {
            ct_squeeze(handle, Int64(dim), $0)
        }
    }
    public func unsqueezed(_ dim: Int) -> Tensor {
        Tensor.make("unsqueezed", self, attributes: ["dim": .int(dim)]) {
            ct_unsqueeze(handle, Int64(dim), $0)
        }
    }
    public func expanded(_ shape: [Int]) -> Tensor {
        Tensor.make("expanded", self) { out in shape.asInts { ct_expand(handle, $0, out) } }
    }
    /// `length` slices of `dim` from `start` on.
    public func narrowed(_ dim: Int, from start: Int, count length: Int) -> Tensor {
        Tensor.make(
            "narrowed", self,
            attributes: ["dim": .int(dim), "start": .int(start), "count": .int(length)]
        ) {
            ct_narrow(handle, Int64(dim), Int64(start), Int64(length), $0)
        }
    }
    /// One slice, without the dimension.
    public func selected(_ dim: Int, _ index: Int) -> Tensor {
        Tensor.make("selected", self) { ct_select(handle, Int64(dim), Int64(index), $0) }
    }
    /// The slices of `dim` that `index` (int64, rank 1) names.
    public func indexed(_ dim: Int, by index: Tensor) -> Tensor {
        Tensor.make("indexed", self, index) {
            ct_index_select(handle, Int64(dim), index.handle, $0)
        }
    }
    /// out[i][j] = self[i][index[i][j]] for dim 1.
    public func gathered(_ dim: Int, _ index: Tensor) -> Tensor {
        Tensor.make("gathered", self, index) { ct_gather(handle, Int64(dim), index.handle, $0) }
    }
    public func scatterAdding(_ dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
        Tensor.make("scatterAdding", self, index, source) {
            ct_scatter_add(handle, Int64(dim), index.handle, source.handle, $0)
        }
    }
    /// Int64 classes [N] → int64 zeros and ones [N, classes].
    public func oneHot(_ classes: Int) -> Tensor {
        Tensor.make("oneHot", self) { ct_one_hot(handle, Int64(classes), $0) }
    }
    public func filled(where mask: Tensor, with value: Double) -> Tensor {
        Tensor.make("filled", self, mask) { ct_masked_fill(handle, mask.handle, value, $0) }
    }
    /// PyTorch's order: last dimension first, (before, after) each.
    public func padded(_ amounts: [Int], value: Double = 0) -> Tensor {
        Tensor.make("padded", self) { out in amounts.asInts { ct_pad(handle, $0, value, out) } }
    }
    public func flipped(_ dims: [Int]) -> Tensor {
        Tensor.make("flipped", self) { out in dims.asInts { ct_flip(handle, $0, out) } }
    }

    /// A window of every image [N, C, H, W], shifted and possibly mirrored by its row of `changes`:
    ///
    ///     out[n, c, i, j] = self[n, c, i + down, j′ + right],   j′ = flipped ? W − 1 − j : j
    ///
    /// and 0 where that lies outside the image. Channels-last; differentiable once.
    ///
    /// - Parameter changes: (down, right, flipped) per image, int64 [N, 3].
    public func windowed(_ changes: Tensor) -> Tensor {
        Tensor.make("windowed", self, changes) { ct_window(handle, changes.handle, $0) }
    }

    public static func concatenated(_ parts: [Tensor], _ dim: Int = 0) -> Tensor {
        make("concatenated", list: parts, attributes: ["dim": .int(dim)]) { out in
            parts.asTensors { ct_cat($0, Int64(dim), out) }
        }
    }
    public static func stacked(_ parts: [Tensor], _ dim: Int = 0) -> Tensor {
        make("stacked", list: parts) { out in parts.asTensors { ct_stack($0, Int64(dim), out) } }
    }
}
