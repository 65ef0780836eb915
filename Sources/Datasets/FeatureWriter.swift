/// Turns stored samples into normalised float32, without allocating: bytes through one table of
/// 256 values per channel, table cells by shift and scale.
struct FeatureWriter: Sendable {
    private let sampleShape: [Int]
    private let layout: BatchPlan.Layout
    private let mean: [Float]
    private let std: [Float]
    /// Channels × 256: what a byte becomes.
    private let values: [Float]

    init(_ sampleShape: [Int], _ normalisation: Normalisation, _ layout: BatchPlan.Layout) {
        self.sampleShape = sampleShape
        self.layout = layout
        mean = normalisation.mean
        std = normalisation.std
        values =
            sampleShape.count != 3
            ? []
            : zip(mean, std).flatMap { mean, std in
                (0..<256).map { (Float($0) / 255 - mean) / std }
            }
    }

    func shape(count: Int) -> [Int] {
        guard sampleShape.count == 3, layout == .channelsLast else { return [count] + sampleShape }
        return [count, sampleShape[1], sampleShape[2], sampleShape[0]]
    }

    func row(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
        mean.withUnsafeBufferPointer { mean in
            std.withUnsafeBufferPointer { std in
                for i in 0..<mean.count { target[i] = (source[i] - mean[i]) / std[i] }
            }
        }
    }

    /// One image as it is.
    func image(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<Float>) {
        let channels = sampleShape[0]
        let plane = sampleShape[1] * sampleShape[2]
        let last = layout == .channelsLast
        let step = last ? channels : 1
        values.withUnsafeBufferPointer { values in
            for channel in 0..<channels {
                let table = values.baseAddress! + channel * 256
                let from = source + channel * plane
                let to = target + (last ? channel : channel * plane)
                if step == 1 {
                    for i in 0..<plane { to[i] = table[Int(from[i])] }
                } else {
                    for i in 0..<plane { to[i &* step] = table[Int(from[i])] }
                }
            }
        }
    }

    /// One image, cropped and flipped: pixel (y, x) of the result is pixel (y + down, x + right)
    /// of the source, x counted from the right where flipped, black where that is outside.
    func image(
        _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<Float>,
        _ change: Augmentation.Change
    ) {
        let channels = sampleShape[0]
        let height = sampleShape[1]
        let width = sampleShape[2]
        let last = layout == .channelsLast
        let step = last ? channels : 1
        // The columns of the window that lie on the image, before the flip.
        let left = max(0, -change.right)
        let right = min(width, width - change.right)
        values.withUnsafeBufferPointer { values in
            for channel in 0..<channels {
                let table = values.baseAddress! + channel * 256
                let black = table[0]
                let base = target + (last ? channel : channel * height * width)
                for y in 0..<height {
                    let row = base + y * width * step
                    // Where column 0 of the window goes, and which way the next ones lie.
                    let start = change.flipped ? row + (width - 1) * step : row
                    let stride = change.flipped ? -step : step
                    guard 0..<height ~= y + change.down else {
                        for x in 0..<width { start[x * stride] = black }
                        continue
                    }
                    let line = source + (channel * height + y + change.down) * width + change.right
                    for x in 0..<left { start[x * stride] = black }
                    for x in left..<right { start[x * stride] = table[Int(line[x])] }
                    for x in right..<width { start[x * stride] = black }
                }
            }
        }
    }
}
