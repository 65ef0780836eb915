import Datasets
import Diagnostics
import Foundation
import Testing

@testable import Audit
@testable import AuditReports

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct AuditPageTests {
    private static let hostile = "\"><script>alert(1)</script>{{title}}"

    private func data(_ features: Dataset.Features, ids: [String]? = nil) throws -> Dataset {
        try Dataset(
            name: "animals", features: features, labels: (0..<200).map { $0 % 3 },
            classNames: Fixture.names, ids: ids)
    }

    private func images() throws -> Dataset {
        try data(
            .images(
                bytes: (0..<200 * 12).map { UInt8($0 % 251) }, channels: 3, height: 2, width: 2))
    }

    private func texts(_ text: (Int) -> String) throws -> Dataset {
        try data(.text(TextList((0..<200).map(text), length: 400), column: "tweet"))
    }

    private func table(columns: Int) throws -> Dataset {
        try data(
            .table((0..<200 * columns).map(Float.init), columns: (0..<columns).map { "c\($0)" }))
    }

    private func html(_ result: AuditResult, _ data: Dataset? = nil, recipe: String = "") throws
        -> String
    {
        try AuditPage(result, data: data, recipe: recipe).html()
    }

    /// Where parts of a page begin, in order.
    private func isOrdered(_ html: String, _ parts: [String]) -> Bool {
        var rest = html[...]
        for part in parts {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }

    @Test func thePageIsOneFile() throws {
        let page = try html(Fixture.result(), images(), recipe: "name: a # b\n")
        let reader = WellFormed()
        let parser = XMLParser(data: Data(page.utf8))
        parser.delegate = reader
        #expect(parser.parse() && reader.elements["script"] == nil)
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("url("))
        #expect(reader.loads.allSatisfy { $0.hasPrefix("data:") } && reader.loads.count == 41)
        #expect(page.contains("prefers-color-scheme:dark"))
    }

    @Test func theAnswerComesFirst() throws {
        let page = try html(Fixture.result(), images(), recipe: "name: a\n")
        #expect(
            isOrdered(
                page,
                [
                    "<h1>animals &lt;3</h1>", "Which labels are wrong?</h2>",
                    "<li>About 41 % of the labels are wrong (36 to 46 %).</li>",
                    "<li>80 samples are listed; about 70 ± 5 of them are wrong (precision 88 %, 82 to 93 %).</li>",
                    "No true label is known", "The most suspicious 40 of the list</h2>",
                    "How good the list is</h2>",
                    "<h3>Wrong labels among the first n", "<h3>Evidence", "Classes</h2>",
                    "in percent</h2>",

                    "<details><summary><h2>How it was made</h2>",
                    "<details><summary><h2>Recipe</h2>",
                ]))
        for absent in ["Duplicates", "The test split", "Annotators", "Outliers", ">true<"] {
            #expect(!page.contains(absent))
        }
    }

    @Test func duplicatesComeBeforeTheList() throws {
        var result = Fixture.result()
        result.conflicts = [[5, 7, 9], [11, 12]]
        let parts = ["Duplicates with different labels</h2>", "The most suspicious"]
        for data in [try images(), try texts { "text \($0)" }, try table(columns: 2), nil] {
            #expect(isOrdered(try html(result, data), parts))
        }
        #expect(
            try html(result, texts { "text \($0)" }).contains(
                "5: eel; 7: dog &amp; &lt;b&gt;; 9: cat"))
    }

    @Test func imagesArePictures() throws {
        let page = try html(Fixture.result(), images())
        #expect(page.components(separatedBy: "<img ").count == 41)
        #expect(page.contains("alt=\"0\"/>") && page.contains("src=\"data:image/png;base64,"))
        #expect(
            page.contains(
                "<p class=\"pair\">dog &amp; &lt;b&gt; <span class=\"arrow\">→</span> <b>eel</b></p>"
            ))
        #expect(page.contains("<p class=\"said\">1 · 95 %</p>"))
    }

    @Test func textsAreTexts() throws {
        let bad = AuditPageTests.hostile
        let long = String(repeating: "longer ", count: 60)
        let page = try html(
            Fixture.result(), texts { $0 == 0 ? bad : $0 == 1 ? long : "text \($0)" })
        #expect(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"))
        #expect(page.contains("{{title}}") && page.contains("longer longer"))
        #expect(!page.contains(long) && page.contains("…</p>"))
        #expect(
            isOrdered(page, ["text 19<", "<details><summary><h2>The next 20</h2>", "text 39<"]))
        #expect(!page.contains("text 40<"))
        // Without the data: what the rows carry.
        let carried = Fixture.part(content: ("text", (0..<200).map { "carried \($0)" }))
        #expect(try html(Fixture.result(learning: carried)).contains("carried 0<"))
    }

    @Test func rowsOfTablesAreRows() throws {
        let ids = (0..<200).map { "id-\($0)" }
        let page = try html(
            Fixture.result(learning: Fixture.part(ids: ids)),
            data(
                .table((0..<2000).map(Float.init), columns: (0..<10).map { "c\($0)" }), ids: ids))
        #expect(page.contains(">c7</th>") && !page.contains(">c8</th>"))
        #expect(page.contains("The first 8 of 10 columns."))
        #expect(page.contains("<td>id-1</td>") && page.contains("<td class=\"right\">95</td>"))
        #expect(page.contains("<td class=\"right\">17</td>"))  // c7 of sample 1
    }

    @Test func truthStandsBesideTheEstimate() throws {
        var result = Fixture.result(learning: Fixture.part(truth: Fixture.truth()))
        result.trueTransition = [[0.8, 0.2, 0], [0, 1, 0], [0, 0, 1]]
        let page = try html(result, images())
        #expect(
            page.contains(
                "<li>Truth: rate 36.0 %, list precision 90.0 %, recall 100.0 %, AUC .965.</li>"))
        #expect(page.contains("Beside the true labels") && page.contains("<h3>True</h3>"))
        #expect(page.contains("AUC by itself") && page.contains("all joined"))
        #expect(page.contains("true: cat<") && page.contains("true: eel<"))
        #expect(!page.contains("No true label is known"))
    }

    @Test func aUselessModelShowsNothingThatIsEstimated() throws {
        let page = try html(Fixture.result(learning: Fixture.part(isUseless: true)), images())
        #expect(page.contains("<li>How many labels are wrong is not known.</li>"))
        #expect(page.contains("<li>Nothing is listed: held-out predictions tell nothing"))
        for absent in [
            "<img ", "How good the list is", "Classes</h2>", "in percent</h2>", "Evidence</h3>",
        ] {
            #expect(!page.contains(absent))
        }
    }

    @Test func anEmptyListHasNoGallery() throws {
        let page = try html(Fixture.result(learning: Fixture.part(listed: 0)), images())
        #expect(page.contains("<li>Nothing is listed: no label is expected to be wrong.</li>"))
        #expect(!page.contains("<img ") && page.contains("How good the list is"))
        #expect(
            try html(Fixture.result(learning: Fixture.part(listed: 3)), images()).contains(
                "The list</h2>"))
    }

    @Test func theTestSplitStandsApart() throws {
        let test = Fixture.part(count: 50, wrong: 4, split: "test")
        let other = try Dataset(
            name: "test",
            features: .text(TextList((0..<50).map { "own \($0)" }, length: 99), column: "t"),
            labels: (0..<50).map { $0 % 3 }, classNames: Fixture.names)
        let page = try AuditPage(
            Fixture.result(test: test), data: texts { "text \($0)" }, testData: other
        ).html()
        #expect(
            isOrdered(
                page,
                [
                    "The test split</h2>", "no file changes their labels. Its list:", "own 0<",
                    "own 3<",
                ]))
        #expect(!page.contains("own 4<"))
    }

    @Test func peopleAndOrders() throws {
        var result = Fixture.result()
        result.sheet = Fixture.sheet()
        result.budget = Fixture.budget
        result.outliers = [3, 4]
        result.annotators = [.init(name: "A<", labels: 90, agreement: 0.8, quality: 0.71)]
        result.warnings = ["class eel has five samples"]
        let page = try html(result, images())
        #expect(
            isOrdered(
                page,
                [
                    "<li>class eel has five samples</li>", "<h3>What checking 2 labels gains",
                    "by worth", "at random",
                    "What people say</h2>", "40\u{a0}% (28\u{a0}to\u{a0}52\u{a0}%)",
                    "Left out as unsure: 1;",
                    "<h3>Annotators", "<td>A&lt;</td>",
                    "<details><summary><h2>Outliers</h2>",
                ]))
        #expect(!page.contains("No true label is known"))
    }

    @Test func hugeAndOddResultsAreDrawn() throws {
        let names = (0..<150).map { "class \($0)" }
        var result = Fixture.result(learning: Fixture.part(count: 2, wrong: 1, names: names))
        result.classNames = names
        result.classQuality = (0..<150).map {
            ClassQuality(index: $0, wronglyGiven: 0, missed: 0, givenNoise: 0, trueNoise: 0)
        }
        result.outliers = [700]
        let page = try html(result)
        #expect(page.contains("The other 138 classes</h2>"))
    }

    private final class WellFormed: NSObject, XMLParserDelegate {
        var elements: [String: Int] = [:]
        var loads: [String] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
            qualifiedName: String?, attributes: [String: String]
        ) {
            elements[name, default: 0] += 1
            loads += [attributes["src"], attributes["href"]].compactMap(\.self)
        }
    }
}
