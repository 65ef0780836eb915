import Foundation

/// Applies a view's change to one image, from bytes to float32 in [0, 1], channel by channel in
/// planes; then normalises into place. Works in buffers of its own that last for a batch.
struct ViewWriter {
    private let channels: Int
    private let height: Int
    private let width: Int
    /// C × H × W, values in [0, 1].
    private(set) var image: [Float]
    private var grey: [Float]
    /// Per column: the two source columns and the share of the second.
    private var columns: [(Int, Int, Float)]

    init(_ sampleShape: [Int]) {
        (channels, height, width) = (sampleShape[0], sampleShape[1], sampleShape[2])
        image = [Float](repeating: 0, count: channels * height * width)
        grey = [Float](repeating: 0, count: height * width)
        columns = Array(repeating: (0, 0, 0), count: width)
    }

    private var plane: Int { height * width }
    private var hasColour: Bool { channels == 3 }

    /// Leaves the changed image in `image`.
    mutating func apply(_ change: Views.Change, to source: UnsafePointer<UInt8>) {
        crop(change, source)
        for step in change.jitter {
            switch step {
            case .brightness(let factor):
                for i in image.indices { image[i] = cut(image[i] * factor) }
            case .contrast(let factor): blendWithMean(factor)
            case .saturation(let factor): if hasColour { blendWithGrey(factor) }
            case .hue(let turn): if hasColour, turn != 0 { rotateHue(turn) }
            }
        }
        if change.grey, hasColour { blendWithGrey(0) }
    }

    /// Normalised, in the layout of a batch.
    func write(
        to target: UnsafeMutablePointer<Float>, mean: [Float], std: [Float],
        channelsLast: Bool
    ) {
        for channel in 0..<channels {
            let (m, d) = (mean[channel], std[channel])
            let from = channel * plane
            if channelsLast {
                for i in 0..<plane { target[i * channels + channel] = (image[from + i] - m) / d }
            } else {
                for i in 0..<plane { target[from + i] = (image[from + i] - m) / d }
            }
        }
    }

    /// Pixel centres keep their places: output y looks at source (y + ½) h/H − ½, cut at the window's
    /// edge.
    private mutating func crop(_ change: Views.Change, _ source: UnsafePointer<UInt8>) {
        func place(_ i: Int, _ extent: Int, _ size: Int) -> (Int, Int, Float) {
            let x = max(0, (Float(i) + 0.5) * (Float(extent) / Float(size)) - 0.5)
            let low = min(Int(x), extent - 1)
            return (low, min(low + 1, extent - 1), x - Float(low))
        }
        for x in 0..<width {
            let (a, b, share) = place(x, change.width, width)
            columns[change.flipped ? width - 1 - x : x] = (change.left + a, change.left + b, share)
        }
        let (channels, height, width, plane) = (channels, height, width, plane)
        let columns = columns
        image.withUnsafeMutableBufferPointer { image in
            for y in 0..<height {
                let (a, b, down) = place(y, change.height, height)
                for channel in 0..<channels {
                    let upper = source + (channel * height + change.top + a) * width
                    let lower = source + (channel * height + change.top + b) * width
                    let target = channel * plane + y * width
                    for x in 0..<width {
                        let (i, j, right) = columns[x]
                        let top = Float(upper[i]) + (Float(upper[j]) - Float(upper[i])) * right
                        let bottom = Float(lower[i]) + (Float(lower[j]) - Float(lower[i])) * right
                        image[target + x] = (top + (bottom - top) * down) / 255
                    }
                }
            }
        }
    }

    private func cut(_ value: Float) -> Float { min(1, max(0, value)) }

    /// Luma of each pixel, with torchvision's weights; the plane itself where there is no colour.
    private mutating func fillGrey() {
        for i in 0..<plane {
            grey[i] =
                hasColour
                ? 0.2989 * image[i] + 0.587 * image[plane + i] + 0.114 * image[2 * plane + i]
                : image[i]
        }
    }

    private mutating func blendWithMean(_ factor: Float) {
        fillGrey()
        if hasColour || channels == 1 {
            let mean = Float(grey.reduce(0.0) { $0 + Double($1) } / Double(plane))
            for i in image.indices { image[i] = cut(factor * image[i] + (1 - factor) * mean) }
            return
        }
        // Channels that are no colours have a mean each.
        for channel in 0..<channels {
            let range = channel * plane..<(channel + 1) * plane
            let mean = Float(image[range].reduce(0.0) { $0 + Double($1) } / Double(plane))
            for i in range { image[i] = cut(factor * image[i] + (1 - factor) * mean) }
        }
    }

    private mutating func blendWithGrey(_ factor: Float) {
        fillGrey()
        for channel in 0..<channels {
            for i in 0..<plane {
                let at = channel * plane + i
                image[at] = cut(factor * image[at] + (1 - factor) * grey[i])
            }
        }
    }

    /// By way of hue, saturation and value.
    private mutating func rotateHue(_ turn: Float) {
        for i in 0..<plane {
            let (r, g, b) = (image[i], image[plane + i], image[2 * plane + i])
            let value = max(r, g, b)
            let range = value - min(r, g, b)
            guard range > 0 else { continue }
            let saturation = range / value
            var hue: Float
            if value == r {
                hue = (g - b) / range
            } else if value == g {
                hue = 2 + (b - r) / range
            } else {
                hue = 4 + (r - g) / range
            }
            hue = hue / 6 + turn
            hue -= hue.rounded(.down)
            let sector = hue * 6
            let part = sector - sector.rounded(.down)
            let p = cut(value * (1 - saturation))
            let q = cut(value * (1 - saturation * part))
            let t = cut(value * (1 - saturation * (1 - part)))
            let colour: (Float, Float, Float) =
                switch Int(sector) % 6 {
                case 0: (value, t, p)
                case 1: (q, value, p)
                case 2: (p, value, t)
                case 3: (p, q, value)
                case 4: (t, p, value)
                default: (value, p, q)
                }
            (image[i], image[plane + i], image[2 * plane + i]) = colour
        }
    }
}
