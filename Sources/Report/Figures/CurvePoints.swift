/// The drawable points of one curve, cut into runs at its gaps.
struct CurvePoints {
    struct Point: Equatable {
        var x: Double
        var y: Double
        var sd: Double?
        /// Ends of the band around `y`; nil where there is none.
        var band: ClosedRange<Double>?
    }

    var runs: [[Point]] = []
    var marks = false
    var all: [Point] { runs.flatMap { $0 } }

    init(_ curve: Curve, log: Bool) {
        marks = curve.marks
        let count = min(curve.x.count, curve.mean.count)
        let step = max(1, (count + CurveChart.mostPoints - 1) / CurveChart.mostPoints)
        var run: [Point] = []
        for i in 0..<count where i % step == 0 || i == count - 1 {
            let x = curve.x[i]
            let y = curve.mean[i]
            guard Axis.drawable(x), Axis.drawable(y), !log || x > 0 else {
                if !run.isEmpty { runs.append(run) }
                run = []
                continue
            }
            func known(_ values: [Double]?) -> Double? {
                values.flatMap { i < $0.count && Axis.drawable($0[i]) ? $0[i] : nil }
            }
            let sd = known(curve.sd).map(abs)
            var band = sd.map { y - $0...y + $0 }
            if let low = known(curve.low), let high = known(curve.high), low <= high {
                band = low...high
            }
            run.append(Point(x: x, y: y, sd: sd, band: band))
        }
        if !run.isEmpty { runs.append(run) }
    }

    func drawBands(_ i: Int, _ x: Axis, _ y: Axis, into drawing: inout Drawing) {
        for run in runs {
            for part in run.split(whereSeparator: { $0.band == nil }) where part.count > 1 {
                let upper = part.map { (x($0.x), y($0.band?.upperBound ?? $0.y)) }
                let lower = part.reversed().map { (x($0.x), y($0.band?.lowerBound ?? $0.y)) }
                drawing.open("g", [("class", "c\(i % Theme.light.series.count)")])
                drawing.shape(
                    "path", [("class", "band"), ("d", Self.path(upper + lower) + "Z")])
                drawing.close("g")
            }
        }
    }

    func drawLines(_ i: Int, _ x: Axis, _ y: Axis, into drawing: inout Drawing) {
        drawing.open("g", [("class", "c\(i % Theme.light.series.count)")])
        for run in runs {
            if run.count == 1 || marks {
                // A single value has no line; with a band it has an upright bar.
                for point in run {
                    let at = x(point.x)
                    if let band = point.band {
                        drawing.line(at, y(band.lowerBound), at, y(band.upperBound), "bar")
                    }
                    drawing.shape(
                        "circle",
                        [
                            ("class", "dot"), ("cx", Markup.pixels(at)),
                            ("cy", Markup.pixels(y(point.y))), ("r", "3.5"),
                        ])
                }
            } else {
                var attributes = [
                    ("class", "curve"), ("d", Self.path(run.map { (x($0.x), y($0.y)) })),
                ]
                if let dash = dash(i) { attributes.append(("stroke-dasharray", dash)) }
                drawing.shape("path", attributes)
            }
        }
        drawing.close("g")
    }

    private static func path(_ points: [(Double, Double)]) -> String {
        "M" + points.map { "\(Markup.pixels($0.0)) \(Markup.pixels($0.1))" }.joined(separator: "L")
    }
}
