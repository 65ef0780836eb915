import Foundation

/// Small images in a grid: what a generator made of each class (rows) over time (columns).
///
///     ImageGrid(
///         title: "Synthetic images", rows: [.init(name: "red ring", images: [early, late])],
///         columns: ["epoch 1", "epoch 20"], width: 16, height: 16, channels: 3)
///
/// The drawing holds all images in one PNG, so that a page with it still loads nothing.
public struct ImageGrid: Equatable, Sendable {
    public struct Row: Equatable, Sendable {
        public var name: String
        /// One per column: channels × height × width bytes, channel by channel. A missing image, or
        /// one of another size, is an empty cell.
        public var images: [[UInt8]?]

        public init(name: String, images: [[UInt8]?]) {
            self.name = name
            self.images = images
        }
    }

    public var title: String
    public var rows: [Row]
    /// Names of the columns.
    public var columns: [String]
    /// Of every image, in pixels.
    public var width: Int
    public var height: Int
    /// 1 (grey) or 3 (red, green, blue); of any other number the first is shown as grey.
    public var channels: Int
    public var note: String?

    public init(
        title: String, rows: [Row], columns: [String], width: Int, height: Int, channels: Int,
        note: String? = nil
    ) {
        self.title = title
        self.rows = rows
        self.columns = columns
        self.width = width
        self.height = height
        self.channels = channels
        self.note = note
    }
}

extension ImageGrid {
    /// Bytes of images that a report keeps at most.
    public static let mostBytes = 16 << 20

    /// The first rows that `limit` bytes of images hold; the note says where some are left out.
    public func bounded(to limit: Int = ImageGrid.mostBytes) -> ImageGrid {
        var bytes = 0
        let kept = rows.prefix { row in
            bytes += row.images.reduce(0) { $0 + ($1?.count ?? 0) }
            return bytes <= limit
        }
        guard kept.count < rows.count else { return self }
        var grid = self
        grid.rows = Array(kept)
        let left = "The first \(kept.count) of \(rows.count) rows: the others would be too large."
        grid.note = [note, left].compactMap(\.self).joined(separator: " ")
        return grid
    }
}

extension ImageGrid.Row: Codable {
    enum CodingKeys: String, CodingKey { case name, images }

    // Base64 in JSON, not a list of numbers.
    public init(from decoder: any Decoder) throws {
        let c = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try c.decode(String.self, forKey: .name),
            images: try c.decode([Data?].self, forKey: .images).map { $0.map(Array.init) })
    }

    public func encode(to encoder: any Encoder) throws {
        var c = encoder.container(keyedBy: CodingKeys.self)
        try c.encode(name, forKey: .name)
        try c.encode(images.map { $0.map { Data($0) } }, forKey: .images)
    }
}

extension ImageGrid: Codable {}
