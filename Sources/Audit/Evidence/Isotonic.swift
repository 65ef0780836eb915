/// The monotone sequence nearest to given numbers in weighted least squares, by pooling adjacent violators
/// (Ayer, Brunk, Ewing, Reid, Silverman, "An Empirical Distribution Function for Sampling with Incomplete
/// Information", Annals of Mathematical Statistics 26, 1955).
enum Isotonic {
    /// - Parameters:
    ///   - weights: at least 0; those of a block that are all 0 leave it at the mean of its values' neighbours'
    ///     block or, alone, at its own value.
    /// - Returns: a non-increasing sequence of the same length.
    static func falling(_ values: [Double], weights: [Double]? = nil) -> [Double] {
        precondition(weights.map { $0.count == values.count } ?? true, "a weight for each value")
        struct Block {
            var mean: Double
            var weight: Double
            var count: Int
        }
        var blocks: [Block] = []
        for (i, value) in values.enumerated() {
            var block = Block(mean: value, weight: weights?[i] ?? 1, count: 1)
            while let last = blocks.last,
                last.mean <= block.mean || block.weight == 0 || last.weight == 0
            {
                blocks.removeLast()
                let weight = last.weight + block.weight
                let mean =
                    weight > 0
                    ? (last.mean * last.weight + block.mean * block.weight) / weight : last.mean
                block = Block(mean: mean, weight: weight, count: last.count + block.count)
            }
            blocks.append(block)
        }
        var out: [Double] = []
        out.reserveCapacity(values.count)
        for block in blocks { out += repeatElement(block.mean, count: block.count) }
        return out
    }
}
