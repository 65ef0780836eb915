extension DotPlot {
    /// A file of its own that reads on light and on dark ground.
    public func svg() -> String { standalone() }
}

extension DotPlot: Figure {
    var fitsNarrow: Bool { true }

    var summary: String {
        let parts = rows.map { row in
            let second = row.second.map { ", \(secondMark) \(label($0))" } ?? ""
            return "\(row.name): \(firstMark) \(label(Estimate(mean: row.mean, sd: row.sd)))"
                + "\(second)."
        }
        return "\(xLabel), a row per method. " + parts.joined(separator: " ")
    }

    private func label(_ estimate: Estimate) -> String {
        let size = abs(estimate.mean)
        // A row that failed has no value, which is not the same as one that is no number.
        guard estimate.mean.isFinite else { return "–" }
        return Numbers.estimate(estimate, digits: size >= 100 ? 0 : size >= 2 ? 1 : 3)
    }

    func draw(into drawing: inout Drawing) {
        let size = 12.5
        let width = drawing.room
        let two = rows.contains { $0.second != nil }
        // On a phone names stand above their rows.
        let above = drawing.isNarrow
        let rowHeight = (two ? 44.0 : 38) + (above ? 20 : 0)
        let names = rows.map {
            Markup.cut($0.name, to: above ? drawing.room - 84 : 300, size: 13.5)
        }
        let left =
            above
            ? 6 : max((names.map { Markup.width(of: $0, size: 13.5) }.max() ?? 0) + 16, 40)
        let texts = rows.map { label(Estimate(mean: $0.mean, sd: $0.sd)) }
        let seconds = rows.map { $0.second.map(label) ?? "" }
        func column(_ title: String, _ texts: [String]) -> Double {
            texts.reduce(Markup.width(of: title, size: size)) {
                max($0, Markup.width(of: $1, size: size))
            }
        }
        let short = [firstMark, secondMark].map { String($0.prefix { $0 != " " }) }
        let first = column(short[0], texts)
        let second = two && !above ? column(short[1], seconds) + 18 : 0
        let right = width - 4
        let plotRight = above ? right - 4 : right - first - second - 22
        let top = 30.0
        let bottom = top + Double(max(rows.count, 1)) * rowHeight

        var spans = rows.flatMap(\.points)
        for row in rows {
            for e in [Estimate(mean: row.mean, sd: row.sd), row.second].compactMap({ $0 }) {
                spans += [e.mean, e.mean - (e.sd ?? 0), e.mean + (e.sd ?? 0)]
            }
        }
        let fit = Axis.fitting(spans, padding: 0.06)
        let x = Axis(range: fit, pixels: (left, plotRight))
        let ticks = Ticks(fit, about: Int((plotRight - left) / 72))

        for (value, label) in zip(ticks.values, ticks.labels) {
            drawing.line(x(value), top, x(value), bottom, "grid")
            drawing.text(label, x(value), bottom + 18, "tick", .middle)
        }
        drawing.line(left, bottom, plotRight, bottom, "axis")
        drawing.text(xLabel, (left + plotRight) / 2, bottom + 37, "label", .middle)
        drawing.text(short[0], right - second, 20, "label", .end)
        if two, !above { drawing.text(short[1], right, 20, "label", .end) }

        if let base = rows.first(where: { $0.name == baseline }), Axis.drawable(base.mean) {
            drawing.line(x(base.mean), top - 4, x(base.mean), bottom, "base", dash: "4 3")
        }
        for (i, row) in rows.enumerated() {
            let edge = top + Double(i) * rowHeight
            let y = edge + rowHeight / 2 + (above ? 10 : 0)
            if i > 0 { drawing.line(0, edge, right, edge, "grid") }
            let shown = names[i]
            drawing.text(
                shown, above ? 0 : left - 14, above ? edge + 16 : y + 4.5,
                row.name == baseline ? "strong" : "", above ? .start : .end,
                tip: shown == row.name ? nil : row.name)
            draw(row, x, y, two: two, into: &drawing)
            drawing.text(texts[i], right - second, above ? edge + 16 : y + 4.5, "", .end)
            if two, !above { drawing.text(seconds[i], right, y + 4.5, "tick", .end) }
        }
        drawing.width = width
        drawing.height = bottom + 44
        drawLegend(two: two, left: left, into: &drawing)
    }

