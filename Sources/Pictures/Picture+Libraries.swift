import Diagnostics

#if LIMBECK_IMAGES
    import CPictures
#endif

extension Picture {
    /// Whether JPEG and PNG can be decoded: a build with `LIMBECK_IMAGES=none` cannot.
    public static var readsJPEGAndPNG: Bool {
        #if LIMBECK_IMAGES
            true
        #else
            false
        #endif
    }

    #if LIMBECK_IMAGES
        static func jpeg(
            _ bytes: [UInt8], _ header: PictureHeader, file: String, _ options: PictureOptions,
            _ least: (width: Int, height: Int)?
        ) throws(Problem) -> Picture {
            var limits = cp_limits(options.limits)
            limits.scans = UInt32(options.limits.scans(ofPixels: header.width * header.height))
            var raw = cp_picture()
            defer { cp_free(&raw) }
            let status = cp_read_jpeg(
                bytes, bytes.count, UInt32(denominator(header, least)), options.channels == 1,
                &limits, &raw)
            try check(status, raw, .jpeg, file: file, options.limits)
            // The library fills what is missing with grey.
            if raw.cut { throw .pictureCut(file, .jpeg) }
            if raw.corrupt { throw .pictureDamaged(file, .jpeg, message(of: raw)) }
            return raw.channels == 4 ? ofInks(raw) : opaque(raw, options.background)
        }

        static func png(
            _ bytes: [UInt8], file: String, _ options: PictureOptions
        ) throws(Problem) -> Picture {
            var limits = cp_limits(options.limits)
            var raw = cp_picture()
            defer { cp_free(&raw) }
            let status = cp_read_png(bytes, bytes.count, &limits, &raw)
            if raw.cut { throw .pictureCut(file, .png) }
            try check(status, raw, .png, file: file, options.limits)
            return opaque(raw, options.background)
        }

        private static func check(
            _ status: cp_status, _ raw: cp_picture, _ format: PictureFormat, file: String,
            _ limits: PictureLimits
        ) throws(Problem) {
            switch status {
            case CP_OK: return
            case CP_TOO_MANY_PIXELS:
                throw .tooManyPixels(
                    file, width: Int(raw.width), height: Int(raw.height), most: limits.pixels)
            case CP_TOO_MANY_SCANS: throw .tooManyScans(file)
            case CP_TOO_MANY_WARNINGS:
                throw .pictureDamaged(
                    file, format, "more than \(limits.warnings) warnings, " + message(of: raw))
            case CP_NO_MEMORY: throw .pictureDamaged(file, format, "too large for the memory")
            default: throw .pictureDamaged(file, format, message(of: raw))
            }
        }

        private static func message(of raw: cp_picture) -> String {
            withUnsafeBytes(of: raw.message) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
        }

        /// Pixels before a background: of two or four channels the last is alpha.
        private static func opaque(_ raw: cp_picture, _ background: [UInt8]) -> Picture {
            let (from, size) = (Int(raw.channels), Int(raw.width) * Int(raw.height))
            let colours = from <= 2 ? 1 : 3
            let source = UnsafeBufferPointer(start: raw.pixels, count: size * from)
            guard from != colours else {
                return Picture(
                    width: Int(raw.width), height: Int(raw.height), channels: colours,
                    bytes: Array(source))
            }
            // A grey picture before a coloured background has colours.
            let isColoured = colours == 3 || Set(background).count > 1
            let to = isColoured ? 3 : 1
            let pixels = [UInt8](unsafeUninitializedCapacity: size * to) { out, count in
                for i in 0..<size {
                    let alpha = UInt32(source[i * from + from - 1])
                    for channel in 0..<to {
                        let value = UInt32(source[i * from + (colours == 1 ? 0 : channel)])
                        let sum = value * alpha + UInt32(background[channel]) * (255 - alpha)
                        out[i * to + channel] = UInt8((sum + 127) / 255)
                    }
                }
                count = size * to
            }
            return Picture(
                width: Int(raw.width), height: Int(raw.height), channels: to, bytes: pixels)
        }

        /// Cyan, magenta, yellow and black, without a colour profile; Adobe's programs store how much light
        /// is left instead of how much ink there is.
        private static func ofInks(_ raw: cp_picture) -> Picture {
            let size = Int(raw.width) * Int(raw.height)
            let source = UnsafeBufferPointer(start: raw.pixels, count: 4 * size)
            let flip: UInt8 = raw.adobe ? 0 : 255
            let pixels = [UInt8](unsafeUninitializedCapacity: 3 * size) { out, count in
                for i in 0..<size {
                    let black = UInt32(source[4 * i + 3] ^ flip)
                    for channel in 0..<3 {
                        let light = UInt32(source[4 * i + channel] ^ flip)
                        out[3 * i + channel] = UInt8((light * black + 127) / 255)
                    }
                }
                count = 3 * size
            }
            return Picture(
                width: Int(raw.width), height: Int(raw.height), channels: 3, bytes: pixels)
        }
    #else
        static func jpeg(
            _ bytes: [UInt8], _ header: PictureHeader, file: String, _ options: PictureOptions,
            _ least: (width: Int, height: Int)?
        ) throws(Problem) -> Picture {
            throw .builtWithoutLibraries(file, .jpeg)
        }

        static func png(
            _ bytes: [UInt8], file: String, _ options: PictureOptions
        ) throws(Problem) -> Picture {
            throw .builtWithoutLibraries(file, .png)
        }
    #endif
}

#if LIMBECK_IMAGES
    extension cp_limits {
        init(_ limits: PictureLimits) {
            self.init(
                pixels: UInt64(limits.pixels), scans: UInt32(limits.scans),
                warnings: UInt32(limits.warnings))
        }
    }
#endif
