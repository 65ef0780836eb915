import Testing

@testable import Report

@Suite struct TicksTests {
    @Test(
        arguments: [
            (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0.63, 0.82, 5, [0.65, 0.7, 0.75, 0.8], ["0.65", "0.70", "0.75", "0.80"]),
            (-3, 4, 4, [-2, 0, 2, 4], ["-2", "0", "2", "4"]),
            (0, 30_000, 3, [0, 10_000, 20_000, 30_000], ["0", "10k", "20k", "30k"]),
            (
                10_100, 10_900, 4, [10_200, 10_400, 10_600, 10_800],
                ["10.2k", "10.4k", "10.6k", "10.8k"]
            ),
            (1, 1.0000003, 3, [1, 1.0000001, 1.0000002, 1.0000003], nil),
        ] as [(Double, Double, Int, [Double], [String]?)])
    func steps(lo: Double, hi: Double, count: Int, values: [Double], labels: [String]?) {
        let ticks = Ticks(lo...hi, about: count)
        #expect(ticks.values == values)
        if let labels { #expect(ticks.labels == labels) }
    }

    @Test func wholeStepsForEpochs() {
        #expect(Ticks(1...3, about: 8, whole: true).labels == ["1", "2", "3"])
        #expect(Ticks(1...3, about: 8).labels.count > 3)
    }

    @Test func decades() {
        #expect(Ticks(log: 1e-5...1e-2, about: 6).labels == ["1e-5", "1e-4", "0.001", "0.01"])
        #expect(Ticks(log: 1...10, about: 6).values == [1, 2, 5, 10])
        #expect(Ticks(log: 0.1...1000, about: 6).labels == ["0.1", "1", "10", "100", "1000"])
        #expect(Ticks(log: 1e-90...1e90, about: 6).values.count <= 6)
    }

    /// Every tick lies in the range, neighbours are one step apart, and there are not too many.
    @Test func thousandRanges() {
        for i in 0..<1000 {
            let lo = Samples.wobble(i, 1) * pow10(i % 13 - 6)
            let hi = lo + (1.001 + Samples.wobble(i, 2)) * pow10(i % 7 - 3)
            let range = Axis.fitting([lo, hi])
            let ticks = Ticks(range, about: 6)
            #expect(ticks.values.count <= 7 && ticks.labels.count == ticks.values.count)
            #expect(Set(ticks.labels).count == ticks.labels.count, "\(lo) \(hi) \(ticks.labels)")
            let slack = (range.upperBound - range.lowerBound) * 1e-6
            let allowed = range.lowerBound - slack...range.upperBound + slack
            #expect(ticks.values.allSatisfy(allowed.contains), "\(range) \(ticks)")
        }
    }

    @Test func rangesAreNeverEmpty() {
        #expect(Axis.fitting([]) == 0...1)
        #expect(Axis.fitting([.nan, .infinity, 1e200]) == 0...1)
        #expect(Axis.fitting([0]) == -1...1)
        #expect(Axis.fitting([50]) == 45...55)
        #expect(Axis.fitting([0.5, 1], padding: 0.1) == 0.45...1)
        #expect(Axis.fitting([2, 4], padding: 0.5) == 1...5)
    }

    /// By hand: three labels that all want 10 stand around it; at an edge they move inwards.
    @Test func labelsArePushedApart() {
        #expect(spread([10, 10, 10], gap: 4, within: 0...100) == [6, 10, 14])
        #expect(spread([0, 1, 50], gap: 4, within: 0...100) == [0, 4, 50])
        #expect(spread([99, 100], gap: 4, within: 0...100) == [96, 100])
        #expect(spread([], gap: 4, within: 0...100) == [])
    }

    private func pow10(_ n: Int) -> Double {
        (0..<abs(n)).reduce(1.0) { value, _ in n < 0 ? value / 10 : value * 10 }
    }
}
