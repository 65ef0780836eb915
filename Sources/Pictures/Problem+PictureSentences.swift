import Diagnostics
import Files

// Every sentence about files of pictures; tests pin them.

extension Problem {
    static func notAPicture(_ file: String, _ bytes: [UInt8]) -> Problem {
        if let kind = PictureFormat.foreign(bytes) {
            return Problem(
                .data, "pictures of this kind are not read", at: .file(file), found: kind,
                expected: "JPEG, PNG, BMP, PPM or PGM", hint: "convert it, for example to PNG")
        }
        return Problem(
            .data, "no picture", at: .file(file),
            found: FileKind(bytes)?.description ?? "bytes of no known kind",
            expected: "JPEG, PNG, BMP, PPM or PGM")
    }

    static func builtWithoutLibraries(_ file: String, _ format: PictureFormat) -> Problem {
        Problem(
            .data, "this program was built without libjpeg and libpng", at: .file(file),
            found: "a \(format.rawValue) image",
            hint: "install libjpeg-dev and libpng-dev and build without LIMBECK_IMAGES=none")
    }

    static func tooManyPixels(_ file: String, width: Int, height: Int, most: Int) -> Problem {
        Problem(
            .data, "picture too large", at: .file(file), found: "\(width) x \(height) pixels",
            expected: "at most \(most) in all")
    }

    static func tooManyScans(_ file: String) -> Problem {
        Problem(
            .data, "picture refused", at: .file(file),
            found: "a progressive JPEG of more scans than any picture needs")
    }

    static func pictureCut(_ file: String, _ format: PictureFormat) -> Problem {
        Problem(
            .data, "picture cut off", at: .file(file),
            found: "the end of the file before the end of a \(format.rawValue) image",
            hint: "was it copied or downloaded to the end?")
    }

    static func pictureDamaged(
        _ file: String, _ format: PictureFormat, _ reason: String
    ) -> Problem {
        Problem(
            .data, "picture damaged", at: .file(file),
            found: "a \(format.rawValue) image with "
                + "this fault: \(reason)")
    }

    static func bmpKind(_ file: String, _ what: String) -> Problem {
        Problem(
            .data, "pictures of this kind are not read", at: .file(file),
            found: "a BMP image with \(what)",
            expected: "one without compression, with 1, 4, 8, 24 or 32 bits for a pixel",
            hint: "convert it, for example to PNG")
    }
}
