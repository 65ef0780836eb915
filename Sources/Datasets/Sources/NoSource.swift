import Diagnostics

/// No samples at all, for methods that make their own: blank images, one of each class, that stand
/// for the shape and the classes.
public struct NoSource: DataSource {
    public static let kind = "none"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// Channels, height, width; those of the teacher's file if not given.
    public var imageShape: [Int]?
    /// Names of the classes, 2 to 65,536; those of the teacher's file if not given.
    public var classNames: [String]?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case imageShape = "image-shape"
        case classNames = "class-names"
    }

    public init(imageShape: [Int]? = nil, classNames: [String]? = nil) {
        self.imageShape = imageShape
        self.classNames = classNames
    }

    public func check() throws(Problem) {
        try Self.check(imageShape: imageShape)
        if let count = classNames?.count, !(2...65_536).contains(count) {
            throw .dataRange("class-names", found: "\(count) classes", expected: "2 to 65536")
        }
    }

    public var hasSamples: Bool { false }

    /// - Throws: `.data` where shape and classes are still unknown, or the images would be too large.
    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        try check()
        guard let shape = imageShape, let names = classNames else { throw .shapeUnknown() }
        let bytes = Double(names.count) * shape.reduce(1.0) { $0 * Double($1) }
        guard bytes < 0x1p28 else { throw .shapeTooLarge(shape, names.count) }
        let blank = try Dataset(
            name: "no data",
            features: .images(
                bytes: [UInt8](repeating: 0, count: Int(bytes)), channels: shape[0],
                height: shape[1], width: shape[2]),
            labels: Array(names.indices), classNames: names)
        return (blank, nil)
    }
}
