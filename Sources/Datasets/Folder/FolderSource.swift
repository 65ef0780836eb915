import Diagnostics
import Pictures

/// A folder of pictures: a sub-folder for each class, or a file `labels.csv` that says what each picture is.
///
/// Sub-folders `train`, `val` and `test` are the parts of the data, each with the classes in it; without
/// `test` a test set is held out, without `val` the validation samples are. Pictures are decoded once, into a
/// cache (``PictureCache``).
public struct FolderSource: DataSource {
    public static let kind = "folder"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// What a camera says of how a picture is to be turned.
    public enum Exif: String, Codable, Sendable, CaseIterable { case apply, ignore }

    public var path: String
    /// Height and width of every sample, 1 to 1,024.
    public var size: [Int]
    /// 1 (grey) or 3 (red, green, blue); nil: 1 where every picture is grey.
    public var channels: Int?
    public var exif = Exif.apply
    public var resampling = Resampling.bilinear
    public var fit = PictureShape.Fit.stretch
    /// Red, green and blue behind transparent pixels and beside padded pictures, each 0 to 255.
    public var background = [255, 255, 255]
    /// Width times height of a picture, at least 1; those of more are not decoded.
    public var maxPixels = PictureLimits().pixels
    /// The share of files that may be no usable picture, 0 to 1.
    public var mostBad = 0.05
    /// Whether pictures that look alike stay on one side of a split.
    public var groupsAlike = true
    /// Names of the classes in the order of their numbers; the folders, or what `labels.csv` says, in order of
    /// their Unicode scalars if not given.
    public var classNames: [String]?
    /// Columns of `labels.csv`.
    public var label: TableOptions.Column = "label"
    public var clean: TableOptions.Column?
    /// Nil: the column `group`, where there is one.
    public var group: TableOptions.Column?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case path, size, channels, exif, resampling, fit, background
        case maxPixels = "max-pixels"
        case mostBad = "most-bad"
        case groupsAlike = "group-alike"
        case classNames = "class-names"
        case label, clean, group
    }

    public init(path: String, height: Int, width: Int) {
        (self.path, size) = (path, [height, width])
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        path = try values.path(at: .path)
        guard let size = try values.decodeIfPresent(Sides.self, forKey: .size) else {
            throw Problem.missingFiles("size")
        }
        self.size = size.values
        channels = try values.decodeIfPresent(Channels.self, forKey: .channels)?.count
        exif = try values.decodeIfPresent(Exif.self, forKey: .exif) ?? exif
        resampling = try values.decodeIfPresent(Resampling.self, forKey: .resampling) ?? resampling
        fit = try values.decodeIfPresent(PictureShape.Fit.self, forKey: .fit) ?? fit
        background = try values.decodeIfPresent([Int].self, forKey: .background) ?? background
        maxPixels = try values.decodeIfPresent(Int.self, forKey: .maxPixels) ?? maxPixels
        mostBad = try values.decodeIfPresent(Double.self, forKey: .mostBad) ?? mostBad
        groupsAlike = try values.decodeIfPresent(Bool.self, forKey: .groupsAlike) ?? groupsAlike
        classNames = try values.decodeIfPresent([String].self, forKey: .classNames)
        label = try values.decodeIfPresent(TableOptions.Column.self, forKey: .label) ?? label
        clean = try values.decodeIfPresent(TableOptions.Column.self, forKey: .clean)
        group = try values.decodeIfPresent(TableOptions.Column.self, forKey: .group)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(path, forKey: .path)
        try values.encode(size, forKey: .size)
        try values.encode(Channels(count: channels), forKey: .channels)
        try values.encode(exif, forKey: .exif)
        try values.encode(resampling, forKey: .resampling)
        try values.encode(fit, forKey: .fit)
        try values.encode(background, forKey: .background)
        try values.encode(maxPixels, forKey: .maxPixels)
        try values.encode(mostBad, forKey: .mostBad)
        try values.encode(groupsAlike, forKey: .groupsAlike)
        try values.encodeIfPresent(classNames, forKey: .classNames)
        try values.encode(label, forKey: .label)
        try values.encodeIfPresent(clean, forKey: .clean)
        try values.encodeIfPresent(group, forKey: .group)
    }

    /// One number for both sides, or height and width.
    private struct Sides: Decodable {
        let values: [Int]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let side = try? value.decode(Int.self) {
                values = [side, side]
            } else {
                values = try value.decode([Int].self)
            }
        }
    }

    /// A number, or `auto`.
    private struct Channels: Codable {
        let count: Int?

        init(count: Int?) { self.count = count }

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let count = try? value.decode(Int.self) {
                self.count = count
            } else {
                let word = try value.decode(String.self)
                guard word == "auto" else {
                    throw Problem.dataRange(
                        "channels", found: Problem.oneLine(word, limit: 40),
                        expected: "1, 3 or auto")
                }
                count = nil
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            if let count { try value.encode(count) } else { try value.encode("auto") }
        }
    }

    public func check() throws(Problem) {
        guard size.count == 2, size.allSatisfy({ (1...1024).contains($0) }) else {
            throw .dataRange(
                "size", found: "\(size)", expected: "one number or [height, width], 1 to 1024")
        }
        guard channels == nil || channels == 1 || channels == 3 else {
            throw .dataRange("channels", found: "\(channels!)", expected: "1, 3 or auto")
        }
        guard background.count == 3, background.allSatisfy({ (0...255).contains($0) }) else {
            throw .dataRange(
                "background", found: "\(background)", expected: "[red, green, blue], 0 to 255")
        }
        guard (1...1 << 31).contains(maxPixels) else {
            throw .dataRange("max-pixels", found: "\(maxPixels)", expected: "1 to 2147483648")
        }
        guard (0...1).contains(mostBad) else {
            throw .dataRange("most-bad", found: "\(mostBad)", expected: "a share, 0 to 1")
        }
    }

    /// How a file is decoded.
    public var options: PictureOptions {
        var options = PictureOptions()
        options.channels = channels
        options.appliesOrientation = exif == .apply
        options.background = background.map { UInt8($0) }
        options.limits.pixels = maxPixels
        return options
    }

    /// What a decoded picture becomes.
    public var shape: PictureShape {
        PictureShape(height: size[0], width: size[1], fit: fit, resampling: resampling)
    }

    public var files: [String] { PictureFolder.everyFile(in: path) }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        let samples = try readSamples()
        return (samples.learning, samples.test)
    }

    public func readSamples() throws(Problem) -> SourceSamples {
        try readSamples(PictureCache.standard(), FileReading())
    }

    /// - Parameters:
    ///   - cache: nil: nothing is kept.
    ///   - reading: how files come.
    func readSamples(
        _ cache: PictureCache?, _ reading: FileReading
    ) throws(Problem) -> SourceSamples {
        try check()
        let folder = try PictureFolder(self)
        guard !folder.entries.isEmpty else { throw .noPictures(path) }
        let store = try PictureStore(folder, self, cache: cache, reading: reading)
        return try FolderSamples(folder, store, self).samples()
    }
}
