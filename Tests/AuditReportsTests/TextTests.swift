import Audit
import Testing

@testable import AuditReports

@Suite struct AuditTextTests {
    private func lines(_ result: AuditResult) -> [String] { AuditText(result, folder: "out").lines }

    @Test func theAnswerIsPinned() {
        let text = AuditText(
            Fixture.result(), folder: "runs/audit-animals", files: ["audit.csv", "labels.csv"],
            report: "runs/audit-animals/report.html"
        ).text
        #expect(
            text == """
                200 samples judged by five folds of early-learning (held-out predictions agree with 55.1 % of the given labels; 10.0 % by chance)
                about 41 % of the labels are wrong (36 to 46 %)
                list: 80 samples, about 70 ± 5 of them wrong (precision 88 %, 82 to 93 %)
                classes most often mistaken: cat and eel (3.1 % of all)
                files in runs/audit-animals: audit.csv, labels.csv; report: runs/audit-animals/report.html
                """)
    }

    @Test func truthIsSaidOnlyWhereItIsKnown() {
        let known = lines(Fixture.result(learning: Fixture.part(truth: Fixture.truth())))
        #expect(
            known[3] == "truth: rate 36.0 %, list precision 90.0 %, recall 100.0 %, AUC .965")
        #expect(!lines(Fixture.result()).contains { $0.contains("truth") })
        // All labels right: there is a rate, and nothing to be measured of a list.
        let clean = Dictionary(uniqueKeysWithValues: (0..<200).map { ($0, $0 % 3) })
        #expect(
            lines(Fixture.result(learning: Fixture.part(truth: clean)))[3] == "truth: rate 0.0 %")
    }

    @Test func aUselessModelListsNothingAndKnowsNoRate() {
        let text = lines(Fixture.result(learning: Fixture.part(isUseless: true)))
        #expect(
            text.dropFirst() == [
                "how many labels are wrong is not known",
                "nothing is listed: held-out predictions tell nothing of the labels "
                    + "(they agree with 10.2 %, permuted labels with 10.0 %; p = .36)",
            ])
    }

    @Test func smallRatesAreNotMadeUp() {
        func rate(_ estimate: Double, _ low: Double, _ high: Double) -> String {
            let part = Fixture.part(rate: RateInterval(estimate: estimate, low: low, high: high))
            return lines(Fixture.result(learning: part))[1]
        }
        #expect(
            rate(0.021, 0, 0.051)
                == "about 2.1 % of the labels are wrong, perhaps none (at most 5.1 %)")
        #expect(
            rate(0, 0, 0.032)
                == "no label is expected to be wrong (at most 3.2 % are)")
        let empty = lines(Fixture.result(learning: Fixture.part(listed: 0)))
        #expect(empty[2] == "nothing is listed: no label is expected to be wrong")
    }

    @Test func sourcesAndTheTestSplit() {
        let test = Fixture.part(
            count: 50, wrong: 4, precision: 0.7,
            rate: RateInterval(estimate: 0.06, low: 0, high: 0.11), split: "test")
        var result = Fixture.result(test: test, source: .file("p.npy"))
        result.testAccuracy = .init(all: 0.841, trusted: 0.87, trustedSamples: 46)
        let text = lines(result)
        #expect(
            text[0].hasPrefix("200 samples judged by the probabilities of p.npy (predictions agree")
        )
        #expect(
            text[4]
                == "test split: 50 samples, about 6.0 % of the labels are wrong, perhaps none (at most 11 %); "
                + "4 listed, about 3 ± 1 of them wrong; accuracy 84.1 % on all, 87.0 % on the 46 that are not listed"
        )
        result.test = Fixture.part(count: 50, wrong: 4, isUseless: true, split: "test")
        result.testAccuracy = nil
        #expect(
            lines(result)[4]
                == "test split: 50 samples, predictions tell nothing of their labels, nothing is listed"
        )
    }

    @Test func people() {
        var result = Fixture.result()
        result.sheet = Fixture.sheet()
        result.budget = Fixture.budget
        result.conflicts = [[1, 2, 3], [7, 9]]
        result.annotators = [
            .init(name: "A\u{1b}[2J", labels: 90, agreement: 0.8, quality: 0.71),
            .init(name: "B", labels: 110, agreement: 0.9, quality: 0.93),
        ]
        result.warnings = ["class eel has five samples"]
        let text = lines(result)
        #expect(text[3] == "duplicates with different labels: 2 sets, 5 samples")
        #expect(
            text[5] == "2 annotators, how often they are right: B 93 %, A\\u{1B}[2J 71 %")
        #expect(
            text[6]
                == "sheet: 20 of 50 judged labels wrong, 40 % (28 to 52 %): the audit agrees; of the list 17 of 20, 85 %: it agrees"
        )
        #expect(
            text[7]
                == "checking 2 labels by worth is expected to raise the mean probability of the true class "
                + "by 0.31 points (by probability 0.27, at random 0.08)")
        #expect(text[8] == "warning: class eel has five samples")
        result.sheet = Fixture.sheet(wrong: 3, found: 3)
        #expect(
            lines(result)[6].hasSuffix(
                ": the audit does not agree; of the list 3 of 20, 15 %: it does not"))
    }
}
