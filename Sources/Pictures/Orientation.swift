/// How a picture has to be turned for viewing, as Exif numbers it (tag 0x0112).
public enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored, rotated180, flipped, transposed, rotated90, transversed, rotated270

    /// Whether width and height change places.
    var swapsSides: Bool { rawValue >= 5 }

    /// Of an Exif block: a TIFF header and its first directory. Whatever is odd means upright.
    ///
    /// - Parameters:
    ///   - start: of the TIFF header in `bytes`.
    ///   - end: behind the block.
    init(exif bytes: [UInt8], from start: Int, to end: Int) {
        self = Orientation.read(bytes, start, min(end, bytes.count)) ?? .upright
    }

    private static func read(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Orientation? {
        guard start >= 0, end - start >= 14 else { return nil }
        let isLittle: Bool
        switch (bytes[start], bytes[start + 1]) {
        case (0x49, 0x49): isLittle = true
        case (0x4d, 0x4d): isLittle = false
        default: return nil
        }
        func short(_ offset: Int) -> Int? {
            guard offset >= 0, offset <= end - start - 2 else { return nil }
            return isLittle
                ? bytes.little16(at: start + offset) : bytes.big16(at: start + offset)
        }
        guard short(2) == 42,
            let directory = isLittle ? bytes.little32(at: start + 4) : bytes.big32(at: start + 4),
            let count = short(directory)
        else { return nil }
        // Entries of 12 bytes: tag, type, count, value.
        for entry in 0..<count {
            let at = directory + 2 + 12 * entry
            guard let tag = short(at) else { return nil }
            guard tag == 0x0112 else { continue }
            guard short(at + 2) == 3, let value = short(at + 8) else { return nil }
            return Orientation(rawValue: value)
        }
        return nil
    }
}

extension Picture {
    /// The picture as it is meant to be seen.
    func turned(_ orientation: Orientation) -> Picture {
        guard orientation != .upright else { return self }
        // Steps in the stored picture, in bytes, for one pixel to the right and one down.
        let (right, down) = (channels, channels * width)
        let last = (x: (width - 1) * right, y: (height - 1) * down)
        let (start, across, along): (Int, Int, Int) =
            switch orientation {
            case .upright: (0, right, down)
            case .mirrored: (last.x, -right, down)
            case .rotated180: (last.x + last.y, -right, -down)
            case .flipped: (last.y, right, -down)
            case .transposed: (0, down, right)
            case .rotated90: (last.y, -down, right)
            case .transversed: (last.x + last.y, -down, -right)
            case .rotated270: (last.x, down, -right)
            }
        let size = orientation.swapsSides ? (height, width) : (width, height)
        let pixels = [UInt8](unsafeUninitializedCapacity: bytes.count) { out, count in
            var next = 0
            for y in 0..<size.1 {
                var from = start + y * along
                for _ in 0..<size.0 {
                    for channel in 0..<channels { out[next + channel] = bytes[from + channel] }
                    next += channels
                    from += across
                }
            }
            count = next
        }
        return Picture(width: size.0, height: size.1, channels: channels, bytes: pixels)
    }
}
