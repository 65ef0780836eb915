import Foundation

/// How a picture becomes one of another size.
public enum Resampling: String, Codable, Sendable, CaseIterable {
    /// The mean over the area that a new pixel covers, parts of pixels by their share.
    case area
    /// Weights that fall off linearly from the centre of a new pixel, over at least one old pixel and,
    /// where the picture becomes smaller, over as many as there are to a new one on each side: what
    /// Pillow's BILINEAR and torchvision's `antialias=True` do.
    case bilinear

    /// What old pixels give to the new ones along one side.
    struct Weights {
        /// Of each new pixel: its first old one, and how many there are.
        var ranges: [(first: Int, count: Int)] = []
        /// `width` for each new pixel, in units of 2⁻²².
        var values: [Int32] = []
        /// The most that a new pixel has.
        var width = 0

        static let bits: Int32 = 22
    }

    /// - Parameters:
    ///   - start: where the part of the old side begins that is looked at, in pixels.
    ///   - length: of that part.
    ///   - old: pixels of the side.
    ///   - new: pixels wanted.
    func weights(from start: Double, _ length: Double, of old: Int, to new: Int) -> Weights {
        let scale = length / Double(new)
        let reach = self == .area ? scale / 2 : max(scale, 1)
        var rows: [(first: Int, weights: [Double])] = []
        for i in 0..<new {
            let centre = start + (Double(i) + 0.5) * scale
            let (first, end): (Int, Int)
            if self == .area {
                first = min(old - 1, max(0, Int((centre - reach).rounded(.down))))
                end = min(old, max(first + 1, Int((centre + reach).rounded(.up))))
            } else {
                first = max(0, Int(centre - reach + 0.5))
                end = min(old, Int(centre + reach + 0.5))
            }
            var weights = (first..<max(end, first + 1)).map { pixel in
                if self == .area {
                    return max(
                        0,
                        min(Double(pixel + 1), centre + reach) - max(Double(pixel), centre - reach)
                    )
                }
                return max(0, 1 - abs((Double(pixel) - centre + 0.5) / reach))
            }
            let sum = weights.reduce(0, +)
            if sum > 0 {
                for k in weights.indices { weights[k] /= sum }
            } else {
                weights[0] = 1
            }
            rows.append((first, weights))
        }
        var out = Weights()
        out.width = rows.map(\.weights.count).max() ?? 0
        let unit = Double(1 << Weights.bits)
        for (first, weights) in rows {
            out.ranges.append((first, weights.count))
            out.values += weights.map { Int32(($0 * unit + 0.5).rounded(.down)) }
            out.values += [Int32](repeating: 0, count: out.width - weights.count)
        }
        return out
    }
}

extension Picture {
    /// A part of a picture in pixels, which need not be whole.
    struct Region {
        var x, y, width, height: Double
    }

    /// Rows first, then columns, each rounded to whole grey levels, as Pillow does.
    func resampled(width new: Int, height newHeight: Int, _ resampling: Resampling, part: Region)
        -> Picture
    {
        let across = resampling.weights(from: part.x, part.width, of: width, to: new)
        let along = resampling.weights(from: part.y, part.height, of: height, to: newHeight)
        // Rows that no new pixel looks at need not be made.
        let top = along.ranges.map(\.first).min() ?? 0
        let bottom = along.ranges.map { $0.first + $0.count }.max() ?? 0
        let half: Int32 = 1 << (Resampling.Weights.bits - 1)
        let channels = channels
        let narrow = [UInt8](unsafeUninitializedCapacity: (bottom - top) * new * channels) {
            out, count in
            bytes.withUnsafeBufferPointer { source in
                across.values.withUnsafeBufferPointer { values in
                    for y in top..<bottom {
                        let row = y * width * channels
                        let to = (y - top) * new * channels
                        for x in 0..<new {
                            let (first, taps) = across.ranges[x]
                            for channel in 0..<channels {
                                var sum = half
                                var at = row + first * channels + channel
                                for k in 0..<taps {
                                    sum &+= Int32(source[at]) &* values[x * across.width + k]
                                    at += channels
                                }
                                out[to + x * channels + channel] = clipped(sum)
                            }
                        }
                    }
                }
            }
            count = (bottom - top) * new * channels
        }
        let line = new * channels
        let pixels = [UInt8](unsafeUninitializedCapacity: newHeight * line) { out, count in
            narrow.withUnsafeBufferPointer { source in
                for y in 0..<newHeight {
                    let (first, taps) = along.ranges[y]
                    for x in 0..<line {
                        var sum = half
                        for k in 0..<taps {
                            sum &+=
                                Int32(source[(first - top + k) * line + x])
                                &* along.values[y * along.width + k]
                        }
                        out[y * line + x] = clipped(sum)
                    }
                }
            }
            count = newHeight * line
        }
        return Picture(width: new, height: newHeight, channels: channels, bytes: pixels)
    }
}

@inline(__always)
private func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: max(0, min(255, sum >> Resampling.Weights.bits)))
}
