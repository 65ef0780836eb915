import Diagnostics
import Files

/// Reader of the IDX format (LeCun's MNIST files), plain or gzip-compressed.
///
/// A file is a big-endian header - two zero bytes, the element type, the number of dimensions,
/// one 32-bit extent per dimension - and the elements, last dimension fastest. Whole numbers are read:
/// unsigned bytes (type 0x08), signed bytes (0x09), and big-endian integers of 16 and 32 bits (0x0B,
/// 0x0C), where every value is one that a pixel (0 to 255) or a label can have. Images have three
/// dimensions (samples, height, width) or four (samples, channels, height, width), labels one. A
/// file's size must be exactly what its header says, and nothing is allocated on the header's word
/// alone.
public enum IDX {
    /// No file may hold more bytes than this, decompressed.
    public static let limit = 4 << 30

    /// Reads a pair of files.
    /// - Parameters:
    ///   - classNames: names of the classes; by default `0`, `1`, … up to `classCount`.
    ///   - classCount: by default the largest label plus one.
    public static func read(
        images: String, labels: String, name: String? = nil, classNames: [String]? = nil,
        classCount: Int? = nil
    ) throws(Problem) -> Dataset {
        try dataset(
            images: try readFile(images), file: images, labels: try readFile(labels),
            labelFile: labels, name: name ?? images, classNames: classNames, classCount: classCount)
    }

    /// The same from bytes in memory; the file names serve the error messages.
    public static func dataset(
        images: [UInt8], file: String, labels: [UInt8], labelFile: String, name: String,
        classNames: [String]? = nil, classCount: Int? = nil
    ) throws(Problem) -> Dataset {
        let (shape, bytes) = try array(images, file: file).pixels()
        guard shape.count == 3 || shape.count == 4 else {
            throw .idxDimensions(file, found: shape.count, expected: "3 or 4", "images")
        }
        let count = classNames?.count ?? classCount
        let given = try self.labels(labels, file: labelFile, classCount: count)
        guard given.count == shape[0] else {
            throw .idxPair(file, images: shape[0], labelFile, labels: given.count)
        }
        let names = classNames ?? defaultNames(count ?? (given.max() ?? 0) + 1)
        try Dataset.check(given, in: labelFile, classCount: names.count, "label")
        return try Dataset(
            name: name,
            features: .images(
                bytes: bytes, channels: shape.count == 4 ? shape[1] : 1,
                height: shape[shape.count - 2], width: shape[shape.count - 1]),
            labels: given, classNames: names)
    }

    /// Images without labels, for prediction: `[N, C, H, W]` and the bytes.
    public static func images(
        _ input: [UInt8], file: String
    ) throws(Problem) -> (shape: [Int], bytes: [UInt8]) {
        let (shape, bytes) = try array(input, file: file).pixels()
        switch shape.count {
        case 3: return ([shape[0], 1, shape[1], shape[2]], bytes)
        case 4: return (shape, bytes)
        default: throw .idxDimensions(file, found: shape.count, expected: "3 or 4", "images")
        }
    }

    /// A label file's labels.
    ///
    /// - Parameter classCount: nil where it is not known; a label is then less than the number of
    ///   samples, or than 256.
    public static func labels(
        _ input: [UInt8], file: String, classCount: Int? = nil
    ) throws(Problem) -> [Int] {
        let array = try array(input, file: file)
        guard array.shape.count == 1 else {
            throw .idxDimensions(file, found: array.shape.count, expected: "1", "labels")
        }
        return try array.labels(classCount: classCount)
    }

    /// Whether the bytes, inflated if they are gzip, begin as such a file does. A text never does.
    public static func isOne(_ bytes: [UInt8]) -> Bool {
        guard Gunzip.isGzip(bytes) else { return bytes.starts(with: [0, 0]) }
        let start = try? Gunzip.inflate(bytes, file: "", limit: 2).bytes
        return start?.starts(with: [0, 0]) ?? false
    }

    static func defaultNames(_ count: Int) -> [String] { (0..<max(0, count)).map { "\($0)" } }

    /// Any IDX array of whole numbers; all its extents are positive.
    static func array(_ input: [UInt8], file: String) throws(Problem) -> IDXArray {
        guard Gunzip.isGzip(input) else {
            let header = try Header(input, total: limit, file: file)
            guard input.count == header.total else {
                throw .idxSize(file, found: "\(input.count)", expected: header.total)
            }
            return IDXArray(header, input, file: file)
        }
        let start = try Gunzip.inflate(input, file: file, limit: Header.longest).bytes
        guard !Gunzip.isGzip(start) else { throw .gzipTwice(file) }
        let header = try Header(
            start, total: min(limit, Gunzip.mostBytes(from: input.count)), file: file)
        let (bytes, outcome) = try Gunzip.inflate(input, file: file, limit: header.total)
        guard outcome == .whole, bytes.count == header.total else {
            throw .idxSize(
                file, found: outcome == .more ? "more" : "\(bytes.count)", expected: header.total)
        }
        return IDXArray(header, bytes, file: file)
    }

    struct Header {
        /// Four dimensions are the most that are read.
        static let longest = 4 + 4 * 4

        let element: IDXArray.Element
        let shape: [Int]
        let length: Int
        /// Header and elements, in bytes.
        let total: Int

        /// `most` is what the file can hold at the utmost; more than that is refused here, before
        /// anything is allocated.
        init(_ bytes: [UInt8], total most: Int, file: String) throws(Problem) {
            guard bytes.count >= 4 else { throw .idxShort(file, found: bytes.count, expected: 4) }
            guard bytes[0] == 0, bytes[1] == 0 else { throw .idxMagic(file, bytes) }
            guard let element = IDXArray.Element(rawValue: bytes[2]) else {
                throw .idxType(file, bytes[2])
            }
            self.element = element
            let dimensions = Int(bytes[3])
            guard 1...4 ~= dimensions else {
                throw .idxDimensions(file, found: dimensions, expected: "1 to 4", "an array")
            }
            length = 4 + 4 * dimensions
            guard bytes.count >= length else {
                throw .idxShort(file, found: bytes.count, expected: length)
            }
            shape = (0..<dimensions).map { d in
                bytes[4 + 4 * d..<8 + 4 * d].reduce(0) { $0 << 8 | Int($1) }
            }
            if let empty = shape.firstIndex(of: 0) {
                throw .idxEmpty(file, at: 4 + 4 * empty, shape)
            }
            let room = max(0, most - length) / element.size
            guard let count = checkedProduct(shape), count <= room else {
                throw .idxClaim(file, shape, most: room)
            }
            total = length + count * element.size
        }
    }
}
