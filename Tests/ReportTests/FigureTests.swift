import Foundation
import Testing

@testable import Report

@Suite struct FigureTests {
    static let hostile = "<script>alert(\"x\")</script> & 'y' \u{0} \u{202E}gnp \"\u{301}onload=\"z"

    /// The whole drawing of two points, as it was looked at in a browser.
    /// A row that failed has no value: neither a number nor "nan".
    @Test func rowsWithoutAValue() {
        let failed = DotPlot.Row(name: "wild (failed)", mean: .nan, sd: nil, points: [])
        let good = DotPlot.Row(name: "plain", mean: 70, sd: 1, points: [69, 71])
        let text = DotPlot(title: "t", xLabel: "x", rows: [good, failed]).svg()
        #expect(text.contains("wild (failed)") && text.contains("70.0"))
        #expect(text.contains(">–<") && !text.contains("nan"))
    }

    @Test func twoPointsPinned() {
        let chart = CurveChart(
            title: "T", xLabel: "epoch", yLabel: "y",
            curves: [
                Curve(name: "a", x: [0, 1], mean: [0, 10], sd: [0, 0])
            ], yRange: 0...10)
        let svg = chart.inlineSVG()
        #expect(
            svg.hasPrefix(
                "<svg class=\"figure\" role=\"img\" viewBox=\"0 0 640 344\" width=\"640\" "
                    + "height=\"344\"><title>T</title><desc>y over epoch. a ends at 10 (epoch 1)."
                    + "</desc>\n"))
        // The plot is 270 high; 0 is at its foot, 10 at its head.
        #expect(svg.contains("<path class=\"curve\" d=\"M0 270L"), "\(svg)")
        #expect(svg.contains(" 0\"/>"))
        #expect(svg.contains(">10</text>") && svg.contains(">2</text>"))
        #expect(svg == chart.inlineSVG())
    }

    @Test func gapsSplitCurves() {
        let curve = Curve(
            name: "a", x: [1, 2, 3, 4, 5], mean: [1, 2, .nan, 4, .infinity], sd: [1, .nan, 1, 1, 1])
        let points = CurvePoints(curve, log: false)
        #expect(points.runs.map { $0.map(\.x) } == [[1, 2], [4]])
        #expect(points.runs[0].map(\.sd) == [1, nil])
        #expect(
            CurvePoints(Curve(name: "", x: [-1, 0, 1], mean: [1, 1, 1]), log: true).all.count == 1)
        let long = Curve(
            name: "", x: (0..<5001).map(Double.init), mean: .init(repeating: 1, count: 5001))
        #expect(CurvePoints(long, log: false).all.count <= 1001)
        #expect(CurvePoints(long, log: false).all.last?.x == 5000)
    }

    @Test func seedsMakeABand() {
        let curve = Curve(name: "a", x: [1, 2, 3], seeds: [[1, 2, .nan], [3, 2], [5, 2]])
        #expect(curve.mean[0...1] == [3, 2] && curve.mean[2].isNaN)
        #expect(curve.sd?[0] == 2 && curve.sd?[1] == 0 && curve.sd?[2].isNaN == true)
        #expect(Curve(name: "a", x: [1], seeds: [[1]]).sd == nil)
    }

    /// Measured points beside a line: dots with bars in the line's colour, and no name of their own.
    @Test func marksBesideALine() throws {
        var chart = CurveChart(
            title: "t", xLabel: "x", yLabel: "y",
            curves: [
                Curve(name: "other", x: [1, 2, 3], mean: [3, 3, 3]),
                Curve(name: "theory", x: [1, 2, 3], mean: [1, 2, 3]),
                Curve(
                    name: "", x: [1, 2, 3], mean: [1.1, 2.1, 2.9], sd: [0.1, .nan, 0.1],
                    marks: true,
                    series: 1),
            ])
        let svg = chart.svg()
        func count(_ text: String) -> Int { svg.components(separatedBy: text).count - 1 }
        #expect(count("<circle class=\"dot\"") == 3 && count("class=\"bar\"") == 2)
        #expect(count("<path class=\"curve\"") == 2)
        // Line, dots, and the line's sample beside its name (with its lead).
        #expect(count("<g class=\"c1\">") == 4 && count("<g class=\"c2\">") == 0)
        #expect(
            !chart.summary.contains(" ends at")
                || chart.summary.components(separatedBy: " ends at").count == 3)
        chart.curves[2].name = "measured"
        #expect(chart.svg().components(separatedBy: "<circle class=\"dot\"").count - 1 == 4)
    }

    @Test func oddDataDraws() throws {
        let values: [[Double]] = [
            [], [1], [.nan], [1, 1, 1], [.infinity, -.infinity], [1e308, -1e308], [0, 1e-320],
            [-1, 0, 1], [.nan, 1, .nan, 2],
        ]
        for v in values {
            for scale in [CurveChart.Scale.linear, .log] {
                let curves = [
                    Curve(name: "a", x: v, mean: v, sd: v), Curve(name: "b", x: [1, 2], mean: v),
                    Curve(name: "", x: v, mean: [1], sd: []),
                ]
                for range in [nil, 0...1, 5...5, -Double.infinity...Double.infinity] {
                    let chart = CurveChart(
                        title: "t", xLabel: "x", yLabel: "y", curves: curves, yRange: range,
                        xScale: scale)
                    try check(chart)
                }
            }
            let row = DotPlot.Row(
                name: "r", mean: v.first ?? .nan, sd: v.last, points: v,
                second: Estimate(mean: v.last ?? 0, sd: v.first))
            try check(DotPlot(title: "t", xLabel: "x", rows: [row, row], baseline: "r"))
            try check(DotPlot(title: "t", xLabel: "x", rows: [row].filter { _ in v.count > 1 }))
            for format in [HeatMap.Format.count, .decimal(200), .percent(-3)] {
                try check(
                    HeatMap(
                        title: "t", rowLabels: ["a"], columnLabels: [], values: [v, [], [1]],
                        format: format, rowAxis: "r", columnAxis: "c", maximum: v.first))
            }
        }
        try check(CurveChart(title: "", xLabel: "", yLabel: "", curves: []))
        try check(
            CurveChart(
                title: "", xLabel: "", yLabel: "",
                curves: (0..<40).map {
                    Curve(name: String(repeating: "W", count: $0 * 9), x: [1, 2], mean: [1, 2])
                }))
    }

    private func check(_ figure: some Figure, _ location: SourceLocation = #_sourceLocation) throws
    {
        let text = figure.standalone()
        let seen = try #require(WellFormed.read(text), sourceLocation: location)
        #expect(seen.elements["title", default: 0] >= 1 && seen.elements["desc"] == 1)
        #expect(!seen.attributes.contains { $0.contains("nan") || $0.contains("inf") })
        #expect(WellFormed.read(figure.inlineSVG()) != nil, sourceLocation: location)
    }

    @Test func hostileNamesStayText() throws {
        let bad = Self.hostile
        let figures: [any Figure] = [
            CurveChart(
                title: bad, xLabel: bad, yLabel: bad, curves: [Curve(name: bad, x: [1], mean: [2])]),
            DotPlot(
                title: bad, xLabel: bad, rows: [.init(name: bad, mean: 1, sd: 1, points: [1])],
                baseline: bad),
            HeatMap(
                title: bad, rowLabels: [bad], columnLabels: [bad], values: [[1]], rowAxis: bad,
                columnAxis: bad),
        ]
        for figure in figures {
            let svg = figure.standalone()
            let seen = try #require(WellFormed.read(svg))
            #expect(seen.elements["script"] == nil)
            #expect(!seen.attributes.contains { $0.hasPrefix("onload") })
            #expect(svg.components(separatedBy: "http").count == 2, "only the namespace")
        }
        // One character to Swift, two to a browser.
        #expect(Markup.escape("\"\u{301}<\u{338}") == "&quot;\u{301}&lt;\u{338}")
        #expect(Markup.escape("a\u{0}b\u{202E}\n") == "a\u{FFFD}b\u{FFFD}\n")
    }

    /// Beside the cells, two axes have a 7, and the scale ends in one.
    @Test func heatMapCells() {
        func map(_ n: Int) -> String {
            HeatMap(
                title: "", rowLabels: [], columnLabels: [],
                values: .init(repeating: .init(repeating: 7, count: n), count: n), rowAxis: "r",
                columnAxis: "c"
            ).inlineSVG()
        }
        #expect(map(20).components(separatedBy: ">7</text>").count == 1 + 400 + 3)
        #expect(map(21).components(separatedBy: ">7</text>").count == 1 + 3)
        #expect(map(21).components(separatedBy: "class=\"h15\"").count == 441 + 2)
        #expect(map(101).contains("101 x 101 cells are too many to draw (at most 100 x 100)"))
        #expect(map(0).contains("no values to show"))
    }

    /// WCAG: text at least 4.5 : 1 on its ground, lines and marks at least 3 : 1.
    @Test func everythingHasContrast() {
        #expect(abs(contrast(0x000000, 0xFFFFFF) - 21) < 1e-9)
        for theme in [Theme.light, Theme.dark] {
            for ink in [theme.ink, theme.muted, theme.accent] {
                for ground in [theme.page, theme.surface, theme.code] {
                    #expect(contrast(ink, ground) >= 4.5)
                }
            }
            #expect(contrast(theme.warnInk, theme.warnGround) >= 4.5)
            for series in theme.series { #expect(contrast(series, theme.surface) >= 3) }
            for level in 0..<Theme.levels {
                #expect(contrast(theme.heatInk(level), theme.heat(level)) >= 4.5)
            }
            let steps = (0..<Theme.levels).map { luminance(theme.heat($0)) }
            let rising = zip(steps, steps.dropFirst()).map { $0 < $1 }
            #expect(Set(rising.dropFirst(4)).count == 1, "one direction")
            #expect(contrast(theme.muted, theme.heat(0)) >= 4.5, "zeros")
        }
        #expect(Set((0..<64).map { "\($0 % 8) \(dash($0) ?? "")" }).count == 64)
    }

    @Test func figuresSurviveJSON() throws {
        let curve = Curve(name: "a", x: [1, 2], mean: [.nan, 1], sd: [.infinity, 1])
        let text = String(decoding: try JSONEncoder().encode(curve), as: UTF8.self)
        #expect(text.contains("null"))
        let back = try JSONDecoder().decode(Curve.self, from: Data(text.utf8))
        #expect(back.mean[0].isNaN && back.mean[1] == 1 && back.sd?[0].isNaN == true)
        let page = Samples.comparison
        let coder = JSONEncoder()
        let copy = try JSONDecoder().decode(ComparisonPage.self, from: coder.encode(page))
        #expect(try copy.html() == page.html())
    }
}
