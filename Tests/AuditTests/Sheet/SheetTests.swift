import Diagnostics
import Files
import Foundation
import Randomness
import Testing

@testable import Audit

@Suite struct SheetTests {
    @Test func intervalsAreThoseOfTheExactLaw() throws {
        for share in try EvidenceFixture.read().shares {
            let own = SampledShare(
                found: share.found, drawn: share.drawn, population: share.population)
            #expect(abs(own.low - share.low) < 1e-12, "\(share)")
            #expect(abs(own.high - share.high) < 1e-12, "\(share)")
            // Logarithms of factorials of a million have an error of 1e-9.
            let p = own.probability(ifIn: 0.2...0.2)
            #expect(abs(p - share.probability) < 1e-6, "\(share): \(p)")
        }
        // All are drawn: nothing is left to chance.
        let all = SampledShare(found: 3, drawn: 10, population: 10)
        #expect(all.low == 0.3 && all.high == 0.3 && all.estimate == 0.3)
        let none = SampledShare(found: 0, drawn: 0, population: 7)
        #expect(none.low == 0 && none.high == 1 && none.estimate == nil)
        #expect(SampledShare(found: 0, drawn: 0, population: 0).high == 1)
    }

    /// Over many sheets the interval holds the truth at least as often as it says, the estimate is unbiased, and
    /// an audit that is right is contradicted as seldom as stated.
    @Test func coverageOverManySheets() {
        let wrong = Set((0..<400).filter { $0 % 6 == 0 })
        let list = (0..<400).filter { $0 % 3 == 0 }
        var (held, sum, contradicted) = (0, 0.0, 0)
        for seed in 0..<400 as Range<UInt64> {
            let sheet = RandomSheet(from: Array(0..<400), count: 50, seed: seed)
            let verdicts = Verdicts(
                Dictionary(
                    uniqueKeysWithValues: sheet.samples.map {
                        ($0, wrong.contains($0) ? Verdicts.Verdict.wrong : .right)
                    }))
            let result = SheetResult(
                verdicts, population: 400, list: list, auditedRate: 67.0 / 400...67.0 / 400,
                auditedPrecision: 0.5...0.5)
            if result.rate.low <= 67.0 / 400, 67.0 / 400 <= result.rate.high { held += 1 }
            sum += result.rate.estimate!
            if !result.agreesOnRate { contradicted += 1 }
        }
        #expect(held >= 376, "\(held) of 400")
        #expect(abs(sum / 400 - 67.0 / 400) < 0.01)
        #expect(contradicted <= 32, "\(contradicted) of 400")
    }

    @Test func sheetsAreSimpleRandomSamples() {
        var counts = [Int](repeating: 0, count: 20)
        for seed in 0..<2000 as Range<UInt64> {
            let sheet = RandomSheet(from: Array(0..<20), count: 5, seed: seed)
            #expect(sheet.samples.count == 5 && sheet.samples == sheet.samples.sorted())
            for i in sheet.samples { counts[i] += 1 }
        }
        // 500 expected of each, standard deviation 19.
        #expect(counts.allSatisfy { 400...600 ~= $0 }, "\(counts)")
        #expect(RandomSheet(from: [4, 2], count: 50, seed: 0).samples == [2, 4])
    }

