import Foundation

/// One line of a chart: a mean over seeds and, around it, a band of one standard deviation.
/// A curve without a name stands in no legend.
///
/// `x`, `mean` and `sd` are read in step; points past the shortest of `x` and `mean` are not
/// drawn. A value that is not finite leaves a gap, and so does a point without an `sd` in the
/// band only. In JSON such values are `null`.
public struct Curve: Equatable, Sendable {
    public var name: String
    /// Epochs, steps or a hyper-parameter, in rising order.
    public var x: [Double]
    public var mean: [Double]
    /// Standard deviation over seeds; `nil` draws no band.
    public var sd: [Double]?
    /// A band that is not the same to both sides of the mean; goes before `sd`.
    public var low: [Double]?
    public var high: [Double]?
    /// Draws a dot for each point and `sd` as an upright bar, instead of a line and a band: measured
    /// points beside a theory's line.
    public var marks: Bool
    /// Colour and dashes are those of the series of this number; `nil` takes the curve's own place.
    public var series: Int?

    public init(
        name: String, x: [Double], mean: [Double], sd: [Double]? = nil, low: [Double]? = nil,
        high: [Double]? = nil, marks: Bool = false, series: Int? = nil
    ) {
        self.name = name
        self.x = x
        self.mean = mean
        self.sd = sd
        self.low = low
        self.high = high
        self.marks = marks
        self.series = series
    }

    /// The curve of several seeds on common `x`: mean and sample standard deviation at each
    /// point over the seeds that have a finite value there; a band only if a point has two.
    public init(name: String, x: [Double], seeds: [[Double]]) {
        let points = x.indices.map { i in
            Estimate(values: seeds.compactMap { i < $0.count ? $0[i] : nil }.filter(\.isFinite))
        }
        self.init(
            name: name, x: x, mean: points.map(\.mean),
            sd: points.contains { $0.sd != nil } ? points.map { $0.sd ?? .nan } : nil)
    }
}

/// Curves over common axes.
public struct CurveChart: Codable, Equatable, Sendable {
    public enum Scale: String, Codable, Sendable { case linear, log }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var curves: [Curve]
    /// Fixed limits of the y axis; `nil` fits the data.
    public var yRange: ClosedRange<Double>?
    /// On a logarithmic axis, points at `x <= 0` are left out.
    public var xScale: Scale
    /// A sentence under the chart.
    public var note: String?

    public init(
        title: String, xLabel: String, yLabel: String, curves: [Curve],
        yRange: ClosedRange<Double>? = nil, xScale: Scale = .linear, note: String? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.curves = curves
        self.yRange = yRange
        self.xScale = xScale
        self.note = note
    }
}

/// One row per method: a dot at the mean, a bar of one standard deviation to each side, and a
/// small mark for each seed. A second, hollow mark can stand beside it (last and selected).
public struct DotPlot: Codable, Equatable, Sendable {
    public struct Row: Equatable, Sendable {
        public var name: String
        public var mean: Double
        /// Standard deviation; `nil` (one seed) draws no bar.
        public var sd: Double?
        /// The seeds' own values.
        public var points: [Double]
        /// The hollow second mark.
        public var second: Estimate?

        public init(
            name: String, mean: Double, sd: Double?, points: [Double] = [],
            second: Estimate? = nil
        ) {
            self.name = name
            self.mean = mean
            self.sd = sd
            self.points = points
            self.second = second
        }
    }

    public var title: String
    public var xLabel: String
    public var rows: [Row]
    /// What the filled mark shows.
    public var firstMark: String
    /// What the hollow mark shows.
    public var secondMark: String
    /// Draws a vertical line at this row's mean, to compare against.
    public var baseline: String?
    public var note: String?

    public init(
        title: String, xLabel: String, rows: [Row], firstMark: String = "last",
        secondMark: String = "selected on validation", baseline: String? = nil,
        note: String? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.rows = rows
        self.firstMark = firstMark
        self.secondMark = secondMark
        self.baseline = baseline
        self.note = note
    }
}

/// A matrix as coloured cells: confusion counts, transition probabilities.
///
/// Numbers stand in the cells up to 20 x 20; above that only the colours, with the number as a
/// tooltip. Above 100 x 100 the matrix is not drawn and the page says so.
public struct HeatMap: Equatable, Sendable {
    public typealias Format = NumberFormat

    public var title: String
    public var rowLabels: [String]
    public var columnLabels: [String]
    /// Rows of values. A value that is missing or not finite is an empty cell.
    public var values: [[Double]]
    public var format: Format
    /// What the rows are: `given label`.
    public var rowAxis: String
    public var columnAxis: String
    /// The value of the darkest colour; `nil` takes the largest.
    public var maximum: Double?
    public var note: String?

    public init(
        title: String, rowLabels: [String], columnLabels: [String], values: [[Double]],
        format: Format = .count, rowAxis: String, columnAxis: String, maximum: Double? = nil,
        note: String? = nil
    ) {
        self.title = title
        self.rowLabels = rowLabels
        self.columnLabels = columnLabels
        self.values = values
        self.format = format
        self.rowAxis = rowAxis
        self.columnAxis = columnAxis
        self.maximum = maximum
        self.note = note
    }
}

/// A mean over seeds with its sample standard deviation.
public struct Estimate: Equatable, Sendable {
    public var mean: Double
    /// With n - 1 in the denominator; `nil` for fewer than two values.
    public var sd: Double?

    public init(mean: Double, sd: Double?) {
        self.mean = mean
        self.sd = sd
    }

    /// Mean and sample standard deviation. The mean of no values is not a number.
    public init(values: [Double]) {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        self.mean = mean
        sd =
            values.count < 2
            ? nil
            : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot()
    }
}
