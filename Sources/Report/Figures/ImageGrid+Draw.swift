import Foundation

extension ImageGrid {
    /// A file of its own that reads on light and on dark ground.
    public func svg() -> String { standalone() }

    /// All images side by side as a PNG file with transparent gaps; nil for a grid without images, or of so
    /// many that nobody draws it.
    public func png() -> (bytes: [UInt8], width: Int, height: Int, channels: Int)? {
        guard canDraw else { return nil }
        let atlas = atlas
        let bytes = PNG.encoded(
            width: atlas.width, height: atlas.height, kind: atlas.kind, pixels: atlas.pixels)
        return (bytes, atlas.width, atlas.height, atlas.kind.values)
    }
}

extension ImageGrid: Figure {
    /// Up to so many rows and columns, and pixels in all, the grid is drawn.
    static let mostDrawn = 100
    static let mostPixels = 1 << 24
    /// Pixels of an image between two images; transparent.
    static let gap = 1

    private var columnCount: Int { rows.reduce(columns.count) { max($0, $1.images.count) } }

    var summary: String {
        let names = rows.prefix(40).map(\.name).joined(separator: ", ")
        return "A grid of images of \(width) x \(height) pixels. Rows: \(names)"
            + (rows.count > 40 ? ", and \(rows.count - 40) more" : "")
            + (columns.isEmpty ? "." : ". Columns: \(columns.joined(separator: ", ")).")
    }

    var isWide: Bool { columnCount > 10 }

    /// Whole pixels of the drawing per pixel of an image.
    private var scale: Int { max(1, 56 / max(width, height)) }

    private var canDraw: Bool {
        let (rows, columns) = (rows.count, columnCount)
        guard (1...Self.mostDrawn).contains(rows), (1...Self.mostDrawn).contains(columns),
            (1...4096).contains(width), (1...4096).contains(height), channels > 0
        else { return false }
        return rows * (height + Self.gap) * columns * (width + Self.gap) <= Self.mostPixels
    }

    /// All images side by side, with `gap` transparent pixels between them.
    var atlas: (width: Int, height: Int, kind: PNG.Kind, pixels: [UInt8]) {
        let isColour = channels == 3
        let kind: PNG.Kind = isColour ? .colourAlpha : .greyAlpha
        let plane = width * height
        let across = columnCount * (width + Self.gap) - Self.gap
        let down = rows.count * (height + Self.gap) - Self.gap
        var pixels = [UInt8](repeating: 0, count: across * down * kind.values)
        for (r, row) in rows.enumerated() {
            for (c, image) in row.images.enumerated() {
                guard let image, image.count == channels * plane else { continue }
                for y in 0..<height {
                    for x in 0..<width {
                        let place =
                            (r * (height + Self.gap) + y) * across + c * (width + Self.gap) + x
                        let at = place * kind.values
                        for value in 0..<kind.values - 1 {
                            pixels[at + value] = image[value * plane + y * width + x]
                        }
                        pixels[at + kind.values - 1] = 255
                    }
                }
            }
        }
        return (across, down, kind, pixels)
    }

    func draw(into drawing: inout Drawing) {
        guard canDraw else {
            drawing.text(
                rows.isEmpty || columnCount == 0
                    ? "no images to show"
                    : "\(rows.count) x \(columnCount) images of \(width) x \(height) pixels are too "
                        + "many to draw", 0, 20, "label")
            (drawing.width, drawing.height) = (480, 32)
            return
        }
        let size = 12.5
        let scale = Double(scale)
        let (stepX, stepY) = (
            Double(width + Self.gap) * scale, Double(height + Self.gap) * scale
        )
        let names = rows.map { Markup.cut($0.name, to: 150, size: size) }
        let left = (names.map { Markup.width(of: $0, size: size) }.max() ?? 0) + 10
        let top = columns.isEmpty ? 4.0 : 24
        // Every k-th name where names are wider than an image.
        let widest = columns.map { Markup.width(of: $0, size: size) }.max() ?? 0
        let every = max(1, Int(((widest + 8) / stepX).rounded(.up)))
        for (i, name) in columns.enumerated() where i % every == 0 {
            drawing.text(
                name, left + Double(i) * stepX + (stepX - scale) / 2, top - 8, "", .middle)
        }
        for (i, name) in names.enumerated() {
            drawing.text(
                name, left - 8, top + Double(i) * stepY + (stepY - scale) / 2 + 4.5, "", .end,
                tip: name == rows[i].name ? nil : rows[i].name)
        }
        let atlas = atlas
        let png = PNG.encoded(
            width: atlas.width, height: atlas.height, kind: atlas.kind, pixels: atlas.pixels)
        let (right, bottom) = (Double(atlas.width) * scale, Double(atlas.height) * scale)
        drawing.shape(
            "image",
            [
                ("x", Markup.pixels(left)), ("y", Markup.pixels(top)),
                ("width", Markup.pixels(right)), ("height", Markup.pixels(bottom)),
                ("style", "image-rendering:pixelated"),
                ("href", "data:image/png;base64," + Data(png).base64EncodedString()),
            ])
        // The first and the last name may stand out over their images.
        drawing.width = left + right + max(4, widest / 2 - stepX / 2)
        drawing.height = top + bottom + 4
    }
}
