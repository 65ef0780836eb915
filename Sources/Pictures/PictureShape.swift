import Diagnostics

/// The size that pictures are brought to, and how.
public struct PictureShape: Hashable, Sendable {
    /// What becomes of a picture of another aspect.
    public enum Fit: String, Codable, Sendable, CaseIterable {
        /// It is stretched.
        case stretch
        /// The largest part of the right aspect is taken from the middle.
        case crop
        /// It is made to fit, with the background beside it.
        case pad
    }

    public var height: Int
    public var width: Int
    public var fit: Fit
    public var resampling: Resampling

    public init(
        height: Int, width: Int, fit: Fit = .stretch, resampling: Resampling = .bilinear
    ) {
        precondition(height > 0 && width > 0, "a size without pixels")
        (self.height, self.width, self.fit, self.resampling) = (height, width, fit, resampling)
    }

    /// Decodes a picture and brings it to this size.
    ///
    /// A JPEG that is far larger is decoded at a half, a quarter or an eighth of its size, as long as twice the
    /// pixels are left that are wanted of it.
    public func picture(
        _ bytes: [UInt8], file: String, options: PictureOptions
    ) throws(Problem) -> Picture {
        let header = try PictureHeader(bytes, file: file)
        let isTurned = options.appliesOrientation && header.orientation.swapsSides
        let seen = isTurned ? (header.height, header.width) : (header.width, header.height)
        let part = region(width: seen.0, height: seen.1)
        let target = size(width: seen.0, height: seen.1)
        func least(_ wanted: Int, _ part: Double, _ whole: Int) -> Int {
            Int((2 * Double(wanted) * Double(whole) / part).rounded(.up))
        }
        let picture = try Picture(
            decoding: bytes, file: file, options: options,
            least: (
                least(target.width, part.width, seen.0), least(target.height, part.height, seen.1)
            ))
        return resampled(picture, background: options.background)
    }

    /// A picture of any size brought to this one.
    public func resampled(_ picture: Picture, background: [UInt8] = [255, 255, 255]) -> Picture {
        let size = size(width: picture.width, height: picture.height)
        let small = picture.resampled(
            width: size.width, height: size.height, resampling,
            part: region(width: picture.width, height: picture.height))
        guard size != (width, height) else { return small }
        let ground = Picture(
            width: 1, height: 1, channels: 3, bytes: background
        ).converted(to: small.channels)
        var whole = Picture(
            width: width, height: height, channels: small.channels,
            bytes: Array(repeatElement(ground.bytes, count: width * height).joined()))
        let (left, top) = ((width - size.width) / 2, (height - size.height) / 2)
        let line = size.width * small.channels
        for y in 0..<size.height {
            let to = ((top + y) * width + left) * small.channels
            whole.bytes.replaceSubrange(
                to..<to + line, with: small.bytes[y * line..<(y + 1) * line])
        }
        return whole
    }

    /// The part of a picture that is looked at.
    private func region(width old: Int, height oldHeight: Int) -> Picture.Region {
        var part = Picture.Region(x: 0, y: 0, width: Double(old), height: Double(oldHeight))
        guard fit == .crop else { return part }
        let aspect = Double(width) / Double(height)
        if part.width > part.height * aspect {
            part.width = part.height * aspect
            part.x = (Double(old) - part.width) / 2
        } else {
            part.height = part.width / aspect
            part.y = (Double(oldHeight) - part.height) / 2
        }
        return part
    }

    /// The pixels that a picture fills.
    private func size(width old: Int, height oldHeight: Int) -> (width: Int, height: Int) {
        guard fit == .pad else { return (width, height) }
        let scale = min(Double(width) / Double(old), Double(height) / Double(oldHeight))
        func side(_ length: Int, _ most: Int) -> Int {
            min(most, max(1, Int((Double(length) * scale).rounded())))
        }
        return (side(old, width), side(oldHeight, height))
    }
}
