extension CurveChart {
    /// A file of its own that reads on light and on dark ground.
    public func svg() -> String { standalone() }
}

extension CurveChart: Figure {
    /// Curves with more points are drawn with every k-th of them, and the last.
    static let mostPoints = 1000

    /// Many curves need the whole width.
    var isWide: Bool { named.count > 4 }
    var fitsNarrow: Bool { true }

    /// The curves that are named beside or below the chart.
    private var named: [Int] { curves.indices.filter { !curves[$0].name.isEmpty } }

    private func series(_ i: Int) -> Int { max(0, curves[i].series ?? i) }

    var summary: String {
        let ends = named.map { curves[$0] }.map { curve in
            let last = Array(zip(curve.x, curve.mean)).last { $1.isFinite }
            return last.map {
                "\(curve.name) ends at \(Numbers.compact($1)) (\(xLabel) \(Numbers.compact($0)))"
            } ?? "\(curve.name) has no values"
        }
        return "\(yLabel) over \(xLabel). " + ends.map { $0 + "." }.joined(separator: " ")
    }

    func draw(into drawing: inout Drawing) {
        let runs = curves.map { CurvePoints($0, log: xScale == .log) }
        let points = runs.flatMap(\.all)
        let spans = points.flatMap {
            [$0.y, $0.band?.lowerBound ?? $0.y, $0.band?.upperBound ?? $0.y]
        }
        let yFit: ClosedRange<Double>
        if let yRange, Axis.drawable(yRange.lowerBound), Axis.drawable(yRange.upperBound) {
            yFit =
                yRange.lowerBound < yRange.upperBound
                ? yRange : Axis.fitting([yRange.lowerBound])
        } else {
            yFit = Axis.fitting(spans, padding: 0.05)
        }
        var xFit = Axis.fitting(points.map(\.x))
        if xScale == .log, xFit.lowerBound <= 0 { xFit = 1...10 }

        let size = 12.5
        let labelWidth = curves.map { Markup.width(of: $0.name, size: size) }.max() ?? 0
        let beside = !drawing.isNarrow && named.count <= 12 && labelWidth <= 210
        let width = isWide ? drawing.room : min(640, drawing.room)
        let top = 28.0
        let plotHeight = drawing.isNarrow ? 230 : isWide ? 380.0 : 270
        let right = beside && !curves.isEmpty ? labelWidth + 52 : drawing.isNarrow ? 6 : 16
        let yTicks = Ticks(yFit, about: 6)
        let left = (yTicks.labels.map { Markup.width(of: $0, size: size) }.max() ?? 0) + 10
        let plotWidth = width - left - right
        let x = Axis(range: xFit, pixels: (0, plotWidth), log: xScale == .log)
        let y = Axis(range: yFit, pixels: (plotHeight, 0))
        let whole = points.allSatisfy { $0.x == $0.x.rounded() }
        let room = Int(plotWidth / 64)
        let xTicks =
            xScale == .log
            ? Ticks(log: xFit, about: room) : Ticks(xFit, about: room, whole: whole)

        drawing.text(yLabel, 0, 13, "label")
        for (value, label) in zip(yTicks.values, yTicks.labels) {
            let at = top + y(value)
            drawing.line(left, at, left + plotWidth, at, "grid")
            drawing.text(label, left - 8, at + 4.5, "tick", .end)
        }
        let bottom = top + plotHeight
        drawing.line(left, bottom, left + plotWidth, bottom, "axis")
        for (value, label) in zip(xTicks.values, xTicks.labels) {
            let at = left + x(value)
            drawing.line(at, bottom, at, bottom + 5, "axis")
            drawing.text(label, at, bottom + 19, "tick", .middle)
        }
        drawing.text(
            xLabel + (xScale == .log ? " (log scale)" : ""), left + plotWidth / 2, bottom + 38,
            "label", .middle)

        // A drawing within the drawing cuts off what leaves a fixed range.
        drawing.open(
            "svg",
            [
                ("x", Markup.pixels(left)), ("y", Markup.pixels(top - 2)),
                ("width", Markup.pixels(plotWidth + 3)), ("height", Markup.pixels(plotHeight + 4)),
                (
                    "viewBox",
                    "0 -2 \(Markup.pixels(plotWidth + 3)) \(Markup.pixels(plotHeight + 4))"
                ),
            ])
        for (i, run) in runs.enumerated() where !run.marks {
            run.drawBands(series(i), x, y, into: &drawing)
        }
        for (i, run) in runs.enumerated() { run.drawLines(series(i), x, y, into: &drawing) }
        drawing.close("svg")
        if points.isEmpty {
            drawing.text(
                "no values to show", left + plotWidth / 2, top + plotHeight / 2, "label", .middle)
        }
        drawing.width = width
        drawing.height = bottom + 46
        if beside {
            drawLabels(runs, x, y, left, top, plotWidth, plotHeight, into: &drawing)
        } else {
            drawLegend(into: &drawing)
        }
    }

