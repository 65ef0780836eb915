import Foundation
import Testing

@testable import Report

/// Against scipy 1.17 (`stats.t.sf`, `stats.t.isf`, `stats.f.sf`, `special.betainc`, `stats.ttest_1samp`)
/// and by hand.
@Suite struct RankingTests {
    private func isNear(_ a: Double, _ b: Double, _ tolerance: Double = 1e-11) -> Bool {
        abs(a - b) <= tolerance * max(abs(b), 1e-300)
    }

    @Test func distributions() {
        for (t, n, p) in [
            (1.0, 1, 0.5), (4.302652729696142, 2, 0.05000000000114788),
            (2.0, 7, 0.08561932856297605), (12.5, 3, 0.0011036313310960584),
            (0.1, 30, 0.9210096117902712), (3.2, 26, 0.0036027477022903052),
        ] {
            #expect(isNear(StudentT.twoSided(t, freedom: n), p), "\(t) \(n)")
            #expect(StudentT.twoSided(-t, freedom: n) == StudentT.twoSided(t, freedom: n))
        }
        for (p, n, t) in [
            (0.05, 1, 12.706204736174705), (0.05, 2, 4.302652729749464),
            (0.05, 26, 2.055529438642873), (0.001, 4, 8.610301581379275),
        ] {
            #expect(isNear(StudentT.critical(p, freedom: n), t, 1e-9), "\(p) \(n)")
        }
        for (f, a, b, p) in [
            (1.0, 2, 2, 0.5), (3.5, 2, 26, 0.045078795705039795),
            (10, 1, 4, 0.03410942316740962), (0.2, 5, 3, 0.9423311143775628),
        ] {
            #expect(isNear(upperF(f, above: a, below: b), p), "\(f) \(a) \(b)")
        }
        for (x, a, b, p) in [
            (0.3, 2.0, 3.0, 0.3483), (0.99, 0.5, 0.5, 0.9362314391414803),
            (1e-6, 13, 0.5, 1.549810890682542e-79), (0.5, 300, 250, 0.016376338429963375),
        ] {
            #expect(isNear(incompleteBeta(x, a, b), p, 1e-10), "\(x) \(a) \(b)")
        }
        #expect(StudentT.twoSided(.infinity, freedom: 3) == 0)
        #expect(StudentT.twoSided(.nan, freedom: 3).isNaN)
    }

    @Test func oneDifference() throws {
        let gain = try #require(PairedDifference([0.03, 0.05, 0.04]))
        #expect(isNear(gain.mean, 0.04) && gain.pairs == 3 && gain.freedom == 2)
        #expect(isNear(gain.error, 0.01 / 3.0.squareRoot()))
        #expect(isNear(gain.p, 0.02020410288672877, 1e-9))
        #expect(isNear(gain.interval.lowerBound, 0.015158622882496697, 1e-9))
        #expect(isNear(gain.interval.upperBound, 0.0648413771175033, 1e-9))
        #expect(PairedDifference([0, 0, 0])?.p == 1, "no difference is no gain")
        #expect(PairedDifference([1]) == nil && PairedDifference([1, .nan]) == nil)
    }

    /// By hand: variances 1 and 3 (standard errors √⅓ and 1), 4 degrees of freedom, pooled 2.
    @Test func varianceIsPooledOverRows() throws {
        let gains = PairedDifference.pooled([[1, 2, 3], [0, 3, 3], [0, 0, 0], [1]])
        let one = try #require(gains[0])
        #expect(one.freedom == 4 && abs(one.error - (2 / 3.0).squareRoot()) < 1e-15)
        #expect(gains[1].map { abs($0.error - 1) < 1e-15 } == true, "its own is larger")
        #expect(gains[2]?.p == 1 && gains[3] == nil)
    }