    private func draw(
        _ row: Row, _ x: Axis, _ y: Double, two: Bool, into drawing: inout Drawing
    ) {
        let main = two ? y - 3 : y + 4
        drawing.open("g", [("class", "c0")])
        bar(Estimate(mean: row.mean, sd: row.sd), x, main, into: &drawing)
        for (k, point) in row.points.enumerated() where Axis.drawable(point) {
            drawing.shape(
                "circle", circle("seed", x(point), main - 10, 2.6),
                tip: "run \(k + 1): \(short(point))")
        }
        if Axis.drawable(row.mean) {
            drawing.shape(
                "circle", circle("dot", x(row.mean), main, 5),
                tip: "\(firstMark): \(label(Estimate(mean: row.mean, sd: row.sd)))")
        }
        drawing.close("g")
        guard let second = row.second, Axis.drawable(second.mean) else { return }
        drawing.open("g", [("class", "c1")])
        bar(second, x, y + 12, into: &drawing)
        drawing.shape(
            "path", diamond(x(second.mean), y + 12), tip: "\(secondMark): \(label(second))")
        drawing.close("g")
    }

    private func bar(_ e: Estimate, _ x: Axis, _ y: Double, into drawing: inout Drawing) {
        guard let sd = e.sd, Axis.drawable(sd), Axis.drawable(e.mean) else { return }
        let from = x(e.mean - sd)
        let to = x(e.mean + sd)
        drawing.line(from, y, to, y, "bar")
        for end in [from, to] { drawing.line(end, y - 4, end, y + 4, "bar") }
    }

    /// The marks and what they mean, in as many lines as they need.
    private func drawLegend(two: Bool, left: Double, into drawing: inout Drawing) {
        guard !rows.isEmpty else { return }
        enum Mark { case run, first, second, base }
        var entries: [(Mark, String)] = []
        if rows.contains(where: { !$0.points.isEmpty }) { entries.append((.run, "one run")) }
        entries.append((.first, "\(firstMark), mean ± sd"))
        if two { entries.append((.second, "\(secondMark), mean ± sd")) }
        if let baseline, rows.contains(where: { $0.name == baseline }) {
            entries.append((.base, "\(baseline), \(firstMark)"))
        }
        var y = drawing.height + 10
        var x = left
        for (mark, words) in entries {
            let text = Markup.cut(words, to: drawing.width - 60, size: 12.5)
            let width = 38 + Markup.width(of: text, size: 12.5)
            if x + width > drawing.width, x > left {
                y += 20
                x = left
            }
            if x + width > drawing.width { x = 0 }
            let scale = Axis(range: -1...1, pixels: (x, x + 28))
            drawing.open("g", [("class", mark == .second ? "c1" : "c0")])
            if mark == .first || mark == .second {
                bar(Estimate(mean: 0, sd: 1), scale, y, into: &drawing)
            }
            switch mark {
            case .run: drawing.shape("circle", circle("seed", x + 22, y, 2.6))
            case .first: drawing.shape("circle", circle("dot", x + 14, y, 5))
            case .second: drawing.shape("path", diamond(x + 14, y))
            case .base: drawing.line(x, y, x + 28, y, "base", dash: "4 3")
            }
            drawing.close("g")
            drawing.text(text, x + 35, y + 4.5, "tick")
            x += width + 20
        }
        drawing.height = y + 12
    }

    private func short(_ value: Double) -> String {
        label(Estimate(mean: value, sd: nil))
    }

    private func circle(_ style: String, _ x: Double, _ y: Double, _ r: Double)
        -> [(String, String)]
    {
        [
            ("class", style), ("cx", Markup.pixels(x)), ("cy", Markup.pixels(y)),
            ("r", Markup.pixels(r)),
        ]
    }

    private func diamond(_ x: Double, _ y: Double) -> [(String, String)] {
        let p = Markup.pixels
        return [
            ("class", "hollow"),
            (
                "d",
                "M\(p(x - 5)) \(p(y))L\(p(x)) \(p(y - 5))L\(p(x + 5)) \(p(y))L\(p(x)) \(p(y + 5))Z"
            ),
        ]
    }
}
