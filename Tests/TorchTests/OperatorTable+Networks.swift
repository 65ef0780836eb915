import Torch

extension OperatorTable {
    mutating func addShapes() {
        unary("reshaped", ["inferred"]) { $0.reshaped([5, -1]) }
        unary("flattened", ["default"]) { $0.flattened() }
        unary("flattened", ["all"]) { $0.flattened(from: 0) }
        unary("transposed", ["last-two"]) { $0.transposed() }
        unary("transposed", ["named"]) { $0.transposed(0, 2) }
        unary("permuted", ["rank-4"]) { $0.permuted([0, 2, 3, 1]) }
        unary("squeezed", ["middle"]) { $0.squeezed(1) }
        unary("unsqueezed", ["end"]) { $0.unsqueezed(-1) }
        unary("expanded", ["rows"]) { $0.expanded([4, 3, 5]) }
        unary("narrowed", ["columns"]) { $0.narrowed(1, from: 2, count: 3) }
        unary("selected", ["negative"]) { $0.selected(1, -2) }
        binary("indexed", ["repeats"]) { $0.indexed(0, by: $1) }
        binary("gathered", ["rows"]) { $0.gathered(1, $1) }
        one("scatterAdding:collisions") { $0[0].scatterAdding(1, $0[1], $0[2]) }
        unary("oneHot", ["classes"]) { $0.oneHot(5) }
        binary("filled", ["mask"]) { $0.filled(where: $1, with: -3.5) }
        unary("padded", ["two-dimensions"]) { $0.padded([1, 2, 0, 3], value: 0.5) }
        unary("padded", ["cut"]) { $0.padded([-1, 1]) }
        unary("flipped", ["two"]) { $0.flipped([0, 2]) }
        one("concatenated:columns") { Tensor.concatenated($0, 1) }
        one("stacked:middle") { Tensor.stacked($0, 1) }
    }

    mutating func addConvolutions() {
        one("convolution:two-dimensions") {
            convolution($0[0], $0[1], $0[2], stride: [2, 1], padding: [0, 2], dilation: [1, 2])
        }
        binary("convolution", ["one-dimension"]) {
            convolution($0, $1, stride: [2], padding: [1], dilation: [1])
        }
        one("conv2d:same") { conv2d($0[0], $0[1], $0[2], padding: 1) }
        binary("conv2d", ["stride"]) { conv2d($0, $1, stride: 2, padding: 1) }
        binary("conv2d", ["pointwise"]) { conv2d($0, $1) }
        binary("conv2d", ["depthwise"]) { conv2d($0, $1, padding: 1, groups: 4) }
        one("conv2d:dilated-groups") {
            conv2d($0[0], $0[1], $0[2], padding: 2, dilation: 2, groups: 2)
        }
        one("conv1d:groups") {
            conv1d($0[0], $0[1], $0[2], stride: 2, padding: 3, dilation: 2, groups: 2)
        }
        one("convTranspose2d:stride") {
            convTranspose2d($0[0], $0[1], $0[2], stride: 2, padding: 1, outputPadding: 1)
        }
        binary("convTranspose2d", ["dilated-groups"]) {
            convTranspose2d($0, $1, groups: 2, dilation: 2)
        }
        unary("maxPool1d", ["default"]) { maxPool1d($0, kernel: 3) }
        unary("maxPool1d", ["padded"]) { maxPool1d($0, kernel: 3, stride: 2, padding: 1) }
        unary("maxPool2d", ["default"]) { maxPool2d($0, kernel: 2) }
        unary("maxPool2d", ["padded-ceil"]) {
            maxPool2d($0, kernel: 3, stride: 2, padding: 1, ceil: true)
        }
        unary("avgPool2d", ["default"]) { avgPool2d($0, kernel: 2) }
        unary("avgPool2d", ["padded-ceil"]) {
            avgPool2d($0, kernel: 3, stride: 2, padding: 1, ceil: true)
        }
        unary("adaptiveAvgPool2d", ["one"]) { adaptiveAvgPool2d($0, height: 1, width: 1) }
        unary("adaptiveAvgPool2d", ["uneven"]) { adaptiveAvgPool2d($0, height: 3, width: 2) }
        unary("upsampleNearest2d", ["uneven"]) { upsampleNearest2d($0, height: 7, width: 5) }
    }

    mutating func addNetworks() {
        one("linear:bias") { linear($0[0], $0[1], $0[2]) }
        binary("linear", ["no-bias"]) { linear($0, $1) }
        // The running statistics are changed in place: each run starts from copies.
        let normalise = {
            @Sendable (x: [Tensor], training: Bool, momentum: Double, eps: Double) -> [Tensor] in
            let mean = x[3].cloned()
            let variance = x[4].cloned()
            let y = batchNorm(
                x[0], weight: x[1], bias: x[2], runningMean: mean, runningVariance: variance,
                training: training, momentum: momentum, eps: eps)
            return [y, mean, variance]
        }
        add("batchNorm:training") { normalise($0, true, 0.1, 1e-5) }
        add("batchNorm:training-options") { normalise($0, true, 0.3, 0.01) }
        add("batchNorm:evaluation") { normalise($0, false, 0.1, 1e-5) }
        unary("batchNorm", ["plain"]) {
            batchNorm(
                $0, weight: nil, bias: nil, runningMean: nil, runningVariance: nil, training: true)
        }
        one("layerNorm:affine") { layerNorm($0[0], [5], weight: $0[1], bias: $0[2]) }
        unary("layerNorm", ["two-dimensions"]) {
            layerNorm($0, [3, 5], weight: nil, bias: nil, eps: 0.01)
        }
        binary("embedding", ["repeats"]) { embedding($0, $1) }
        binary("embedding", ["padding"]) { embedding($0, $1, paddingIndex: 2) }
        one("embeddingBag:sum") { embeddingBag($0[0], offsets: $0[1], $0[2], mode: .sum) }
        one("embeddingBag:mean") { embeddingBag($0[0], offsets: $0[1], $0[2]) }
        one("embeddingBag:max") { embeddingBag($0[0], offsets: $0[1], $0[2], mode: .max) }
        one("embeddingBag:padding") {
            embeddingBag($0[0], offsets: $0[1], $0[2], mode: .mean, paddingIndex: 1)
        }
        binary("crossEntropy", ["classes", "probabilities"]) { crossEntropy($0, $1) }
        binary("crossEntropy", ["smoothed"]) { crossEntropy($0, $1, smoothing: 0.1) }
        binary("crossEntropy", ["probabilities-smoothed"]) { crossEntropy($0, $1, smoothing: 0.2) }
    }
}
