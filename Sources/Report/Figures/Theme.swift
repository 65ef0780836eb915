import Foundation

/// The colours of pages and figures in light and dark, and the style of figures.
///
/// The series colours follow Okabe and Ito's palette for colour-blind readers ("Color universal
/// design", 2008), darkened for white and lightened for dark ground until each has a contrast of
/// at least 3 : 1. Colour is never alone: every series has a dash pattern of its own.
enum Theme {
    struct Colours: Sendable {
        var page, surface, ink, muted, grid, axis, border, accent: RGB
        var warnGround, warnInk, code: RGB
        var series: [RGB]
        /// Stops of the sequential palette, from nothing to most.
        var heat: [RGB]
    }

    static let light = Colours(
        page: 0xF5F7FA, surface: 0xFFFFFF, ink: 0x18202C, muted: 0x566174, grid: 0xE5E9EF,
        axis: 0x8C98A9, border: 0xDBE1E9, accent: 0x0B5CAD, warnGround: 0xFFF4D6,
        warnInk: 0x5C4300, code: 0xF3F5F9,
        series: [0x0072B2, 0xD05500, 0x008A64, 0xB0508A, 0x9A7400, 0x2B8FC7, 0x454B57, 0x7A4FBF],
        heat: [0xF4F7FB, 0xC6DAEE, 0x7DB0DC, 0x2F77B6, 0x0A3A70])

    static let dark = Colours(
        page: 0x0E131A, surface: 0x161C25, ink: 0xE7ECF3, muted: 0xA0ADBE, grid: 0x28313D,
        axis: 0x66748A, border: 0x2A3441, accent: 0x74B8FF, warnGround: 0x2E260F,
        warnInk: 0xF3D98B, code: 0x10161E,
        series: [0x56B4E9, 0xFF8C4B, 0x2CCB9A, 0xE79AC6, 0xF0C24A, 0x8FD3FF, 0xC3CBD6, 0xB79BF2],
        heat: [0x1C2430, 0x1B3F66, 0x20669F, 0x4E9FDB, 0xC9E6FF])

    static let dashes = [
        "", "7 3", "2 3", "9 3 2 3", "12 4", "5 2 1.5 2 1.5 2", "4 4", "14 3 4 3",
    ]

    /// Steps of the sequential palette.
    static let levels = 16

    /// `:root{--ink:…}` for light, and for dark where the reader's system asks for it and the
    /// page does not print. `data-theme="light"` or `"dark"` on the root element overrules.
    static let variables =
        ":root{\(light.declarations)}\n"
        + "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light])"
        + "{\(dark.declarations)}}\n"
        + "@media screen{:root[data-theme=dark]{\(dark.declarations)}}\n"

    /// The classes that drawings use.
    static let figures: String = {
        let font = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
        var css = """
            .figure{font-family:\(font);color:var(--ink)}
            .figure text{fill:currentColor;font-size:12.5px;font-variant-numeric:tabular-nums}
            .figure .back{fill:var(--surface);stroke:var(--border)}
            .figure .title{font-size:16px;font-weight:600}
            .figure .tick{fill:var(--muted)}
            .figure .label{fill:var(--muted);font-weight:500}
            .figure .strong{font-weight:600}
            .figure .grid{stroke:var(--grid)}
            .figure .axis{stroke:var(--axis)}
            .figure .base{stroke:var(--muted);stroke-width:1.25}
            .figure .curve{fill:none;stroke:currentColor;stroke-width:2.1;stroke-linejoin:round}
            .figure .lead{fill:none;stroke:currentColor;stroke-opacity:.5}
            .figure .band{fill:currentColor;fill-opacity:.13}
            .figure .dot{fill:currentColor}
            .figure .seed{fill:currentColor;fill-opacity:.65}
            .figure .bar{fill:none;stroke:currentColor;stroke-width:2}
            .figure .hollow{fill:var(--surface);stroke:currentColor;stroke-width:1.75}
            .figure .none{fill:var(--surface);stroke:var(--grid)}
            .figure .frame{fill:none;stroke:var(--border)}
            .figure .zero{fill:var(--muted)}
            .figure .cell{pointer-events:none}
            .figure .small{font-size:11px}

            """
        for i in light.series.indices { css += ".figure .c\(i){color:var(--s\(i))}\n" }
        for i in 0..<levels {
            css += ".figure .h\(i){fill:var(--h\(i))}.figure .n\(i){fill:var(--n\(i))}\n"
        }
        return css
    }()
}

/// An sRGB colour.
struct RGB: ExpressibleByIntegerLiteral, Equatable, Sendable {
    /// Red, green, blue in [0, 255].
    var parts: [Double]

    init(integerLiteral value: Int) {
        parts = [16, 8, 0].map { Double(value >> $0 & 0xFF) }
    }

    init(parts: [Double]) {
        self.parts = parts
    }

    var hex: String {
        "#"
            + parts.map {
                let text = String(Int($0.rounded()), radix: 16)
                return text.count == 1 ? "0" + text : text
            }.joined()
    }

    func mixed(with other: RGB, _ share: Double) -> RGB {
        RGB(parts: zip(parts, other.parts).map { $0 + ($1 - $0) * share })
    }
}

extension Theme.Colours {
    /// The colour of heat level `level`, interpolated between the stops.
    func heat(_ level: Int) -> RGB {
        let at = Double(level) / Double(Theme.levels - 1) * Double(heat.count - 1)
        let i = min(Int(at), heat.count - 2)
        return heat[i].mixed(with: heat[i + 1], at - Double(i))
    }

    /// Near-black or white, whichever is further from heat level `level`.
    func heatInk(_ level: Int) -> RGB {
        let ground = heat(level)
        let black: RGB = 0x03050A
        let white: RGB = 0xFFFFFF
        return contrast(black, ground) >= contrast(white, ground) ? black : white
    }

    fileprivate var declarations: String {
        let named: [(String, RGB)] = [
            ("page", page), ("surface", surface), ("ink", ink), ("muted", muted), ("grid", grid),
            ("axis", axis), ("border", border), ("accent", accent), ("warn-ground", warnGround),
            ("warn-ink", warnInk), ("code", code),
        ]
        let levels = 0..<Theme.levels
        let all =
            named + series.enumerated().map { ("s\($0.offset)", $0.element) }
            + levels.map { ("h\($0)", heat($0)) } + levels.map { ("n\($0)", heatInk($0)) }
        return all.map { "--\($0.0):\($0.1.hex)" }.joined(separator: ";")
    }
}

/// WCAG 2 contrast ratio of two colours, in [1, 21].
func contrast(_ a: RGB, _ b: RGB) -> Double {
    let (x, y) = (luminance(a), luminance(b))
    return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

/// WCAG 2 relative luminance, in [0, 1].
func luminance(_ colour: RGB) -> Double {
    let linear = colour.parts.map { part -> Double in
        let c = part / 255
        return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}