    /// Names at the right of the curves' ends, pushed apart where the ends are close.
    private func drawLabels(
        _ runs: [CurvePoints], _ x: Axis, _ y: Axis, _ left: Double, _ top: Double,
        _ width: Double, _ height: Double, into drawing: inout Drawing
    ) {
        let gap = 18.0
        let ends = runs.map { $0.all.last }
        let order = named.sorted {
            let a = ends[$0].map { y($0.y) } ?? height
            let b = ends[$1].map { y($0.y) } ?? height
            return a == b ? $0 < $1 : a < b
        }
        let wanted = order.map { min(max(ends[$0].map { y($0.y) } ?? height, 0), height) }
        let placed = spread(wanted, gap: gap, within: 0...height)
        for (slot, i) in order.enumerated() {
            let at = top + placed[slot]
            let start = left + width
            if let end = ends[i], abs(x(end.x) - width) < 2, (0...height).contains(y(end.y)) {
                drawing.open("g", [("class", "c\(series(i) % Theme.light.series.count)")])
                drawing.shape(
                    "path",
                    [
                        ("class", "lead"),
                        (
                            "d",
                            "M\(Markup.pixels(start + 3)) \(Markup.pixels(top + y(end.y)))"
                                + "L\(Markup.pixels(start + 14)) \(Markup.pixels(at))"
                        ),
                    ])
                drawing.close("g")
            }
            sample(i, start + 14, at, into: &drawing)
            drawing.text(curves[i].name, start + 46, at + 4.5)
        }
    }

    /// Names in columns under the chart.
    private func drawLegend(into drawing: inout Drawing) {
        let size = 12.5
        let widest = curves.map { Markup.width(of: $0.name, size: size) }.max() ?? 0
        let columns = max(1, Int(drawing.width / (min(widest, drawing.width - 50) + 56)))
        let rows = (named.count + columns - 1) / columns
        let top = drawing.height + 8
        for (slot, i) in named.enumerated() {
            let curve = curves[i]
            let x = Double(slot / max(rows, 1)) * drawing.width / Double(columns)
            let y = top + Double(slot % max(rows, 1)) * 19
            sample(i, x, y, into: &drawing)
            let room = drawing.width / Double(columns) - 50
            let name = Markup.cut(curve.name, to: room, size: size)
            drawing.text(name, x + 34, y + 4.5, tip: name == curve.name ? nil : curve.name)
        }
        drawing.height = top + Double(rows) * 19
    }

    private func sample(_ i: Int, _ x: Double, _ y: Double, into drawing: inout Drawing) {
        drawing.open("g", [("class", "c\(series(i) % Theme.light.series.count)")])
        if curves[i].marks {
            let centre = [("cx", Markup.pixels(x + 13.5)), ("cy", Markup.pixels(y))]
            drawing.shape("circle", [("class", "dot")] + centre + [("r", "3.5")])
        } else {
            drawing.line(x, y, x + 27, y, "curve", dash: dash(series(i)))
        }
        drawing.close("g")
    }
}

/// The dash pattern of series `i`. Where the colours come round again, the dashes are shifted,
/// so that 64 series differ in one or the other.
func dash(_ i: Int) -> String? {
    let n = Theme.dashes.count
    let pattern = Theme.dashes[(i % n + i / n) % n]
    return pattern.isEmpty ? nil : pattern
}

/// Positions near `wanted` (in rising order) that keep `gap` between neighbours and, if there is
/// room, stay within `range`.
func spread(_ wanted: [Double], gap: Double, within range: ClosedRange<Double>) -> [Double] {
    // Neighbours that touch form a block, placed around the mean of what its members want.
    var blocks: [(members: [Double], centre: Double)] = []
    func place(_ members: [Double]) -> Double {
        let half = Double(members.count - 1) * gap / 2
        let mean = members.reduce(0, +) / Double(members.count)
        return min(
            max(mean, range.lowerBound + half),
            max(range.upperBound - half, range.lowerBound + half))
    }
    for value in wanted {
        blocks.append(([value], place([value])))
        while blocks.count > 1 {
            let b = blocks[blocks.count - 1]
            let a = blocks[blocks.count - 2]
            let touching = Double(a.members.count + b.members.count) / 2 * gap
            if b.centre - a.centre >= touching { break }
            blocks.removeLast(2)
            let members = a.members + b.members
            blocks.append((members, place(members)))
        }
    }
    return blocks.flatMap { block in
        block.members.indices.map {
            block.centre + (Double($0) - Double(block.members.count - 1) / 2) * gap
        }
    }
}