    /// A row that varies much more than the others is judged by itself, and does not spoil them.
    @Test func anUnsteadyRowStandsApart() throws {
        let quiet = (0..<6).map { row in (0..<3).map { 0.01 + 0.001 * Double((row + $0) % 3) } }
        let gains = PairedDifference.pooled(quiet + [[0.2, -0.1, 0.3]])
        let (one, wild) = (try #require(gains[0]), try #require(gains[6]))
        #expect(one.freedom == 12 && isNear(one.error, 0.001 / 3.0.squareRoot(), 1e-9))
        #expect(wild.freedom == 2 && wild == PairedDifference([0.2, -0.1, 0.3]))
    }

    /// By hand: sorted .01, .02, .03, .04 of four count 4, 3, 2 and once: .04, .06, .06, .06.
    @Test func holm() {
        #expect(
            PairedDifference.holm([0.04, 0.01, nil, 0.03, 0.02]) == [0.06, 0.04, nil, 0.06, 0.06])
        #expect(PairedDifference.holm([0.9, 0.8]) == [1, 1])
        #expect(PairedDifference.holm([]) == [])
    }

    private static func row(
        _ name: String, _ selected: [Double], role: MethodResult.Role = .method,
        seeds: [UInt64]? = nil
    ) -> MethodResult {
        MethodResult(
            name: name, last: selected.map { $0 - 0.1 }, selected: selected, seconds: [1],
            seeds: seeds, role: role)
    }

    private static let ranking = Ranking([
        row("plain", [0.700, 0.702, 0.704], role: .plain),
        row("weak", [0.600, 0.603, 0.603]),
        row("decayed", [0.751, 0.750, 0.754], role: .plain),
        row("robust", [0.800, 0.803, 0.803]),
        row("sturdy", [0.799, 0.803, 0.802]),
        row("clean", [0.899, 0.903, 0.902], role: .ceiling),
        row("failed", []),
    ])

