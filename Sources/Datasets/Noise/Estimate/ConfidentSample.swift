/// What the thresholds of a ``ConfidentJoint`` make of one sample.
package struct ConfidentSample: Equatable, Sendable {
    /// The class with the largest probability, the first of equals.
    package var predicted: Int { Int(packed >> 1) }
    /// Whether the given label would be the prediction if it had 1e-6 more: no issue then.
    package var isClose: Bool { packed & 1 == 1 }
    /// At least the largest probability of another class less that of the given one.
    package let margin: Float
    private let packed: UInt32
    private let confidentClass: Int32

    /// The class whose threshold is reached; nil if none is.
    package var confident: Int? { confidentClass < 0 ? nil : Int(confidentClass) }

    static let tolerance = 1e-6

    /// Reads a row of probabilities for each label, writes what it finds to `samples`.
    package static func read(
        _ rows: UnsafeBufferPointer<Float>, _ labels: UnsafeBufferPointer<Int>,
        thresholds: [Double], into samples: UnsafeMutablePointer<ConfidentSample>
    ) {
        readRows(rows, labels, thresholds, samples)
    }

    package static func read(
        _ rows: UnsafeBufferPointer<Double>, _ labels: UnsafeBufferPointer<Int>,
        thresholds: [Double], into samples: UnsafeMutablePointer<ConfidentSample>
    ) {
        readRows(rows, labels, thresholds, samples)
    }

    /// C[given][true] of the paper, its diagonal as it is.
    package static func counts(
        _ samples: [ConfidentSample], _ labels: [Int], classes: Int
    ) -> [[Int]] {
        var counts = [Int](repeating: 0, count: classes * classes)
        for (sample, label) in zip(samples, labels) where sample.confidentClass >= 0 {
            counts[label * classes + Int(sample.confidentClass)] += 1
        }
        return (0..<classes).map { Array(counts[$0 * classes..<($0 + 1) * classes]) }
    }

    private static func readRows<T: LaneScalar>(
        _ rows: UnsafeBufferPointer<T>, _ labels: UnsafeBufferPointer<Int>,
        _ thresholds: [Double], _ samples: UnsafeMutablePointer<ConfidentSample>
    ) {
        let cuts = thresholds.map { T($0 - tolerance) }
        guard var row = rows.baseAddress else { return }
        cuts.withUnsafeBufferPointer { cuts in
            let (limits, classes) = (cuts.baseAddress!, cuts.count)
            for i in labels.indices {
                (samples + i).initialize(
                    to: ConfidentSample(row, labels[i], limits, classes))
                row += classes
            }
        }
    }

    @inline(__always)
    private init<T: LaneScalar>(
        _ row: UnsafePointer<T>, _ label: Int, _ cuts: UnsafePointer<T>, _ classes: Int
    ) {
        let look = RowLook(row, cuts, classes)
        let own = row[label]
        var (other, predicted) = (look.largest, label)
        if own == look.largest {
            other = max(
                largest(row, label), largest(row + label + 1, classes &- label &- 1))
        }
        if other == look.largest {
            predicted = 0
            while row[predicted] != other { predicted &+= 1 }
        }
        let raised = own + T(Self.tolerance)
        var isClose = raised > other
        if raised == other {
            var first = 0
            while first == label || row[first] != other { first &+= 1 }
            isClose = label < first
        }
        var confident = -1
        if look.confident > 0 {
            confident = predicted
            if look.confident == 1, row[predicted] < cuts[predicted] {
                confident = 0
                while row[confident] < cuts[confident] { confident &+= 1 }
            }
        }
        packed = UInt32(predicted) << 1 | (isClose ? 1 : 0)
        confidentClass = Int32(confident)
        let margin = Float(other - own)
        self.margin = T(margin) < other - own ? margin.nextUp : margin
    }
}

/// The largest of some values, −∞ if there are none.
@inline(__always)
private func largest<T: LaneScalar>(_ values: UnsafePointer<T>, _ count: Int) -> T {
    var largest = -T.infinity
    var k = 0
    if count >= 8 {
        var top = values.lanes(at: 0)
        k = 8
        while k &+ 8 <= count {
            top = T.larger(top, values.lanes(at: k))
            k &+= 8
        }
        for lane in 0..<8 { largest = top[lane] > largest ? top[lane] : largest }
    }
    while k < count {
        largest = values[k] > largest ? values[k] : largest
        k &+= 1
    }
    return largest
}

/// The largest value of a row, and how many reach their cut.
private struct RowLook<T: LaneScalar> {
    private(set) var largest = -T.infinity
    private(set) var confident: T = 0

    /// Eight values at a time: a lane keeps its own largest, and its own count.
    @inline(__always)
    init(_ row: UnsafePointer<T>, _ cuts: UnsafePointer<T>, _ count: Int) {
        var k = 0
        if count >= 8 {
            var top = SIMD8<T>(repeating: -T.infinity)
            var hits = SIMD8<T>(repeating: 0)
            while k &+ 8 <= count {
                let x = row.lanes(at: k)
                top = T.larger(top, x)
                hits = T.counted(hits, x, atLeast: cuts.lanes(at: k))
                k &+= 8
            }
            for lane in 0..<8 {
                largest = top[lane] > largest ? top[lane] : largest
                confident += hits[lane]
            }
        }
        while k < count {
            largest = row[k] > largest ? row[k] : largest
            confident += row[k] >= cuts[k] ? 1 : 0
            k &+= 1
        }
    }
}