    @Test func sheetHasEmptyVerdicts() {
        let sheet = RandomSheet(from: [2], count: 1, seed: 0)
        let bytes = sheet.csv(
            .init(
                given: ["a", "b", "a, b"], ids: ["x", "y", "z"],
                content: ("text", ["", "", "say \"no\""])))
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "sample,id,text,given,verdict,label\n2,z,\"say \"\"no\"\"\",\"a, b\",,\n")
    }

    // MARK: Verdicts

    private func read(_ text: String, count: Int = 9, given: [String]? = nil) throws -> Verdicts {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-sheet-\(UUID()).csv").path
        try LocalFileSystem().replace(path, with: Array(text.utf8))
        defer { try? LocalFileSystem().remove(path) }
        do {
            return try Verdicts(file: path, count: count, given: given)
        } catch {
            var problem = error
            problem.place?.file = "sheet.csv"
            throw problem
        }
    }

    private func failure(_ text: String, given: [String]? = nil) -> String {
        do {
            _ = try read(text, given: given)
            return "nothing thrown"
        } catch {
            return "\(error)"
        }
    }

    @Test func verdictsAreReadBack() throws {
        let verdicts = try read(
            "sample,text,given,verdict,label\n3,\"a\nb\",x,Wrong,y\n1,c,x,ok,\n2,d,x,,\n0,e,y,?,\n",
            given: ["y", "x", "x", "x"] + [String](repeating: "", count: 5))
        #expect(verdicts.samples(.wrong) == [3])
        #expect(verdicts.samples(.right) == [1])
        #expect(verdicts.samples(.unsure) == [0])
        #expect(verdicts.labels == [3: "y"])
        // As spreadsheets write them.
        let other = try read("\u{feff}verdict;sample;note\r\nright;4;a, b\r\nw;5;\r\n")
        #expect(other.samples(.right) == [4] && other.samples(.wrong) == [5])
        #expect(try read("sample\tverdict\n7\tBAD\n").samples(.wrong) == [7])
    }

    @Test func mistakesAreSaid() {
        #expect(
            failure("")
                == "sheet.csv: the sheet is empty: expected a column verdict with right, wrong or unsure"
        )
        #expect(
            failure("sample,verdikt\n1,right\n")
                == "sheet.csv, line 1: the sheet has no column \"verdict\": found sample, verdikt (is it \"verdikt\"?)"
        )
        #expect(
            failure("sample,verdict\n1,rihgt\n")
                == "sheet.csv, line 2: not a verdict: found \"rihgt\", expected right, wrong, unsure, or nothing (did you mean \"right\"?)"
        )
        #expect(
            failure("sample,verdict\n1,right\n9,right\n")
                == "sheet.csv, line 3: no such sample: found \"9\", expected 0...8 (is the sheet of other data?)"
        )
        #expect(
            failure("sample,verdict\n1,right\n1,wrong\n")
                == "sheet.csv, line 3: sample 1 stands twice (first on line 2)")
        #expect(
            failure("sample,verdict\n1\n")
                == "sheet.csv, line 2: wrong number of cells: found 1, expected 2, as in the header"
        )
        #expect(
            failure("sample,verdict\n1,\n")
                == "sheet.csv: no sample has a verdict: expected a column verdict with right, wrong or unsure"
        )
        #expect(
            failure(
                "sample,given,verdict\n0,cat,right\n", given: [String](repeating: "dog", count: 9))
                == "sheet.csv, line 2: the sheet shows another given label than the data has: found \"cat\", expected \"dog\" (is the sheet of other labels?)"
        )
    }

    @Test func resultByHand() {
        let verdicts = Verdicts([0: .wrong, 1: .right, 2: .right, 3: .unsure, 4: .wrong])
        let result = SheetResult(
            verdicts, population: 100, list: [0, 2, 50], auditedRate: 0.4...0.6,
            auditedPrecision: 0.9...1)
        #expect(result.rate.found == 2 && result.rate.drawn == 4)
        #expect(result.precision.found == 1 && result.precision.drawn == 2)
        #expect(result.precision.population == 3 && result.unsure == 1)
        #expect(result.rateIfUnsure == 0.4...0.6)
        #expect(result.agreesOnRate && result.rateProbability > 1 - 1e-9)
        // All three or, rounded down, two of the list are wrong: 1 of 2 drawn has probability 2/3.
        #expect(result.agreesOnPrecision == true)
        let none = SheetResult(
            Verdicts([9: .right]), population: 100, list: [], auditedRate: 0...1,
            auditedPrecision: nil)
        #expect(none.agreesOnPrecision == nil)
    }

    @Test func disagreementIsSeen() {
        let verdicts = Verdicts(
            Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, $0 < 25 ? .wrong : .right) }))
        let result = SheetResult(
            verdicts, population: 3000, list: [], auditedRate: 0.05...0.15, auditedPrecision: nil)
        #expect(!result.agreesOnRate && result.rateProbability < 1e-6)
    }
}
