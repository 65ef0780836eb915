import Diagnostics

/// A decoded picture: rows from the top, each pixel's channels beside each other.
public struct Picture: Equatable, Sendable {
    public var width: Int
    public var height: Int
    /// 1 grey or 3 red, green, blue.
    public var channels: Int
    /// height × width × channels.
    public var bytes: [UInt8]

    public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
        precondition(bytes.count == width * height * channels, "pixels of another size")
        (self.width, self.height, self.channels, self.bytes) = (width, height, channels, bytes)
    }

    /// As the network sees it: one plane after the other, channels × height × width.
    public var planes: [UInt8] {
        guard channels > 1 else { return bytes }
        let size = width * height
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { out, count in
            for channel in 0..<channels {
                for pixel in 0..<size {
                    out[channel * size + pixel] = bytes[pixel * channels + channel]
                }
            }
            count = bytes.count
        }
    }
}

/// How files of pictures are decoded.
public struct PictureOptions: Hashable, Sendable {
    /// 1 or 3; nil: as the file has them.
    public var channels: Int?
    /// Whether pictures are turned as Exif says.
    public var appliesOrientation = true
    /// Red, green and blue behind transparent pixels.
    public var background: [UInt8] = [255, 255, 255]
    public var limits = PictureLimits()

    public init() {}
}

extension Picture {
    /// Decodes a file.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - file: for messages.
    ///   - least: where only a smaller picture is needed: a JPEG may be decoded at a half, a quarter or an eighth of
    ///     its size, if both sides then still are at least these (of the picture as it is seen).
    /// - Throws: `.data` for what is no picture, is damaged or cut, or asks for more than the limits allow.
    public init(
        decoding bytes: [UInt8], file: String, options: PictureOptions = PictureOptions(),
        least: (width: Int, height: Int)? = nil
    ) throws(Problem) {
        let header = try PictureHeader(bytes, file: file)
        try header.check(options.limits, file: file)
        let orientation = options.appliesOrientation ? header.orientation : .upright
        let stored: Picture
        switch header.format {
        case .bmp: stored = try BMP(bytes, file: file).picture()
        case .pnm: stored = try PNM(bytes, file: file).picture()
        case .jpeg:
            let least = orientation.swapsSides ? least.map { ($0.height, $0.width) } : least
            stored = try Picture.jpeg(bytes, header, file: file, options, least)
        case .png: stored = try Picture.png(bytes, file: file, options)
        }
        self = stored.converted(to: options.channels ?? stored.channels).turned(orientation)
    }

    /// The greatest of 1, 2, 4 and 8 by which both sides can be divided.
    static func denominator(_ header: PictureHeader, _ least: (width: Int, height: Int)?) -> Int {
        guard let least else { return 1 }
        return [8, 4, 2].first {
            header.width / $0 >= max(1, least.width) && header.height / $0 >= max(1, least.height)
        } ?? 1
    }

    /// Grey of a colour by the weights of ITU-R BT.601, as Pillow rounds it.
    public func converted(to wanted: Int) -> Picture {
        precondition(wanted == 1 || wanted == 3, "grey or RGB")
        guard wanted != channels else { return self }
        let size = width * height
        let pixels = [UInt8](unsafeUninitializedCapacity: size * wanted) { out, count in
            for i in 0..<size {
                if wanted == 1 {
                    let (r, g, b) = (bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2])
                    let sum = 19595 * UInt32(r) + 38470 * UInt32(g) + 7471 * UInt32(b)
                    out[i] = UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
                } else {
                    for channel in 0..<3 { out[3 * i + channel] = bytes[i] }
                }
            }
            count = size * wanted
        }
        return Picture(width: width, height: height, channels: wanted, bytes: pixels)
    }
}