    @Test func theBestStandsFirst() throws {
        let ranking = Self.ranking
        #expect(
            ranking.rows.map(\.method.name)
                == ["clean", "robust", "sturdy", "decayed", "plain", "weak", "failed"])
        #expect(ranking.rows.map(\.place) == [nil, 1, 2, 3, 4, 5, nil])
        #expect(ranking.rows.map(\.isTied) == [false, true, true, false, false, false, false])
        #expect(ranking.best?.method.name == "robust" && ranking.hasTwoReferences)
        let best = try #require(ranking.best)
        #expect(isNear(try #require(best.overFirst).difference.mean, 0.1))
        // Means .802 and .751667.
        #expect(isNear(try #require(best.overPlain).difference.mean, 0.151 / 3, 1e-9))
        #expect(best.overFirst?.isBeyondChance == true && best.overPlain?.isBeyondChance == true)
        #expect(ranking.rows[4].overFirst == nil, "it is the first row itself")
        #expect(ranking.extremes == ["robust", "plain", "weak"])
        // From 75.17 to 80.2 on the way to 90.13.
        #expect(
            isNear(
                try #require(ranking.closedGap), (0.802 - 0.75166667) / (0.90133333 - 0.75166667),
                1e-5))
        #expect(
            ranking.answer.hasPrefix("Best: robust, 80.2 %; +10.0 [")
                && ranking.answer.contains("] over plain, beyond chance; +5.0 [")
                && ranking.answer.hasSuffix(
                    "] over decayed, the strongest plain row, beyond chance; 34 % of the way from there to "
                        + "training on clean labels."),
            "\(ranking.answer)")
    }

    @Test func thereMayBeNothingToFind() {
        let one = Ranking([Self.row("a", [0.5]), Self.row("b", [0.6])])
        #expect(
            one.answer == "Best: b, 60.0 %. One seed: no difference here can be told from chance.")
        #expect(one.rows[0].overFirst == nil)
        let first = Ranking([
            Self.row("a", [0.6, 0.61], role: .plain), Self.row("b", [0.5, 0.52]),
        ])
        #expect(first.answer == "Best: a, 60.5 %; the first row: nothing is above it.")
        #expect(!first.hasTwoReferences)
        let plain = Ranking([
            Self.row("a", [0.5, 0.51], role: .plain), Self.row("b", [0.6, 0.62], role: .plain),
        ])
        #expect(plain.answer.hasSuffix("itself a plain row: no method is above plain training."))
        #expect(Ranking([Self.row("a", [])]).answer == "No row has a result.")
        #expect(Ranking([]).answer == "No row has a result.")
    }

    /// What is led beyond chance ends the ties, and one pair of rows has one answer in every column.
    @Test func tiesEndWhereOneIsLed() {
        let ranking = Ranking([
            Self.row("first", [0.700, 0.702, 0.704], role: .plain),
            Self.row("best", [0.800, 0.803, 0.803]),
            Self.row("near", [0.799, 0.803, 0.802]),
            Self.row("led", [0.751, 0.750, 0.754]),
            Self.row("unsteady", [0.400, 0.790, 0.600]),
        ])
        #expect(ranking.rows.map(\.method.name) == ["best", "near", "led", "first", "unsteady"])
        #expect(ranking.rows.map(\.isTied) == [true, true, false, false, false])
        let best = ranking.rows[0]
        #expect(best.overFirst?.isBeyondChance == true && !ranking.rows[3].isTied)
    }

    /// Rows are compared at the seeds that both have, whatever their order.
    @Test func seedsArePaired() throws {
        let ranking = Ranking([
            Self.row("a", [0.50, 0.60, 0.70], seeds: [0, 1, 2]),
            Self.row("b", [0.72, 0.52], seeds: [2, 0]),
        ])
        let gap = try #require(ranking.rows.first { $0.method.name == "b" }?.overFirst)
        #expect(gap.difference.pairs == 2 && isNear(gap.difference.mean, 0.02))
    }

    @Test func tables() throws {
        let table = Self.ranking.table(metric: "test accuracy")
        #expect(table.title == "Test accuracy in percent, mean ± sd over 3 seeds")
        #expect(
            table.columns.map(\.title)
                == ["", "method", "selected", "Δ to first", "Δ to best plain", "last", "seconds"])
        #expect(table.rows.map { $0[0] } == ["ceiling", "=1", "=1", "3", "4", "5", "–"])
        #expect(table.rows[4][3] == "–" && table.rows[5][3].hasSuffix("] *"))
        #expect(table.rows[6] == ["–", "failed", "–", "–", "–", "–", "1.0"])
        let page = ComparisonPage(
            title: "t", groups: [MethodGroup(title: "n", methods: Self.ranking.rows.map(\.method))])
        let lines = String(decoding: page.csv, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 8 && lines[0].hasPrefix("noise,place,tied,method"))
        #expect(
            lines.dropFirst().allSatisfy {
                $0.split(separator: ",", omittingEmptySubsequences: false).count == 19
            })
        #expect(
            page.plot(of: page.groups[0]).rows.map(\.name) == page.groups[0].methods.map(\.name))
    }

    @Test func latex() {
        let model = TableModel(
            title: "50 % & more", columns: [.init("a_b"), .init("Δ", .trailing)],
            rows: [["x\\y", "-1.0 ± 0.5 [-2.0, 0.0]"], ["short"]], note: "one\ntwo")
        #expect(
            LaTeXTable(model).render() == """
                \\begin{table}
                  \\centering
                  \\caption{50 \\% \\& more}
                  \\begin{tabular}{lr}
                    \\toprule
                    a\\_b & $\\Delta$ \\\\
                    \\midrule
                    x\\textbackslash{}y & $-$1.0 $\\pm$ 0.5 [$-$2.0, 0.0] \\\\
                    short &  \\\\
                    \\bottomrule
                  \\end{tabular}
                  % one two
                \\end{table}

                """)
    }
}
