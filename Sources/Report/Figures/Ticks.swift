import Foundation

/// The ticks of an axis: values at round steps, and their labels.
struct Ticks: Equatable {
    var values: [Double]
    var labels: [String]

    /// Multiples of 1, 2 or 5 times a power of ten within `range`: the smallest such step that
    /// makes at most `count` intervals. With `whole`, steps are at least 1.
    init(_ range: ClosedRange<Double>, about count: Int, whole: Bool = false) {
        let lo = range.lowerBound
        let hi = range.upperBound
        let raw = max((hi - lo) / Double(max(count, 1)), whole ? 1 : 0)
        guard raw > 0, raw.isFinite else {
            (values, labels) = ([], [])
            return
        }
        var exponent = Int(floor(log10(raw) + 1e-9))
        var factor = 10.0
        for candidate in [1.0, 2, 5] where candidate * pow(10, Double(exponent)) >= raw * 0.999999 {
            factor = candidate
            break
        }
        if factor == 10 {
            factor = 1
            exponent += 1
        }
        // Division by a power of ten keeps 0.3 the number that prints as 0.3.
        let up = pow(10, Double(max(exponent, 0)))
        let down = pow(10, Double(max(-exponent, 0)))
        let step = factor * up / down
        let first = (lo / step - 1e-9).rounded(.up)
        let last = (hi / step + 1e-9).rounded(.down)
        guard first.isFinite, last - first < 1000, first <= last else {
            (values, labels) = ([], [])
            return
        }
        values = stride(from: first, through: last, by: 1).map { $0 * factor * up / down + 0 }
        let largest = values.reduce(0) { max($0, abs($1)) }
        if largest >= 1e4 || -exponent > 5 {
            let digits = max(Int(log10(max(largest / step, 1)).rounded(.up)) + 1, 1)
            labels = values.map { Numbers.compact($0, digits) }
        } else {
            labels = values.map { Numbers.fixed($0, max(-exponent, 0)) }
        }
    }

    /// Powers of ten within `range` (all of it above zero), with 2 and 5 between them where
    /// there are fewer than three; at most `count`.
    init(log range: ClosedRange<Double>, about count: Int) {
        let lo = range.lowerBound
        let hi = range.upperBound
        let decades = Int(floor(log10(lo)))...max(Int(ceil(log10(hi))), Int(floor(log10(lo))))
        func within(_ factors: [Double]) -> [Double] {
            decades.flatMap { d in factors.map { $0 * pow(10, Double(d)) } }
                .filter { $0 >= lo * 0.999999 && $0 <= hi * 1.000001 }
        }
        var found = within([1])
        if found.count < 3 { found = within([1, 2, 5]) }
        let step = max(1, (found.count + max(count, 1) - 1) / max(count, 1))
        values = found.enumerated().filter { $0.offset % step == 0 }.map(\.element)
        // Three digits: two would write 100 as 1e+02.
        labels = values.map { Numbers.compact($0, 3) }
    }
}

/// A stretch of numbers laid on a stretch of pixels.
struct Axis {
    var range: ClosedRange<Double>
    var pixels: (from: Double, to: Double)
    var log = false

    /// Values beyond this are treated as missing: differences of larger ones overflow.
    static let limit = 1e100

    static func drawable(_ value: Double) -> Bool { value.isFinite && abs(value) < limit }

    func callAsFunction(_ value: Double) -> Double {
        let f: (Double) -> Double = { log ? log10($0) : $0 }
        let lo = f(range.lowerBound)
        let hi = f(range.upperBound)
        return pixels.from + (f(value) - lo) / (hi - lo) * (pixels.to - pixels.from)
    }

    /// The range of the drawable ones among `values`, widened by `padding` of itself on both
    /// sides. Never empty: nothing gives 0...1, one value gives a stretch around it. Fractions
    /// stay within 0...1.
    static func fitting(_ values: [Double], padding: Double = 0) -> ClosedRange<Double> {
        let values = values.filter(drawable)
        guard let lo = values.min(), let hi = values.max() else { return 0...1 }
        guard hi - lo > 1e-9 * max(abs(lo), abs(hi)) else {
            let around = lo == 0 ? 1 : abs(lo) * 0.1
            return lo - around...lo + around
        }
        let pad = (hi - lo) * padding
        let fractions = lo >= 0 && hi <= 1
        return (fractions ? max(0, lo - pad) : lo - pad)...(fractions ? min(1, hi + pad) : hi + pad)
    }
}
