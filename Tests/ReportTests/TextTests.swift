import Foundation
import Synchronization
import Testing

@testable import Report

@Suite struct TextTests {
    static let table = TableModel(
        columns: [.init("method"), .init("last", .trailing), .init("seconds", .trailing)],
        rows: [
            ["CE", "65.2 ± 0.6", "8"], ["自己蒸留", "76.8 ± 10.1", "12.5"], ["one|seed", "7.1"],
        ])

    @Test func boxTable() {
        #expect(
            TextTable(Self.table).render() == """
                ┌──────────┬─────────────┬─────────┐
                │ method   │        last │ seconds │
                ├──────────┼─────────────┼─────────┤
                │ CE       │ 65.2 ±  0.6 │       8 │
                │ 自己蒸留 │ 76.8 ± 10.1 │    12.5 │
                │ one|seed │  7.1        │         │
                └──────────┴─────────────┴─────────┘

                """)
    }

    @Test func asciiTable() {
        #expect(
            TextTable(
                TableModel(columns: [.init("a"), .init("b", .trailing)], rows: [["é", "1 ± 2"]])
            ).render(.ascii) == """
                +---+--------+
                | a |      b |
                +---+--------+
                | ? | 1 +- 2 |
                +---+--------+

                """)
    }

    @Test func plainTableCutsAndEscapes() {
        #expect(
            TextTable(
                TableModel(
                    columns: [.init("a"), .init("b")], rows: [["x\ny\u{1B}[2J", "abcdefghijkl"]])
            ).render(.plain, limit: 10)
                == """
                a           b
                ──────────  ──────────
                x\\ny\\u{1B…  abcdefghi…

                """)
        #expect(TextTable(TableModel(columns: [])).render() == "")
    }

    @Test func markdown() {
        #expect(
            TextTable(Self.table).markdown() == """
                | method | last | seconds |
                | :--- | ---: | ---: |
                | CE | 65.2 ± 0.6 | 8 |
                | 自己蒸留 | 76.8 ± 10.1 | 12.5 |
                | one\\|seed | 7.1 |  |

                """)
    }

    @Test func widths() {
        #expect(DisplayWidth.of("abc") == 3 && DisplayWidth.of("自") == 2)
        #expect(DisplayWidth.of("e\u{301}") == 1 && DisplayWidth.of("🙂") == 2)
        #expect(DisplayWidth.of("± … ─") == 5)
        #expect(DisplayWidth.cut("自己蒸留", to: 5) == "自己…")
    }

    @Test func numbers() {
        let compact = [
            (0.8123, "0.812"), (12_345, "12.3k"), (2_500_000, "2.5M"), (0.000012, "1.2e-5"),
            (0, "0"), (1234, "1234"), (-0.5, "-0.5"), (.nan, "nan"), (-.infinity, "-inf"),
            (999_999, "1M"), (9999.6, "10k"),
        ]
        for (value, text) in compact { #expect(Numbers.compact(value) == text) }
        #expect(Numbers.fixed(-0.001, 2) == "0.00" && Numbers.fixed(1e300, 2) == "1e300")
        #expect(
            Numbers.estimate(Estimate(mean: 0.712, sd: 0.004), scale: 100) == "71.2 ± 0.4")
        #expect(Numbers.estimate(Estimate(mean: 0.712, sd: nil), scale: 100) == "71.2")
        #expect(
            [7, 760, 11_109, 1e9, .nan, -5].map(Numbers.clock)
                == ["0:07", "12:40", "3:05:09", ">99 h", ">99 h", "0:00"])
        let e = Estimate(values: [1, 2, 3])
        #expect(e.mean == 2 && e.sd == 1 && Estimate(values: [5]).sd == nil)
    }

    @Test func progress() {
        #expect(
            Progress.line(
                done: 420, total: 1000, elapsed: 10, label: "stage 1", unit: "it", width: 80,
                ascii: true)
                == "stage 1  ############------------------   42 %  420/1000  42 it/s  0:14 left")
        #expect(
            Progress.line(done: 1000, total: 1000, elapsed: 75, label: "a", width: 60)
                == "a  ━━━━━━━━━━━━━━  100 %  1000/1000  13.3 steps/s  took 1:15")
        for width in 0...120 {
            let line = Progress.line(
                done: 1, total: 3, elapsed: 1, label: "a long label", width: width)
            #expect(DisplayWidth.of(line) <= max(width, 1))
        }
        #expect(
            Progress.plain(done: 420, total: 1000, elapsed: 10, label: "stage 1")
                == "stage 1: 420/1000 steps (42 %), 42 steps/s, 0:14 left")
        #expect(Progress.plain(done: 5, total: 0, elapsed: 0, label: "a") == "a: 5 steps")
        #expect(
            Progress.plain(done: 9, total: 3, elapsed: .nan, label: "a") == "a: 3/3 steps (100 %)")
        #expect(Progress.line(done: 999, total: 1000, elapsed: 0, label: "a").contains(" 99 %"))
    }

    @Test func throttle() {
        let times = Times([0, 0.05, 0.11, 0.12, 0.13])
        var throttle = ProgressThrottle(interval: 0.1, clock: { times.next() })
        #expect(
            [
                throttle.isDue(), throttle.isDue(), throttle.isDue(), throttle.isDue(),
                throttle.isDue(final: true),
            ] == [true, false, true, false, true])
    }
}

/// A clock that reads off a list.
private final class Times: Sendable {
    private let left: Mutex<[Double]>
    init(_ times: [Double]) { left = Mutex(times) }
    func next() -> Double { left.withLock { $0.removeFirst() } }
}
