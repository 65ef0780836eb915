import Diagnostics

@testable import Pictures

/// What the decoders of pictures promise for any bytes.
enum PictureProperties {
    /// Whole, in every number of channels, and as large as asked for.
    static func picture(_ bytes: [UInt8]) throws -> Bool {
        var options = PictureOptions()
        options.limits.pixels = 1 << 18
        return try accepted {
            let header = try PictureHeader(bytes, file: "input")
            let whole = try Picture(decoding: bytes, file: "input", options: options)
            try promise(
                whole.bytes.count == whole.width * whole.height * whole.channels, "pixels lost")
            try promise(
                whole.width * whole.height == header.width * header.height, "another size")
            for channels in [1, 3] {
                options.channels = channels
                let shape = PictureShape(
                    height: 5, width: 4, fit: channels == 1 ? .pad : .crop,
                    resampling: channels == 1 ? .area : .bilinear)
                let small = try shape.picture(bytes, file: "input", options: options)
                try promise(
                    [small.height, small.width, small.channels] == [5, 4, channels],
                    "\(small.height) x \(small.width) x \(small.channels)")
            }
        }
    }
}
