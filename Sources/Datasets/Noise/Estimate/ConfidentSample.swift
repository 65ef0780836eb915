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

    private static func readRows<T: BinaryFloatingPoint & SIMDScalar>(
        _ rows: UnsafeBufferPointer<T>, _ labels: UnsafeBufferPointer<Int>,
        _ thresholds: [Double], _ samples: UnsafeMutablePointer<ConfidentSample>
    ) {
        let cuts = thresholds.map { T($0 - tolerance) }
        cuts.withUnsafeBufferPointer { cuts in
            for i in labels.indices {
                let row = rows.baseAddress! + i * cuts.count
                (samples + i).initialize(to: ConfidentSample(row, labels[i], cuts))
            }
        }
    }

    @inline(__always)
    private init<T: BinaryFloatingPoint & SIMDScalar>(
        _ row: UnsafePointer<T>, _ label: Int, _ cuts: UnsafeBufferPointer<T>
    ) {
        let look = RowLook(row, cuts)
        let own = row[label]
        // The largest of the other classes. Where there is none, nothing is above the given one.
        let other = own == look.largest ? look.second : look.largest
        var predicted = label
        if look.second == look.largest || own != look.largest {
            predicted = 0
            while row[predicted] != look.largest { predicted += 1 }
        }
        let raised = own + T(Self.tolerance)
        var isClose = raised > other
        if raised == other {
            var first = 0
            while first == label || row[first] != other { first += 1 }
            isClose = label < first
        }
        var confident = -1
        if look.confident > 0 {
            confident = predicted
            if look.confident == 1, row[predicted] < cuts[predicted] {
                confident = 0
                while row[confident] < cuts[confident] { confident += 1 }
            }
        }
        packed = UInt32(predicted) << 1 | (isClose ? 1 : 0)
        confidentClass = Int32(confident)
        let margin = Float(other - own)
        self.margin = T(margin) < other - own ? margin.nextUp : margin
    }
}

/// The two largest values of a row (equal if there are two of the largest) and how many reach their cut.
private struct RowLook<T: BinaryFloatingPoint & SIMDScalar> {
    private(set) var largest = -T.infinity
    private(set) var second = -T.infinity
    private(set) var confident = 0

    /// Eight values at a time: a lane keeps its own two largest, and its own count.
    @inline(__always)
    init(_ row: UnsafePointer<T>, _ cuts: UnsafeBufferPointer<T>) {
        typealias Lanes = SIMD8<T>
        let count = cuts.count
        var k = 0
        if count >= 8 {
            var top = Lanes(repeating: -T.infinity)
            var next = top
            var hits = Lanes(repeating: 0)
            let (zero, one) = (Lanes(repeating: 0), Lanes(repeating: 1))
            let (values, limits) = (UnsafeRawPointer(row), UnsafeRawPointer(cuts.baseAddress!))
            while k + 8 <= count {
                let offset = k * MemoryLayout<T>.stride
                let x = values.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
                let cut = limits.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
                let isTop = x .> top
                let lower = x.replacing(with: top, where: isTop)
                top.replace(with: x, where: isTop)
                next.replace(with: lower, where: lower .> next)
                hits += zero.replacing(with: one, where: x .>= cut)
                k += 8
            }
            for lane in 0..<8 {
                add(top[lane])
                add(next[lane])
            }
            confident = Int(hits.sum())
        }
        while k < count {
            add(row[k])
            if row[k] >= cuts[k] { confident += 1 }
            k += 1
        }
    }

    @inline(__always)
    private mutating func add(_ value: T) {
        if value > largest {
            (largest, second) = (value, largest)
        } else if value > second {
            second = value
        }
    }
}
