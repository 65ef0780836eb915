extension HeatMap {
    /// A file of its own that reads on light and on dark ground.
    public func svg() -> String { standalone() }
}

extension HeatMap: Figure {
    /// Up to so many rows and columns, numbers stand in the cells.
    static let mostNumbered = 20
    /// Up to so many rows and columns, the matrix is drawn at all.
    static let mostDrawn = 100

    private var rowCount: Int { max(values.count, rowLabels.count) }
    private var columnCount: Int {
        values.reduce(columnLabels.count) { max($0, $1.count) }
    }

    var summary: String {
        "A matrix of \(rowCount) rows (\(rowAxis)) and \(columnCount) columns (\(columnAxis))."
    }

    /// Numbers in many cells need the whole width to be read.
    var isWide: Bool { max(rowCount, columnCount) > 12 && max(rowCount, columnCount) <= 20 }

    private func cell(_ row: Int, _ column: Int) -> Double? {
        guard row < values.count, column < values[row].count else { return nil }
        let value = values[row][column]
        return Axis.drawable(value) ? value : nil
    }

    private func name(_ labels: [String], _ i: Int) -> String {
        i < labels.count ? labels[i] : "\(i)"
    }

    private func text(_ value: Double) -> String { format.text(value) }

    func draw(into drawing: inout Drawing) {
        let rows = rowCount
        let columns = columnCount
        guard rows > 0, columns > 0, rows <= Self.mostDrawn, columns <= Self.mostDrawn else {
            drawing.text(
                rows == 0 || columns == 0
                    ? "no values to show"
                    : "\(rows) x \(columns) cells are too many to draw (at most "
                        + "\(Self.mostDrawn) x \(Self.mostDrawn))", 0, 20, "label")
            (drawing.width, drawing.height) = (480, 32)
            return
        }
        let n = max(rows, columns)
        let numbered = n <= Self.mostNumbered
        let most =
            maximum.flatMap { Axis.drawable($0) ? $0 : nil }
            ?? (0..<rows).flatMap { r in (0..<columns).compactMap { cell(r, $0) } }.max() ?? 0

        let size = 12.5
        let widest =
            numbered
            ? (0..<rows).flatMap { r in (0..<columns).compactMap { cell(r, $0).map(text) } }
                .map { Markup.width(of: $0, size: n > 12 ? 11 : size) }.max() ?? 0 : 0
        let side =
            numbered ? max(min(46, 440 / Double(n)), widest + 6, 27) : max(520 / Double(n), 5.2)
        let rowNames = (0..<rows).map { Markup.cut(name(rowLabels, $0), to: 130, size: size) }
        let columnNames = (0..<columns).map {
            Markup.cut(name(columnLabels, $0), to: 130, size: size)
        }
        // Every k-th name where a name, sloped, is higher than a cell.
        let every = max(1, Int((23 / side).rounded(.up)))
        func widestName(_ names: [String]) -> Double {
            names.enumerated().filter { $0.offset % every == 0 }
                .map { Markup.width(of: $0.element, size: size) }.max() ?? 0
        }
        let upright = widestName(columnNames) > side * Double(every) - 4
        let slope = 0.7071
        let headHeight = upright ? widestName(columnNames) * slope + 18 : 22
        let left = widestName(rowNames) + 30
        let top = 24 + headHeight
        let right = left + Double(columns) * side
        let bottom = top + Double(rows) * side

        drawing.text(columnAxis, (left + right) / 2, 13, "label", .middle)
        drawing.text(rowAxis, 12, (top + bottom) / 2, "label", .middle, rotate: -90)
        for (i, text) in rowNames.enumerated() where i % every == 0 {
            let tip = name(rowLabels, i)
            drawing.text(
                text, left - 8, top + (Double(i) + 0.5) * side + 4.5, "", .end,
                tip: tip == text ? nil : tip)
        }
        for (i, text) in columnNames.enumerated() where i % every == 0 {
            let middle = left + (Double(i) + 0.5) * side
            let tip = name(columnLabels, i) == text ? nil : name(columnLabels, i)
            if upright {
                drawing.text(text, middle + 2, top - 7, "", .start, rotate: -45, tip: tip)
            } else {
                drawing.text(text, middle, top - 8, "", .middle, tip: tip)
            }
        }
        // The lowest level is the ground, so cells at it need no drawing of their own.
        drawing.shape("rect", box("h0", left, top, right - left, bottom - top))
        for r in 0..<rows {
            for c in 0..<columns {
                draw(r, c, most, left, top, side, numbered, n > 12, into: &drawing)
            }
        }
        drawing.shape("rect", box("frame", left, top, right - left, bottom - top))
        let after = upright ? right + (widestName(columnNames) * slope - side / 2) : right
        drawScale(most, right + 20, top, bottom, into: &drawing)
        drawing.width = max(
            right + 20 + 22 + Markup.width(of: number(most), size: size), after + 4)
        drawing.height = bottom + 8
    }

    private func draw(
        _ r: Int, _ c: Int, _ most: Double, _ left: Double, _ top: Double, _ side: Double,
        _ numbered: Bool, _ dense: Bool, into drawing: inout Drawing
    ) {
        // Cells overlap by a hair where there are many: no seams between neighbours.
        let inset = numbered ? 0.5 : 0
        let extent = numbered ? side - 1 : side + 0.15
        let x = left + Double(c) * side
        let y = top + Double(r) * side
        guard let value = cell(r, c) else {
            drawing.shape("rect", box("none", x + inset, y + inset, extent, extent))
            return
        }
        let level = level(value, most)
        let words =
            numbered
            ? "\(rowAxis) \(name(rowLabels, r)), \(columnAxis) \(name(columnLabels, c)): "
                + number(value)
            : "\(name(rowLabels, r)) → \(name(columnLabels, c)): \(number(value))"
        if numbered || level > 0 || value != 0 {
            drawing.shape(
                "rect", box("h\(level)", x + inset, y + inset, extent, extent), tip: words)
        }
        if numbered {
            drawing.text(
                text(value), x + side / 2, y + side / 2 + 4,
                "cell" + (dense ? " small" : "") + (value == 0 ? " zero" : " n\(level)"), .middle)
        }
    }

    /// The number with its sign.
    private func number(_ value: Double) -> String {
        format.isPercent ? text(value) + " %" : text(value)
    }

    private func level(_ value: Double, _ most: Double) -> Int {
        guard most > 0 else { return 0 }
        let share = min(max(value / most, 0), 1)
        return Int((share * Double(Theme.levels - 1)).rounded())
    }

    /// The colour scale: a column of all levels from nothing to most.
    private func drawScale(
        _ most: Double, _ x: Double, _ top: Double, _ bottom: Double, into drawing: inout Drawing
    ) {
        guard most > 0 else { return }
        let height = min(bottom - top, 160)
        let step = height / Double(Theme.levels)
        for level in 0..<Theme.levels {
            let y = top + height - Double(level + 1) * step
            drawing.shape("rect", box("h\(level)", x, y, 12, step + 0.3))
        }
        drawing.shape("rect", box("frame", x, top, 12, height))
        drawing.text(number(most), x + 18, top + 10, "tick")
        drawing.text("0", x + 18, top + height, "tick")
    }

    private func box(_ style: String, _ x: Double, _ y: Double, _ w: Double, _ h: Double)
        -> [(String, String)]
    {
        [
            ("class", style), ("x", Markup.pixels(x)), ("y", Markup.pixels(y)),
            ("width", Markup.pixels(w)), ("height", Markup.pixels(h)),
        ]
    }
}
