import CTorch

// The networks' operators, as free functions. Images are [N, C, H, W] whatever their memory layout.

/// x Wᵀ + b: [N, in], [out, in], [out] → [N, out].
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
    Tensor.make("linear", list: [x, weight] + [bias].compactMap(\.self)) {
        ct_linear(x.handle, weight.handle, bias?.handle, $0)
    }
}

/// 1-D or 2-D convolution by the length of `stride`; weight [out, in/groups, k…].
public func convolution(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: [Int], padding: [Int],
    dilation: [Int], groups: Int = 1
) -> Tensor {
    Tensor.make(
        "convolution", list: [x, weight] + [bias].compactMap(\.self),
        attributes: [
            "stride": .ints(stride), "padding": .ints(padding), "dilation": .ints(dilation),
            "groups": .int(groups),
        ]
    ) { out in
        stride.asInts { s in
            padding.asInts { p in
                dilation.asInts { d in
                    [Int]().asInts { none in
                        ct_convolution(
                            x.handle, weight.handle, bias?.handle, s, p, d, false, none,
                            Int64(groups), out)
                    }
                }
            }
        }
    }
}

/// 2-D convolution with one number per option.
public func conv2d(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
    dilation: Int = 1, groups: Int = 1
) -> Tensor {
    convolution(
        x, weight, bias, stride: [stride, stride], padding: [padding, padding],
        dilation: [dilation, dilation], groups: groups)
}

public func conv1d(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
    dilation: Int = 1, groups: Int = 1
) -> Tensor {
    convolution(
        x, weight, bias, stride: [stride], padding: [padding], dilation: [dilation], groups: groups)
}

/// The adjoint of `conv2d` in x; weight [in, out/groups, k, k].
public func convTranspose2d(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, groups: Int = 1, dilation: Int = 1
) -> Tensor {
    Tensor.make("convTranspose2d", list: [x, weight] + [bias].compactMap(\.self)) { out in
        [stride, stride].asInts { s in
            [padding, padding].asInts { p in
                [dilation, dilation].asInts { d in
                    [outputPadding, outputPadding].asInts { o in
                        ct_convolution(
                            x.handle, weight.handle, bias?.handle, s, p, d, true, o, Int64(groups),
                            out)
                    }
                }
            }
        }
    }
}

public func maxPool1d(_ x: Tensor, kernel: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
    Tensor.make(
        "maxPool1d", x,
        attributes: [
            "kernel": .int(kernel), "stride": .int(stride ?? kernel), "padding": .int(padding),
        ]
    ) {
        ct_max_pool1d(x.handle, Int64(kernel), Int64(stride ?? kernel), Int64(padding), $0)
    }
}

public func maxPool2d(
    _ x: Tensor, kernel: Int, stride: Int? = nil, padding: Int = 0, ceil: Bool = false
) -> Tensor {
    pool("maxPool2d", x, kernel, stride, padding, ceil) { ct_max_pool2d($0, $1, $2, $3, ceil, $4) }
}

public func avgPool2d(
    _ x: Tensor, kernel: Int, stride: Int? = nil, padding: Int = 0, ceil: Bool = false
) -> Tensor {
    pool("avgPool2d", x, kernel, stride, padding, ceil) { ct_avg_pool2d($0, $1, $2, $3, ceil, $4) }
}

private func pool(
    _ name: StaticString, _ x: Tensor, _ kernel: Int, _ stride: Int?, _ padding: Int,
    _ ceil: Bool,
    call: (ct_tensor?, ct_ints, ct_ints, ct_ints, UnsafeMutablePointer<ct_tensor?>) -> ct_status
) -> Tensor {
    Tensor.make(
        name, x,
        attributes: [
            "kernel": .int(kernel), "stride": .int(stride ?? kernel), "padding": .int(padding),
            "ceil": .int(ceil ? 1 : 0),
        ]
    ) { out in
        [kernel, kernel].asInts { k in
            [stride ?? kernel, stride ?? kernel].asInts { s in
                [padding, padding].asInts { p in call(x.handle, k, s, p, out) }
            }
        }
    }
}

/// Averages over a grid of `height` × `width` cells that covers the image.
public func adaptiveAvgPool2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
    Tensor.make(
        "adaptiveAvgPool2d", x, attributes: ["height": .int(height), "width": .int(width)]
    ) { out in
        [height, width].asInts { ct_adaptive_avg_pool2d(x.handle, $0, out) }
    }
}

