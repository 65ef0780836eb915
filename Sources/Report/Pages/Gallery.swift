import Foundation

/// Single samples as cards: what a sample is, and what is said of it.
///
/// Pictures stand in a grid of small cards, texts in one of broad cards.
package struct Gallery: Equatable, Sendable {
    /// A small picture.
    package struct Picture: Equatable, Sendable {
        /// In pixels.
        package var width: Int
        package var height: Int
        /// 1 (grey) or 3 (red, green, blue); of any other number the first is shown as grey.
        package var channels: Int
        /// channels × height × width, channel by channel.
        package var bytes: [UInt8]

        package init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
            precondition(bytes.count == channels * height * width, "bytes of a picture")
            (self.width, self.height) = (width, height)
            (self.channels, self.bytes) = (channels, bytes)
        }
    }

    package struct Item: Equatable, Sendable {
        package var picture: Picture?
        package var text: String?
        /// What the sample is called.
        package var name: String
        /// Stands behind the name.
        package var value: String?
        package var before: String
        /// Stands behind an arrow after `before`; nil where there is only one.
        package var after: String?
        /// A line each.
        package var notes: [String]

        package init(
            picture: Picture? = nil, text: String? = nil, name: String, value: String? = nil,
            before: String, after: String? = nil, notes: [String] = []
        ) {
            (self.picture, self.text) = (picture, text)
            (self.name, self.value) = (name, value)
            (self.before, self.after, self.notes) = (before, after, notes)
        }
    }

    package var title: String
    package var items: [Item]
    /// Whether it takes the whole width of a page.
    package var isWide: Bool
    /// A sentence under the cards.
    package var note: String?

    package init(
        title: String = "", items: [Item], isWide: Bool = true, note: String? = nil
    ) {
        (self.title, self.items, self.isWide, self.note) = (title, items, isWide, note)
    }
}

extension Gallery.Picture {
    /// Both sides of a picture on a page are at most so many pixels.
    static let most = 112

    /// The picture with sides of at most `limit` pixels: each pixel the mean of the square of pixels that it
    /// stands for.
    func fitted(to limit: Int = most) -> Gallery.Picture {
        let step = (max(width, height) + limit - 1) / limit
        guard step > 1 else { return self }
        let (w, h) = ((width + step - 1) / step, (height + step - 1) / step)
        var small = [UInt8](repeating: 0, count: channels * w * h)
        for c in 0..<channels {
            for y in 0..<h {
                for x in 0..<w {
                    let (rows, columns) = (
                        y * step..<min(height, (y + 1) * step),
                        x * step..<min(width, (x + 1) * step)
                    )
                    var sum = 0
                    for row in rows {
                        for column in columns {
                            sum += Int(bytes[(c * height + row) * width + column])
                        }
                    }
                    let count = rows.count * columns.count
                    small[(c * h + y) * w + x] = UInt8((sum + count / 2) / count)
                }
            }
        }
        return Gallery.Picture(width: w, height: h, channels: channels, bytes: small)
    }

    /// `data:image/png;base64,…`
    var source: String {
        let plane = width * height
        let isColour = channels == 3
        var pixels: [UInt8] = []
        pixels.reserveCapacity(plane * (isColour ? 3 : 1))
        for i in 0..<plane {
            pixels.append(bytes[i])
            if isColour { pixels += [bytes[plane + i], bytes[2 * plane + i]] }
        }
        let png = PNG.encoded(
            width: width, height: height, kind: isColour ? .colour : .grey, pixels: pixels)
        return "data:image/png;base64," + Data(png).base64EncodedString()
    }

    /// Whole pixels of a page per pixel of the picture.
    var scale: Int { max(1, 84 / max(width, height)) }
}
