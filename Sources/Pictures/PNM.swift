import Diagnostics

/// PGM and PPM (P2, P3, P5, P6): a header of numbers between blanks and comments, then samples as decimal
/// numbers or as bytes. What is behind the first picture is passed over.
struct PNM {
    private let bytes: [UInt8]
    private let file: String
    let header: PictureHeader
    private let isPlain: Bool
    /// What is white, 1 to 65,535.
    private let most: Int
    /// Of the first sample.
    private let start: Int

    init(_ bytes: [UInt8], file: String) throws(Problem) {
        (self.bytes, self.file) = (bytes, file)
        let kind = bytes[1] - UInt8(ascii: "0")
        isPlain = kind < 4
        var scanner = Numbers(bytes, at: 2, file: file)
        let width = try scanner.next(upTo: 1 << 30)
        let height = try scanner.next(upTo: 1 << 30)
        most = try scanner.next(upTo: 65_535)
        guard most > 0 else { throw .pictureDamaged(file, .pnm, "a greatest value of 0") }
        // One blank stands between the header and the bytes.
        start = isPlain ? scanner.position : scanner.position + 1
        header = try PictureHeader(
            .pnm, width: width, height: height, isGrey: kind == 2 || kind == 5, file: file)
    }

    func picture() throws(Problem) -> Picture {
        let channels = header.isGrey ? 1 : 3
        let count = header.width * header.height * channels
        let wide = most > 255 ? 2 : 1
        // A number and a blank for each sample, or its bytes.
        guard bytes.count - start >= (isPlain ? 2 * count - 1 : wide * count) else {
            throw .pictureCut(file, .pnm)
        }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(count)
        var scanner = Numbers(bytes, at: start, file: file)
        for i in 0..<count {
            let value: Int
            if isPlain {
                value = try scanner.next(upTo: most)
            } else {
                value =
                    wide == 2
                    ? Int(bytes[start + 2 * i]) << 8 | Int(bytes[start + 2 * i + 1])
                    : Int(bytes[start + i])
                guard value <= most else {
                    throw .pictureDamaged(file, .pnm, "a value of \(value) above \(most)")
                }
            }
            pixels.append(most == 255 ? UInt8(value) : UInt8((value * 255 + most / 2) / most))
        }
        return Picture(
            width: header.width, height: header.height, channels: channels, bytes: pixels)
    }

    /// Decimal numbers between blanks and comments.
    private struct Numbers {
        let bytes: [UInt8]
        var position: Int
        let file: String

        init(_ bytes: [UInt8], at position: Int, file: String) {
            (self.bytes, self.position, self.file) = (bytes, position, file)
        }

        mutating func next(upTo most: Int) throws(Problem) -> Int {
            while position < bytes.count,
                bytes[position] == 0x20 || 9...13 ~= bytes[position]
                    || bytes[position] == UInt8(ascii: "#")
            {
                if bytes[position] == UInt8(ascii: "#") {
                    while position < bytes.count, bytes[position] != 10, bytes[position] != 13 {
                        position += 1
                    }
                } else {
                    position += 1
                }
            }
            guard position < bytes.count else { throw .pictureCut(file, .pnm) }
            let start = position
            var value = 0
            while position < bytes.count, 0x30...0x39 ~= bytes[position] {
                value = value * 10 + Int(bytes[position] - 0x30)
                guard value <= most else {
                    throw .pictureDamaged(file, .pnm, "a number above \(most) at byte \(start)")
                }
                position += 1
            }
            guard position > start else {
                throw .pictureDamaged(file, .pnm, "no number at byte \(start)")
            }
            return value
        }
    }
}