/// In training, normalises by the batch and moves the running statistics by `momentum` (in place);
/// otherwise normalises by the running statistics.
public func batchNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?,
    training: Bool, momentum: Double = 0.1, eps: Double = 1e-5
) -> Tensor {
    let parts = [weight, bias, runningMean, runningVariance].compactMap(\.self)
    return Tensor.make(
        "batchNorm", list: [x] + parts,
        attributes: [
            "epsilon": .number(eps), "training": .int(training ? 1 : 0),
            "affine": .int(weight != nil && bias != nil ? 1 : 0), "parts": .int(parts.count),
        ]
    ) {
        ct_batch_norm(
            x.handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle,
            training, momentum, eps, $0)
    }
}

/// Normalises by the running statistics, and tells the mean and the biased variance of `x` over all
/// but dimension 1, [C] each; gradients flow through all three. For methods that search for inputs
/// whose statistics are the running ones. Differentiable once.
public func probedBatchNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, runningMean: Tensor, runningVariance: Tensor,
    eps: Double = 1e-5
) -> (output: Tensor, mean: Tensor, variance: Tensor) {
    let parts = [x, weight, bias, runningMean, runningVariance].compactMap(\.self)
    if parts.contains(where: \.isPoisoned) { return (.poisoned, .poisoned, .poisoned) }
    OperatorRecorder.current?.note("probedBatchNorm", parts, [:], nil)
    var out = [ct_tensor?](repeating: nil, count: 3)
    let status = ct_probed_batch_norm(
        x.handle, weight?.handle, bias?.handle, runningMean.handle, runningVariance.handle, eps,
        &out)
    guard Engine.check(status, "probedBatchNorm", parts) else {
        return (.poisoned, .poisoned, .poisoned)
    }
    return (Tensor(owning: out[0]), Tensor(owning: out[1]), Tensor(owning: out[2]))
}

/// Normalises over the trailing dimensions `shape`.
public func layerNorm(
    _ x: Tensor, _ shape: [Int], weight: Tensor?, bias: Tensor?, eps: Double = 1e-5
) -> Tensor {
    Tensor.make("layerNorm", list: [x] + [weight, bias].compactMap(\.self)) { out in
        shape.asInts { ct_layer_norm(x.handle, $0, weight?.handle, bias?.handle, eps, out) }
    }
}

/// Zeroes each value with probability p and scales the others by 1/(1 − p).
public func dropout(_ x: Tensor, p: Double, _ generator: Generator) -> Tensor {
    p == 0 ? x : Tensor.make("dropout", x) { ct_dropout(x.handle, p, generator.handle, $0) }
}

/// Rows of `weight` [V, D] named by int64 `indices`; the row `paddingIndex` gets no gradient.
public func embedding(_ indices: Tensor, _ weight: Tensor, paddingIndex: Int? = nil) -> Tensor {
    Tensor.make("embedding", indices, weight) {
        ct_embedding(indices.handle, weight.handle, Int64(paddingIndex ?? -1), $0)
    }
}

public enum BagMode: Int32, Sendable { case sum, mean, max }

/// One vector per bag: `indices` [total] cut at `offsets` [bags] (both int64), rows of `weight` joined.
/// Indices equal to `paddingIndex` do not count; a bag of nothing else gives zeros.
public func embeddingBag(
    _ indices: Tensor, offsets: Tensor, _ weight: Tensor, mode: BagMode = .mean,
    paddingIndex: Int? = nil
) -> Tensor {
    Tensor.make("embeddingBag", indices, offsets, weight) {
        ct_embedding_bag(
            indices.handle, offsets.handle, weight.handle, mode.rawValue,
            Int64(paddingIndex ?? -1), $0)
    }
}

public func upsampleNearest2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
    Tensor.make("upsampleNearest2d", x) { out in
        [height, width].asInts { ct_upsample_nearest2d(x.handle, $0, out) }
    }
}

/// −Σ_c target_c log softmax(logits)_c, one value per sample [N].
///
/// - Parameters:
///   - targets: classes [N] (int64), or probabilities [N, C].
///   - smoothing: label smoothing ε: targets become (1 − ε) target + ε/C.
public func crossEntropy(_ logits: Tensor, _ targets: Tensor, smoothing: Double = 0) -> Tensor {
    Tensor.make("crossEntropy", logits, targets) {
        ct_cross_entropy(logits.handle, targets.handle, smoothing, $0)
    }
}
