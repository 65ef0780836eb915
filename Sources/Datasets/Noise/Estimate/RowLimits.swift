/// Whether rows of numbers are within limits.
package enum RowLimits {
    /// The first row with a number that is none, is below 0 or above `largest`, or whose sum is outside `sums`;
    /// nil if there is none.
    package static func firstOutside(
        _ values: UnsafeBufferPointer<Float>, _ classes: Int, largest: Double,
        sums: ClosedRange<Double>
    ) -> Int? {
        first(values, classes, largest, sums)
    }

    package static func firstOutside(
        _ values: UnsafeBufferPointer<Double>, _ classes: Int, largest: Double,
        sums: ClosedRange<Double>
    ) -> Int? {
        first(values, classes, largest, sums)
    }

    private static func first<T: LaneScalar>(
        _ values: UnsafeBufferPointer<T>, _ classes: Int, _ largest: Double,
        _ sums: ClosedRange<Double>
    ) -> Int? {
        guard var row = values.baseAddress else { return nil }
        let (least, most, above) = (T(sums.lowerBound), T(sums.upperBound), T(largest))
        for i in 0..<values.count / classes {
            let (sum, low, high) = facts(row, classes)
            // What is not a number makes the sum one that is not either.
            guard sum >= least, sum <= most, low >= 0, high <= above else { return i }
            row += classes
        }
        return nil
    }

    @inline(__always)
    private static func facts<T: LaneScalar>(
        _ row: UnsafePointer<T>, _ count: Int
    ) -> (sum: T, low: T, high: T) {
        var (sum, low, high) = (T(0), T(0), T(0))
        var k = 0
        if count >= 8 {
            var sums = row.lanes(at: 0)
            var (lows, highs) = (sums, sums)
            k = 8
            while k &+ 8 <= count {
                let x = row.lanes(at: k)
                sums = T.sum(sums, x)
                lows = T.smaller(lows, x)
                highs = T.larger(highs, x)
                k &+= 8
            }
            for lane in 0..<8 {
                sum += sums[lane]
                low = lows[lane] < low ? lows[lane] : low
                high = highs[lane] > high ? highs[lane] : high
            }
        }
        while k < count {
            sum += row[k]
            low = row[k] < low ? row[k] : low
            high = row[k] > high ? row[k] : high
            k &+= 1
        }
        return (sum, low, high)
    }
}
