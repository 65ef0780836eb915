/// An SVG drawing under construction. All text that comes in is escaped here.
struct Drawing {
    enum Anchor: String { case start, middle, end }

    private(set) var markup = ""
    var width = 0.0
    var height = 0.0
    /// The width a figure may take, where it does not have one of its own.
    let room: Double
    /// Whether that is a phone's.
    var isNarrow: Bool { room < 500 }

    init(room: Double = 820) {
        self.room = room
    }

    mutating func open(_ name: String, _ attributes: [(String, String)] = []) {
        markup += "<\(name)\(Self.list(attributes))>"
    }

    mutating func close(_ name: String) {
        markup += "</\(name)>\n"
    }

    /// An element, with a tooltip if `tip` is given.
    mutating func shape(_ name: String, _ attributes: [(String, String)], tip: String? = nil) {
        markup += "<\(name)\(Self.list(attributes))"
        if let tip {
            markup += "><title>\(Markup.escape(tip))</title></\(name)>\n"
        } else {
            markup += "/>\n"
        }
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String,
        dash: String? = nil
    ) {
        shape(
            "line",
            [
                ("class", style), ("x1", Markup.pixels(x1)), ("y1", Markup.pixels(y1)),
                ("x2", Markup.pixels(x2)), ("y2", Markup.pixels(y2)),
            ] + (dash.map { [("stroke-dasharray", $0)] } ?? []))
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, _ style: String = "", _ anchor: Anchor = .start,
        rotate: Double? = nil, tip: String? = nil
    ) {
        var attributes = [("x", Markup.pixels(x)), ("y", Markup.pixels(y))]
        if !style.isEmpty { attributes.insert(("class", style), at: 0) }
        if anchor != .start { attributes.append(("text-anchor", anchor.rawValue)) }
        if let rotate {
            attributes.append(
                (
                    "transform",
                    "rotate(\(Markup.pixels(rotate)) \(Markup.pixels(x)) \(Markup.pixels(y)))"
                ))
        }
        markup += "<text\(Self.list(attributes))>"
        if let tip { markup += "<title>\(Markup.escape(tip))</title>" }
        markup += "\(Markup.escape(text))</text>\n"
    }

    private static func list(_ attributes: [(String, String)]) -> String {
        attributes.map { " \($0.0)=\"\(Markup.escape($0.1))\"" }.joined()
    }
}

/// Something that draws itself.
protocol Figure {
    var title: String { get }
    /// What the picture shows, in words, for those who do not see it.
    var summary: String { get }
    /// Whether it wants the whole width of a page.
    var isWide: Bool { get }
    /// Whether it can be drawn for the width of a phone.
    var fitsNarrow: Bool { get }
    /// Draws from (0, 0) and sets the drawing's size.
    func draw(into drawing: inout Drawing)
}

extension Figure {
    var isWide: Bool { false }
    var fitsNarrow: Bool { false }

    /// The drawing for a page that has `Theme.variables` and `Theme.figures` in its style.
    func inlineSVG(room: Double = 1200) -> String {
        var drawing = Drawing(room: room)
        draw(into: &drawing)
        return head(drawing.width, drawing.height, namespace: "") + drawing.markup + "</svg>\n"
    }

    /// A file of its own: title, background and a style that follows the reader's scheme.
    func standalone() -> String {
        var drawing = Drawing()
        draw(into: &drawing)
        let margin = 16.0
        let top = 44.0
        let width = drawing.width + 2 * margin
        let height = drawing.height + top + margin
        var frame = Drawing()
        frame.shape(
            "rect",
            [
                ("class", "back"), ("width", Markup.pixels(width)),
                ("height", Markup.pixels(height)), ("rx", "8"),
            ])
        frame.text(Markup.cut(title, to: drawing.width, size: 16), margin, 28, "title")
        frame.open(
            "g", [("transform", "translate(\(Markup.pixels(margin)) \(Markup.pixels(top)))")])
        return head(width, height, namespace: " xmlns=\"http://www.w3.org/2000/svg\"")
            + "<style>\(Theme.variables)\(Theme.figures)</style>\n" + frame.markup + drawing.markup
            + "</g>\n</svg>\n"
    }

    private func head(_ width: Double, _ height: Double, namespace: String) -> String {
        let w = Markup.pixels(width.rounded(.up))
        let h = Markup.pixels(height.rounded(.up))
        return "<svg\(namespace) class=\"figure\" role=\"img\" viewBox=\"0 0 \(w) \(h)\""
            + " width=\"\(w)\" height=\"\(h)\"><title>\(Markup.escape(title))</title>"
            + "<desc>\(Markup.escape(summary))</desc>\n"
    }
}
