import Testing

@testable import AuditReports

@Suite struct WordingTests {
    @Test func numbersAreShort() {
        #expect(
            [0, 7, 999, 1000, 1_234_567].map(Wording.count) == [
                "0", "7", "999", "1,000", "1,234,567",
            ])
        #expect(
            Wording.count(1, "sample") == "1 sample" && Wording.count(0, "sample") == "0 samples")
        #expect(Wording.word(5) == "five" && Wording.word(50) == "50")
        #expect(Wording.area(0.9716) == ".972" && Wording.area(1) == "1.000")
        #expect(Wording.p(0.0001) == "under .001" && Wording.p(0.364) == ".36")
    }

    @Test func percentsSayNoMoreThanIsKnown() {
        let shares = [0, 0.0001, 0.0213, 0.0999, 0.41, 0.952, 0.9981, 0.99999, 1]
        #expect(
            shares.map(Wording.percent)
                == ["0", "under 0.1", "2.1", "10", "41", "95", "99.8", "over 99.9", "100"])
        #expect(Wording.interval(0.361, 0.458) == "36 to 46 %")
        #expect(Wording.interval(0, 0.051) == "at most 5.1 %")
        #expect(Wording.interval(0.9, 1) == "at least 90 %")
    }

    @Test func estimatesAreRoundedLikeTheirErrors() {
        #expect(Wording.estimate(1214.4, error: 76) == "1,210 ± 80")
        #expect(Wording.estimate(1214.4, error: 140) == "1,210 ± 140")
        #expect(Wording.estimate(1250, error: 240) == "1,300 ± 200")
        #expect(Wording.estimate(3.4, error: 0.4) == "3 ± 1")
        #expect(Wording.estimate(12.2, error: 1.2) == "12 ± 1")
        #expect(Wording.estimate(97, error: 9.7) == "97 ± 10")
    }

    @Test func clausesBecomeSentences() {
        #expect(Wording.sentence("about 4 % are wrong") == "About 4 % are wrong.")
        #expect(Wording.list(["a", "b", "c"]) == "a, b and c")
    }
}
